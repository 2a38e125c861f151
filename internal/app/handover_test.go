package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip/siptest"
	"github.com/callwright/callwright/internal/speech/speechtest"
)

// transferTo is an agent that hands the caller over to a number.
func (h *house) transferTo(to, mode string) domain.ID {
	h.Helper()
	return h.agent(nil,
		map[string]any{"id": "over", "type": "transfer", "text": sung, "to": to, "mode": mode, "ringSeconds": 3,
			"edges": []any{map[string]any{"to": "sorry", "kind": "failure"}}},
		map[string]any{"id": "sorry", "type": "end", "text": "sorry"})
}

// attempt is what these tests read of a call's legs.
type attempt struct{ Kind, Number, State, EndReason string }

func (h *house) attempts(id domain.ID) []attempt {
	h.Helper()
	var c struct{ Attempts []attempt }
	h.must("GET", "/calls/"+string(id), nil, &c)
	return c.Attempts
}

// TestTransferBridge hands a caller over to a second peer: each hears the other,
// and the recording has both.
func TestTransferBridge(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	target := siptest.UAS(t, siptest.Scenario{Name: siptest.Tone, Hertz: 1000})
	h.number(h.trunkTo(target.Addr, nil), h.transferTo("+12025550123", ""), 1)
	b := siptest.StartBaresip(t, siptest.BaresipOptions{User: "caller", Hertz: 600})
	h.dials(b, "+12025550001")
	b.Expect(siptest.BaresipEstablished, 1, callLimit)
	made := h.inbound(1)[0]
	target.Expect("ACK", 1, callLimit)
	b.HearTone(1000, callLimit)
	time.Sleep(time.Second) // they talk
	if n := target.Received("BYE"); n != 0 {
		t.Fatalf("the target was hung up while they talked")
	}
	b.Hangup()
	target.Expect("BYE", 1, 5*time.Second)
	got := h.ended(made.ID)
	h.wants(got, "completed", "transferred")
	legs := h.attempts(made.ID)
	if len(legs) != 2 || legs[0].Kind != "incoming" || legs[1] != (attempt{"transfer", "+12025550123", "ended", "transferred"}) {
		t.Errorf("the legs are %+v", legs)
	}
	left, right := h.recording(got)
	hears(t, "left", left, 600, 1000)
	hears(t, "right", right, 1000, 600)
	hears(t, "right", right, speechtest.Pitch("", sung), 600)
	h.recordedWhole(got)
	if len(got.Turns) != 1 || got.Turns[0].Text != sung {
		t.Errorf("turns %v: the agent's words and no other are expected", got.Turns)
	}
}

// TestTransferEndings hands callers over to peers who end it each in a way of
// their own.
func TestTransferEndings(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for i, c := range []struct {
		name, to         string
		peer             siptest.Scenario
		reason, leg      string
		invites, cancels int
	}{
		{"hangs up", "+12025550101", siptest.Scenario{Name: siptest.Hangup, Pause: 700 * time.Millisecond}, "transferred", "transferred", 1, 0},
		{"busy", "+12025550102", siptest.Scenario{Name: siptest.Busy}, "flow-ended", "busy", 1, 0},
		{"no answer", "+12025550103", siptest.Scenario{Name: siptest.NoAnswer}, "flow-ended", "no-answer", 1, 1},
		{"premium", "+19005550104", siptest.Scenario{Name: siptest.Answer}, "flow-ended", "", 0, 0},
		{"no number", "front desk", siptest.Scenario{Name: siptest.Answer}, "flow-ended", "", 0, 0},
		{"foreign address", "sip:desk@192.0.2.7", siptest.Scenario{Name: siptest.Answer}, "flow-ended", "", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := *h
			h.T = t
			target := siptest.UAS(t, c.peer)
			h.number(h.trunkTo(target.Addr, nil), h.transferTo(c.to, ""), i)
			p := siptest.UAC(t, h.app.SIPAddr(), siptest.Scenario{Name: siptest.CallWaits, To: "+1202555000" + string(rune('0'+i))})
			p.Wait(callLimit)
			made := h.inbound(i + 1)[0]
			got := h.ended(made.ID)
			h.wants(got, "completed", c.reason)
			if n := target.Received("INVITE"); n != c.invites {
				t.Errorf("the target got %d INVITEs, want %d", n, c.invites)
			}
			if c.cancels > 0 {
				target.Expect("CANCEL", c.cancels, 2*time.Second)
			}
			leg := ""
			if legs := h.attempts(made.ID); len(legs) == 2 {
				leg = legs[1].EndReason
			}
			if leg != c.leg {
				t.Errorf("the second leg ended for %q, want %q; notes %q", leg, c.leg, got.Notes)
			}
			if c.reason == "flow-ended" && (len(got.Turns) != 2 || got.Turns[1].Text != "sorry" || len(got.Notes) == 0) {
				t.Errorf("turns %v, notes %q; want the way for failures, and a note", got.Turns, got.Notes)
			}
		})
	}
}

