package app_test

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip/siptest"
)

// TestPeerEndings calls peers that end the call each in a way of their own.
func TestPeerEndings(t *testing.T) {
	t.Parallel()
	h := open(t, setup{ring: 1500 * time.Millisecond})
	agent := h.agent(nil, say("hello", "one two three", "rest"), pause("rest", 30, "bye"), bye("bye"))
	cases := []struct {
		name           string
		peer           siptest.Scenario
		status, reason string
		acks           int // that the peer gets
	}{
		{"hangs up", siptest.Scenario{Name: siptest.Hangup, Pause: 600 * time.Millisecond}, "completed", "caller-hangup", 1},
		{"busy", siptest.Scenario{Name: siptest.Busy}, "failed", "busy", 1},
		{"busy everywhere", siptest.Scenario{Name: siptest.Refuse, Status: 600}, "failed", "busy", 1},
		{"declines", siptest.Scenario{Name: siptest.Decline}, "failed", "declined", 1},
		{"not found", siptest.Scenario{Name: siptest.NotFound}, "failed", "invalid-number", 1},
		{"not there now", siptest.Scenario{Name: siptest.Refuse, Status: 480}, "failed", "no-answer", 1},
		{"no codec", siptest.Scenario{Name: siptest.Refuse, Status: 488}, "failed", "media-not-agreed", 1},
		{"blocked", siptest.Scenario{Name: siptest.Refuse, Status: 608}, "failed", "blocked", 1},
		{"overloaded", siptest.Scenario{Name: siptest.Unavailable}, "failed", "congestion", 1},
		{"redirects", siptest.Scenario{Name: siptest.Refuse, Status: 302}, "failed", "moved", 1},
		{"rings on", siptest.Scenario{Name: siptest.NoAnswer}, "failed", "no-answer", 1},
		{"answers too late", siptest.Scenario{Name: siptest.LateAnswer}, "failed", "no-answer", 1},
		{"answers another codec", siptest.Scenario{Name: siptest.Answer, PCMA: true}, "failed", "media-not-agreed", 1},
	}
	peers, calls := make([]*siptest.Peer, len(cases)), make([]domain.ID, len(cases))
	for i, c := range cases {
		peers[i] = siptest.UAS(t, c.peer)
		from := h.number(h.trunkTo(peers[i].Addr, map[string]any{"codecs": []string{"PCMU"}}), agent, i)
		calls[i] = h.place(agent, from, "+1202555010"+string(rune('0'+i%10))+"")
		if i >= 10 { // numbers differ, for only one call goes to each at a time
			h.ended(calls[i-10])
		}
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			mine := *h
			mine.T = t
			got := mine.ended(calls[i])
			mine.wants(got, c.status, c.reason)
			peers[i].Expect("ACK", c.acks, 2*time.Second)
			if n := peers[i].Received("INVITE"); n != 1 {
				t.Errorf("the peer received %d INVITEs, want 1", n)
			}
			switch c.peer.Name {
			case siptest.NoAnswer, siptest.LateAnswer:
				peers[i].Expect("CANCEL", 1, 2*time.Second)
			}
			switch c.peer.Name {
			case siptest.LateAnswer, siptest.Answer:
				peers[i].Expect("BYE", 1, 2*time.Second)
			}
			if c.status == "completed" && (got.Duration != 0 || len(got.Turns) != 1 || !strings.HasPrefix("one two three", got.Turns[0].Text)) {
				t.Errorf("%v seconds, turns %v; want 0 and one turn", got.Duration, got.Turns)
			}
			if c.status == "failed" && (!got.AnsweredAt.IsZero() || got.RecordingURL != "") {
				t.Errorf("answered at %v, recording %q; want neither", got.AnsweredAt, got.RecordingURL)
			}
		})
	}
}

// TestPeerEarlyMedia calls a peer that sends sound before it answers: the agent
// speaks when it is answered, and not before.
func TestPeerEarlyMedia(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.EarlyMedia, Pause: 400 * time.Millisecond})
	got := h.ended(h.dial(p, nil, h.agent(nil, bye("one two"))))
	h.wants(got, "completed", "flow-ended")
	exact := h.exact(got.ID)
	if rang := exact.AnsweredAt.Sub(exact.RingingAt); rang < 300*time.Millisecond {
		t.Errorf("it was answered %v after the early media, want 400 ms", rang)
	}
	if len(got.Turns) != 1 || got.Turns[0].Text != "one two" {
		t.Errorf("turns %v", got.Turns)
	}
}

