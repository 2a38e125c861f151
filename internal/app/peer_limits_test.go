package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip/siptest"
)

// lasting is a flow that talks for so many seconds.
func lasting(seconds float64) []map[string]any {
	return []map[string]any{pause("talk", seconds, "bye"), bye("")}
}

// span is the time of a call as its peer saw it.
type span struct{ from, to time.Time }

// spans reads from a peer's log when its calls began and ended.
func spans(peers ...*siptest.Peer) []span {
	var order []string
	found := map[string]*span{}
	for _, p := range peers {
		for _, m := range p.Messages() {
			id := m.Header("Call-ID")
			switch {
			case !m.Received:
			case m.Is("INVITE") && found[id] == nil:
				found[id] = &span{from: m.At}
				order = append(order, id)
			case m.Is("BYE"):
				found[id].to = m.At
			}
		}
	}
	all := make([]span, len(order))
	for i, id := range order {
		all[i] = *found[id]
	}
	return all
}

// atOnce is how many of the calls overlapped at most.
func atOnce(calls []span) int {
	most := 0
	for _, c := range calls {
		n := 0
		for _, other := range calls {
			if !other.from.After(c.from) && other.to.After(c.from) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// TestPeerMaxCalls places far more calls at once than a trunk carries.
func TestPeerMaxCalls(t *testing.T) {
	t.Parallel()
	const calls, most = 20, 5
	h := open(t, setup{})
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
	agent := h.agent(nil, lasting(0.5)...)
	from := h.number(h.trunkTo(p.Addr, map[string]any{"maxCalls": most, "callsPerSecond": 100}), agent, 1)
	ids := h.placeMany(agent, from, calls)
	for _, id := range ids {
		h.wants(h.ended(id), "completed", "flow-ended")
	}
	seen := spans(p)
	if n := atOnce(seen); len(seen) != calls || n != most {
		t.Errorf("the peer saw %d calls and %d at once, want %d and %d", len(seen), n, calls, most)
	}
}

// TestPeerRate has calls wait for a slow voice, which sets them all free at the
// same moment: over the trunk they still go one after the other.
func TestPeerRate(t *testing.T) {
	t.Parallel()
	const calls, perSecond = 12, 8
	h := open(t, setup{slow: 700 * time.Millisecond})
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
	agent := h.agent(nil, say("hello", "one", "talk"), pause("talk", 0.1, "bye"), bye(""))
	ids := h.placeMany(agent, h.number(h.trunkTo(p.Addr, map[string]any{"callsPerSecond": perSecond}), agent, 1), calls)
	for _, id := range ids {
		h.wants(h.ended(id), "completed", "flow-ended")
	}
	seen := spans(p)
	if len(seen) != calls {
		t.Fatalf("the peer saw %d calls, want %d", len(seen), calls)
	}
	// The peer's clock reads when it came to look, a moment after the arrival.
	const window = time.Second - 50*time.Millisecond
	for i := range seen {
		n := 0
		for _, other := range seen[i:] {
			if other.from.Sub(seen[i].from) < window {
				n++
			}
		}
		if n > perSecond {
			t.Errorf("%d INVITEs within a second, want at most %d", n, perSecond)
		}
	}
	if took := seen[calls-1].from.Sub(seen[0].from); took > 2*calls*time.Second/perSecond {
		t.Errorf("%d INVITEs took %v; the trunk allows %d a second", calls, took, perSecond)
	}
}

// TestPeerPlan places more calls at once than the plan allows, over two trunks.
func TestPeerPlan(t *testing.T) {
	t.Parallel()
	h := open(t, setup{plan: domain.Starter})
	agent := h.agent(nil, lasting(2)...)
	var peers []*siptest.Peer
	var ids []domain.ID
	for i := range 2 {
		p := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
		from := h.number(h.trunkTo(p.Addr, map[string]any{"callsPerSecond": 100}), agent, i)
		for k := range 7 {
			ids = append(ids, h.place(agent, from, fmt.Sprintf("+120255501%02d", 10*i+k)))
		}
		peers = append(peers, p)
	}
	for _, id := range ids {
		h.wants(h.ended(id), "completed", "flow-ended")
	}
	most := domain.Starter.Limits().ConcurrentCalls
	if n := atOnce(spans(peers...)); n != most {
		t.Errorf("%d calls at once, want %d", n, most)
	}
}

// TestPeerOneNumber places calls to one number: they follow each other.
func TestPeerOneNumber(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
	agent := h.agent(nil, lasting(0.3)...)
	from := h.number(h.trunkTo(p.Addr, nil), agent, 1)
	var ids []domain.ID
	for range 4 {
		ids = append(ids, h.place(agent, from, "+12025550123"))
	}
	for _, id := range ids {
		h.wants(h.ended(id), "completed", "flow-ended")
	}
	if seen := spans(p); len(seen) != len(ids) || atOnce(seen) != 1 {
		t.Errorf("the number had %d calls and %d at once, want %d and 1", len(seen), atOnce(seen), len(ids))
	}
}

// placeMany places n calls, each to a number of its own.
func (h *house) placeMany(agent, from domain.ID, n int) []domain.ID {
	h.Helper()
	ids := make([]domain.ID, n)
	for i := range ids {
		ids[i] = h.place(agent, from, fmt.Sprintf("+120255501%02d", i))
	}
	return ids
}