// TestTransferRefer has a phone call the target itself.
func TestTransferRefer(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	target := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
	h.number(h.trunkTo(target.Addr, nil), h.transferTo("+12025550123", "refer"), 1)
	b := siptest.StartBaresip(t, siptest.BaresipOptions{User: "caller"})
	h.dials(b, "+12025550001")
	target.Expect("INVITE", 1, callLimit)
	for _, m := range target.Messages() {
		if m.Received && m.Is("INVITE") && !strings.Contains(m.Header("From"), "caller@") {
			t.Errorf("the target was called by %s, want the caller itself", m.Header("From"))
		}
	}
	h.wants(h.ended(h.inbound(1)[0].ID), "completed", "transferred")
}

// TestControl tells a live call what to do, over the API.
func TestControl(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	target := siptest.UAS(t, siptest.Scenario{Name: siptest.Tone, Hertz: 1000})
	busy := siptest.UAS(t, siptest.Scenario{Name: siptest.Busy})
	agent := h.agent(nil, lasting(60)...)
	h.trunkTo(busy.Addr, nil)
	h.number(h.trunkTo(target.Addr, nil), agent, 1)
	b := siptest.StartBaresip(t, siptest.BaresipOptions{User: "caller", Hertz: 600})
	h.dials(b, "+12025550001")
	b.Expect(siptest.BaresipEstablished, 1, callLimit)
	id := h.inbound(1)[0].ID
	h.reaches(id, "in-progress")
	tell := func(want int, verb string, body any) {
		t.Helper()
		if status, answer := h.request("POST", "/calls/"+string(id)+"/"+verb, body); status != want {
			t.Errorf("%s %v answered %d, want %d: %s", verb, body, status, want, answer)
		}
	}
	tell(200, "say", map[string]any{"text": sung})
	b.HearTone(speechtest.Pitch("", sung), callLimit)
	tell(400, "say", map[string]any{"text": " "})
	tell(200, "dtmf", map[string]any{"digits": "7"})
	if e := b.Expect(siptest.BaresipDigit, 1, callLimit); e.Param != "7" {
		t.Errorf("the phone heard the key %q", e.Param)
	}
	tell(400, "dtmf", map[string]any{"digits": "x"})
	tell(200, "hold", nil)
	offered(t, b, "a=sendonly")
	tell(200, "hold", nil) // it holds already
	tell(200, "resume", nil)
	offered(t, b, "a=sendrecv")
	tell(400, "transfer", map[string]any{"to": "+12025550123", "mode": "smoke"})
	tell(403, "transfer", map[string]any{"to": "+19005550123"})
	tell(200, "transfer", map[string]any{"to": "sip:desk@" + busy.Addr.String()})
	busy.Expect("ACK", 1, callLimit)
	var again int
	for deadline := time.Now().Add(callLimit); again != 200 && time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		again, _ = h.request("POST", "/calls/"+string(id)+"/transfer", map[string]any{"to": "+12025550123"})
	}
	target.Expect("ACK", 1, callLimit)
	time.Sleep(time.Second) // they talk
	tell(409, "hold", nil)
	tell(200, "hangup", nil)
	target.Expect("BYE", 1, callLimit)
	got := h.ended(id)
	h.wants(got, "completed", "agent-hangup")
	_, right := h.recording(got)
	hears(t, "the phone", right, 1000, 600)
	tell(409, "say", map[string]any{"text": "anybody?"})
	if len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "486") {
		t.Errorf("notes %q, want one of the target that was busy", got.Notes)
	}
}

// offered waits until the last INVITE that a phone got has the attribute.
func offered(t *testing.T, b *siptest.Baresip, attribute string) {
	t.Helper()
	last := ""
	for deadline := time.Now().Add(callLimit); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		for _, m := range b.Messages() {
			if m.Received && m.Is("INVITE") {
				last = m.Text
			}
		}
		if strings.Contains(last, attribute) {
			return
		}
	}
	t.Fatalf("no INVITE with %s came; the last was\n%s", attribute, last)
}