// TestPeerNobody calls addresses where nobody is.
func TestPeerNobody(t *testing.T) {
	t.Parallel()
	h := open(t, setup{ring: 2 * time.Second})
	silent, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	gone, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	nobody := gone.LocalAddr().(*net.UDPAddr).AddrPort()
	_ = gone.Close() // now the system says that nobody listens
	agent := h.agent(nil, bye("bye"))
	for i, c := range []struct {
		name string
		at   netip.AddrPort
		most time.Duration
	}{
		{"silent", silent.LocalAddr().(*net.UDPAddr).AddrPort(), 4 * time.Second},
		{"refuses", nobody, 1500 * time.Millisecond},
	} {
		id := h.place(agent, h.number(h.trunkTo(c.at, nil), agent, i), "+12025550123")
		got := h.ended(id)
		h.wants(got, "failed", "unreachable")
		exact := h.exact(id)
		if took := exact.EndedAt.Sub(exact.CreatedAt); took > c.most {
			t.Errorf("%s: over after %v, want at most %v", c.name, took, c.most)
		}
	}
}

// TestPeerDigest calls over trunks that ask who we are.
func TestPeerDigest(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	agent := h.agent(nil, bye("one two"))
	for i, c := range []struct {
		scenario, user, password, status, reason string
	}{
		{siptest.Digest407, "alice", "secret", "completed", "flow-ended"},
		{siptest.Digest401, "alice", "secret", "completed", "flow-ended"},
		{siptest.Digest401, "alice", "wrong", "failed", "trunk-error"},
		{siptest.Digest407, "", "", "failed", "trunk-error"},
	} {
		p := siptest.UAS(t, siptest.Scenario{Name: c.scenario, User: "alice", Password: "secret"})
		trunk := h.trunkTo(p.Addr, map[string]any{"username": c.user, "password": c.password})
		h.wants(h.ended(h.place(agent, h.number(trunk, agent, i), "+12025550123")), c.status, c.reason)
		want := 2
		if c.user == "" {
			want = 1
		}
		if got := p.Received("INVITE"); got != want {
			t.Errorf("%s %q: %d INVITEs, want %d", c.scenario, c.user, got, want)
		}
	}
}

// TestPeerMaxDuration has calls end when they have lasted long enough.
func TestPeerMaxDuration(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
	agent := h.agent(map[string]any{"maxCallDuration": 2}, say("hello", "one", "rest"), pause("rest", 30, "bye"), bye("bye"))
	got := h.ended(h.dial(p, nil, agent))
	h.wants(got, "completed", "max-duration")
	p.Expect("BYE", 1, time.Second)
	var acked, hungUp time.Time
	for _, m := range p.Messages() {
		switch {
		case m.Received && m.Is("ACK"):
			acked = m.At
		case m.Received && m.Is("BYE"):
			hungUp = m.At
		}
	}
	if lasted := hungUp.Sub(acked); (lasted - 2*time.Second).Abs() > 500*time.Millisecond {
		t.Errorf("hung up %v after the answer, want 2s ± 500ms", lasted)
	}
}

// TestPeerCancel cancels calls over the API at each stage of their life.
func TestPeerCancel(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	agent := h.agent(nil, say("hello", "one", "rest"), pause("rest", 30, "bye"), bye("bye"))
	answers, rings := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer}), siptest.UAS(t, siptest.Scenario{Name: siptest.NoAnswer})
	one := h.number(h.trunkTo(answers.Addr, map[string]any{"maxCalls": 1}), agent, 1)
	cancel := func(id domain.ID) int {
		status, _ := h.request("POST", "/calls/"+string(id)+"/cancel", nil)
		return status
	}
	live := h.place(agent, one, "+12025550101")
	h.reaches(live, "in-progress")
	waits := h.place(agent, one, "+12025550102")
	time.Sleep(200 * time.Millisecond) // it was claimed, and put back, meanwhile
	if status := cancel(waits); status != 200 {
		t.Errorf("canceling a queued call answered %d", status)
	}
	if got := h.read(waits); got.Status != "failed" || got.EndReason != "canceled" {
		t.Errorf("the queued call is %s/%s, want failed/canceled", got.Status, got.EndReason)
	}
	h.hooks.exactly(t, waits, "call.failed") // it never started
	ringing := h.place(agent, h.number(h.trunkTo(rings.Addr, nil), agent, 2), "+12025550103")
	rings.Expect("INVITE", 1, 5*time.Second)
	if status := cancel(ringing); status != 200 {
		t.Errorf("canceling a ringing call answered %d", status)
	}
	h.wants(h.ended(ringing), "failed", "canceled")
	rings.Expect("CANCEL", 1, time.Second)
	if status := cancel(live); status != 200 {
		t.Errorf("canceling a live call answered %d", status)
	}
	h.wants(h.ended(live), "completed", "agent-hangup")
	answers.Expect("BYE", 1, time.Second)
	if n := answers.Received("INVITE"); n != 1 {
		t.Errorf("the peer received %d INVITEs, want 1: the canceled call was dialed", n)
	}
	if status := cancel(live); status != 409 {
		t.Errorf("canceling a call that is over answered %d, want 409", status)
	}
}
