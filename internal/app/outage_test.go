package app_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/sip/siptest"
	"github.com/callwright/callwright/internal/store/storetest"
)

// TestCallOutlivesDatabase cuts the database off while a call is talking: the
// call goes on and ends as its flow says, new calls are refused, and when the
// database is back all is written down and told.
func TestCallOutlivesDatabase(t *testing.T) {
	t.Parallel()
	storetest.OnPostgres(t, func(t *testing.T, url string) {
		over, line := storetest.BehindLine(t, url)
		h := open(t, setup{database: over})
		peer := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
		agent := h.agent(nil, say("hi", "one", "wait"), pause("wait", 2.5, "bye"), bye("two"))
		from := h.number(h.trunkTo(peer.Addr, nil), agent, 1)
		id := h.place(agent, from, "+12025550123")
		h.reaches(id, "in-progress")
		line.Cut(true)
		status, answer := h.request(http.MethodPost, "/calls", map[string]any{"agentId": agent, "phoneNumberId": from, "to": "+12025550124"})
		if status != http.StatusServiceUnavailable {
			t.Errorf("without a database a new call is answered %d: %s", status, answer)
		}
		peer.Expect("BYE", 1, callLimit) // the flow went on to its end
		time.Sleep(time.Second)          // the end of the call finds no database
		line.Cut(false)
		c := h.ended(id)
		h.wants(c, "completed", "flow-ended")
		if len(c.Turns) != 2 || c.Turns[1].Text != "two" {
			t.Errorf("the turns are %+v", c.Turns)
		}
		if n := peer.Received("INVITE"); n != 1 {
			t.Errorf("%d INVITEs", n)
		}
	})
}
