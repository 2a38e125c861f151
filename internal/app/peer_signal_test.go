package app_test

import (
	"testing"
	"time"

	"github.com/callwright/callwright/internal/sip/siptest"
)

// TestPeerDigits has the peer press keys that the flow asks for.
func TestPeerDigits(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	agent := h.agent(nil,
		map[string]any{"id": "menu", "type": "dtmf", "text": "one", "variable": "pin", "terminator": "#", "max": 6,
			"edges": []any{map[string]any{"to": "bye", "kind": "success"}, map[string]any{"to": "bye", "kind": "else"}}},
		bye("two"))
	media := newRTPPeer(t, nil)
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer, Media: media.addr})
	id := h.dial(p, nil, agent)
	select {
	case <-media.came:
	case <-time.After(callLimit):
		t.Fatal("no sound came")
	}
	time.Sleep(400 * time.Millisecond) // the question is being asked
	for i, key := range []byte{4, 4, 2, 11} {
		media.press(key, uint16(100*i), uint32(8000*i))
	}
	got := h.ended(id)
	h.wants(got, "completed", "flow-ended")
	if got.Variables["pin"] != "442" {
		t.Errorf("the flow got %v, want pin 442; turns %v", got.Variables, got.Turns)
	}
}

// TestPeerHold has the peer hold the call and take it back: meanwhile nothing
// is sent to it, and the call goes on.
func TestPeerHold(t *testing.T) {
	t.Parallel()
	const held = time.Second
	h := open(t, setup{})
	agent := h.agent(nil, pause("rest", 2.5, "bye"), bye(""))
	media := newRTPPeer(t, nil)
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.Hold, Pause: held, Media: media.addr})
	got := h.ended(h.dial(p, nil, agent))
	h.wants(got, "completed", "flow-ended")
	var answers []siptest.Message // of ours to the re-INVITEs
	for _, m := range p.Messages() {
		if m.Received && m.Is("200") {
			answers = append(answers, m)
		}
	}
	if len(answers) != 2 {
		t.Fatalf("%d re-INVITEs were answered 200, want 2", len(answers))
	}
	const slack = 100 * time.Millisecond
	from, to := answers[0].At.Add(slack), answers[1].At.Add(-slack)
	during, after := 0, 0
	for _, packet := range media.got() {
		switch {
		case packet.at.After(from) && packet.at.Before(to):
			during++
		case packet.at.After(answers[1].At):
			after++
		}
	}
	if during != 0 || after < 25 {
		t.Errorf("%d packets while on hold and %d after it; want 0 and at least 25", during, after)
	}
	h.recordedWhole(got)
}
