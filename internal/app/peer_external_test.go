package app_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/config"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip/siptest"
)

// external is the address that these tests are reached at, as they say.
const external = "203.0.113.7"

// hostOf is the host of a URI or a Via.
func hostOf(value string) string {
	if _, rest, ok := strings.Cut(value, "sip:"); ok {
		value = rest
	} else if _, rest, ok := strings.Cut(value, " "); ok {
		value = rest
	}
	if _, rest, ok := strings.Cut(value, "@"); ok {
		value = rest
	}
	return value[:strings.IndexAny(value+";", ":;>")]
}

// shows asserts that whatever a peer received names the external address: its
// Via, its Contact, and both addresses of its SDP. It returns how many sessions
// were described.
func shows(t *testing.T, p *siptest.Peer) (sessions int) {
	t.Helper()
	for _, m := range p.Messages() {
		if !m.Received {
			continue
		}
		request := !strings.HasPrefix(m.StartLine, "SIP/2.0 ")
		if via := m.Header("Via"); request && hostOf(via) != external {
			t.Errorf("%s: Via %s", m.StartLine, via)
		}
		contact := m.Header("Contact")
		if contact != "" && hostOf(contact) != external || contact == "" && (m.Is("INVITE") || m.Is("180") || m.Is("200") && strings.HasSuffix(m.Header("CSeq"), "INVITE")) {
			t.Errorf("%s: Contact %q", m.StartLine, contact)
		}
		if !strings.Contains(m.Text, "application/sdp") {
			continue
		}
		sessions++
		lines := map[string]int{}
		for _, line := range strings.Split(m.Text, "\n") {
			line = strings.TrimSpace(line)
			if kind, _, _ := strings.Cut(line, "="); kind == "o" || kind == "c" {
				lines[kind]++
				if !strings.HasSuffix(line, "IN IP4 "+external) {
					t.Errorf("%s: %s", m.StartLine, line)
				}
			}
		}
		if lines["o"] != 1 || lines["c"] == 0 {
			t.Errorf("%s: its SDP has lines %v", m.StartLine, lines)
		}
	}
	return sessions
}

// flows asserts that sound went both ways: the peer heard a second of it, and the
// key that it pressed came.
func flows(t *testing.T, media *rtpPeer, got call) {
	t.Helper()
	if n := len(media.got()); n < 50 {
		t.Errorf("%d packets of sound came, want at least 50", n)
	}
	if got.Variables["pin"] != "4" {
		t.Errorf("the flow got %v, want pin 4; turns %v", got.Variables, got.Turns)
	}
}

// asks is a flow that talks until a key is pressed, and for a moment more.
func asks() []map[string]any {
	next := func(kind string) any { return map[string]any{"to": "more", "kind": kind} }
	return []map[string]any{
		{"id": "menu", "type": "dtmf", "text": sung, "variable": "pin", "terminator": "#", "max": 1, "timeoutSeconds": 15, "edges": []any{next("success"), next("else")}},
		say("more", sung, "bye"), bye(sung),
	}
}

// TestExternalAddress is a machine behind a router that forwards to it: peers are
// told the router's address from the first message to the last, whoever changes
// the call, and the sound goes where it went before.
func TestExternalAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, scenario string
		inbound, hold  bool // by us
		sessions       int  // that we describe
	}{
		{"we call and they hold", siptest.Hold, false, false, 3},
		{"we call and they ask for an offer", siptest.Move, false, false, 3},
		{"we call and hold", siptest.Held, false, true, 3},
		{"they call", siptest.CallWaits, true, false, 1},
		{"they call and have us offer", siptest.CallNoOffer, true, false, 1},
		{"they call and we hold", siptest.CallHeld, true, true, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, setup{tune: func(c *config.Config) { c.ExternalIP = external }})
			agent := h.agent(nil, asks()...)
			media := newRTPPeer(t, nil)
			scenario := siptest.Scenario{
				Name: c.scenario, Media: media.addr, Pause: 300 * time.Millisecond, To: "+12025550001",
				Keys: map[string]string{"other_port": strconv.Itoa(int(media.addr.Port()))},
			}
			var p *siptest.Peer
			var id domain.ID
			if c.inbound {
				h.number(h.loopback(nil), agent, 1)
				p = siptest.UAC(t, h.app.SIPAddr(), scenario)
				id = h.inbound(1)[0].ID
			} else {
				p = siptest.UAS(t, scenario)
				id = h.dial(p, map[string]any{"codecs": []string{"PCMU", "PCMA", "G722"}}, agent)
			}
			h.reaches(id, "in-progress")
			if c.hold {
				for _, verb := range []string{"hold", "resume"} {
					if status, answer := h.request("POST", "/calls/"+string(id)+"/"+verb, nil); status != 200 {
						t.Fatalf("%s answered %d: %s", verb, status, answer)
					}
				}
			}
			for deadline := time.Now().Add(callLimit); exchanged(p) < c.sessions && time.Now().Before(deadline); {
				time.Sleep(20 * time.Millisecond)
			}
			select {
			case <-media.came:
			case <-time.After(callLimit):
				t.Fatal("no sound came")
			}
			media.press(4, 1, 8000)
			got := h.ended(id)
			h.wants(got, "completed", "flow-ended")
			if c.inbound {
				p.Wait(callLimit)
			}
			p.Expect("BYE", 1, callLimit)
			flows(t, media, got)
			if n := shows(t, p); n != c.sessions {
				t.Errorf("%d sessions were described to the peer, want %d", n, c.sessions)
			}
		})
	}
}

// exchanged counts the ACKs that went over the wire of a peer, either way.
func exchanged(p *siptest.Peer) int {
	n := 0
	for _, m := range p.Messages() {
		if m.Is("ACK") {
			n++
		}
	}
	return n
}
