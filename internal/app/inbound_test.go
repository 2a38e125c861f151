package app_test

import (
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip/siptest"
)

// loopback makes a trunk over which callers of this machine come in; more are
// further fields.
func (h *house) loopback(more map[string]any) domain.ID {
	h.Helper()
	body := map[string]any{"name": "in", "host": "127.0.0.1", "codecs": []string{"PCMU", "PCMA"}}
	for k, v := range more {
		body[k] = v
	}
	var made object
	h.post("/trunks", body, &made)
	return made.ID
}

// inbound waits until n calls have come in, and returns them, newest first.
func (h *house) inbound(n int) []call {
	h.Helper()
	var page struct{ Calls []call }
	for deadline := time.Now().Add(callLimit); time.Now().Before(deadline); time.Sleep(250 * time.Millisecond) { // 300 requests a minute are allowed
		if h.must("GET", "/calls?direction=inbound&limit=200", nil, &page); len(page.Calls) >= n {
			return page.Calls
		}
	}
	h.Fatalf("%d calls have come in, want %d", len(page.Calls), n)
	return nil
}

// TestInbound is called by sipp: the number's agent answers, talks and hangs up,
// or the caller does.
func TestInbound(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	agent := h.agent(nil, say("hello", "one two three", "rest"), pause("rest", 30, "bye"), bye("bye"))
	brief := h.agent(nil, bye("one two"))
	trunk := h.loopback(nil)
	h.number(trunk, agent, 1)
	h.number(trunk, brief, 2)
	for _, c := range []struct {
		name, to, reason string
		pause            time.Duration
	}{
		{siptest.Call, "+12025550001", "caller-hangup", 1500 * time.Millisecond},
		{siptest.CallWaits, "+12025550002", "flow-ended", 0},
		{siptest.CallWaits, "2025550002", "flow-ended", 0}, // as it is dialed in its country
		{siptest.CallNoOffer, "+12025550002", "flow-ended", 0},
	} {
		media := newRTPPeer(t, nil)
		p := siptest.UAC(t, h.app.SIPAddr(), siptest.Scenario{
			Name: c.name, To: c.to, From: "+4722000001", Pause: c.pause, Media: media.addr,
		})
		p.Wait(callLimit)
		made := h.inbound(1)[0]
		got := h.ended(made.ID)
		h.wants(got, "completed", c.reason)
		exact := h.exact(made.ID)
		if exact.Direction != domain.Inbound || exact.From != "+4722000001" || exact.To != "+1202555000"+c.to[len(c.to)-1:] {
			t.Errorf("%s: a call from %s to %s, %s", c.to, exact.From, exact.To, exact.Direction)
		}
		if exact.RingingAt.IsZero() || exact.AnsweredAt.IsZero() || exact.SIPCallID == "" {
			t.Errorf("%s: %+v", c.to, exact)
		}
		if len(got.Turns) == 0 || got.Turns[0].Role != "agent" {
			t.Errorf("%s: turns %v, want what the agent said", c.to, got.Turns)
		}
		if n := len(media.got()); n < 10 {
			t.Errorf("%s: %d packets of sound came, want those of what was said", c.to, n)
		}
		for _, must := range []string{"100", "180", "200"} {
			if p.Received(must) == 0 {
				t.Errorf("%s: the caller got no %s", c.to, must)
			}
		}
		h.recordedWhole(got)
	}
}

// TestInboundRefused calls where nobody answers.
func TestInboundRefused(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	trunk := h.loopback(nil)
	var plain object
	h.post("/phone-numbers", map[string]any{"number": "+12025550010", "trunkId": trunk}, &plain)
	off := h.agent(map[string]any{"isActive": false}, bye("one"))
	h.number(trunk, off, 11)
	cases := []struct {
		name, to string
		status   int
	}{
		{"a number that is nobody's", "+12025559999", 404},
		{"no number at all", "operator", 404},
		{"a number without an agent", "+12025550010", 480},
		{"an agent that is off", "+12025550011", 480},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			siptest.UAC(t, h.app.SIPAddr(), siptest.Scenario{Name: siptest.CallRefused, To: c.to, Status: c.status}).Wait(callLimit)
		})
	}
	if n := len(h.inbound(0)); n != 0 {
		t.Errorf("%d calls are kept of callers who were refused", n)
	}
}

// TestInboundCancel gives up while the agent is still being prepared.
func TestInboundCancel(t *testing.T) {
	t.Parallel()
	h := open(t, setup{slow: 2 * time.Second})
	agent := h.agent(nil, say("hello", "one two three", "rest"), pause("rest", 30, "bye"), bye("bye"))
	h.number(h.loopback(nil), agent, 1)
	p := siptest.UAC(t, h.app.SIPAddr(), siptest.Scenario{Name: siptest.CallCancel, To: "+12025550001"})
	p.Wait(callLimit)
	h.wants(h.ended(h.inbound(1)[0].ID), "failed", "canceled")
}

// TestInboundLimits has more callers than a trunk carries.
func TestInboundLimits(t *testing.T) {
	t.Parallel()
	const most = 3
	h := open(t, setup{})
	agent := h.agent(nil, lasting(30)...)
	h.number(h.loopback(map[string]any{"maxCalls": most}), agent, 1)
	for range most {
		siptest.UAC(t, h.app.SIPAddr(), siptest.Scenario{Name: siptest.Call, To: "+12025550001", Pause: 20 * time.Second})
	}
	for _, c := range h.inbound(most) {
		h.reaches(c.ID, "in-progress")
	}
	siptest.UAC(t, h.app.SIPAddr(), siptest.Scenario{Name: siptest.CallRefused, To: "+12025550001", Status: 486}).Wait(callLimit)
	if n := len(h.inbound(most)); n != most {
		t.Errorf("%d calls came in, want %d", n, most)
	}
}

// TestInboundStrangers calls from an address that no trunk names.
func TestInboundStrangers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		strangers string
		scenario  siptest.Scenario
	}{
		{"refuse", siptest.Scenario{Name: siptest.CallRefused, Status: 403}},
		{"answer", siptest.Scenario{Name: siptest.CallWaits}},
	} {
		h := open(t, setup{strangers: c.strangers})
		h.number(h.loopback(map[string]any{"host": "192.0.2.1"}), h.agent(nil, bye("one")), 1)
		c.scenario.To = "+12025550001"
		siptest.UAC(t, h.app.SIPAddr(), c.scenario).Wait(callLimit)
	}
	h := open(t, setup{})
	h.number(h.loopback(map[string]any{"host": "192.0.2.1"}), h.agent(nil, bye("one")), 1)
	p := siptest.UAC(t, h.app.SIPAddr(), siptest.Scenario{Name: siptest.CallWaits, To: "+12025550001"})
	time.Sleep(1500 * time.Millisecond)
	for _, m := range p.Messages() {
		if m.Received {
			t.Errorf("a stranger got the answer %q", m.StartLine)
		}
	}
}
