package app_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip/siptest"
)

// standing waits until a trunk's status in the API is the wanted one.
func (h *house) standing(trunk domain.ID, want string) (why string) {
	h.Helper()
	var got struct {
		Status struct {
			State, Error string
			Since        time.Time
		}
	}
	for deadline := time.Now().Add(callLimit); time.Now().Before(deadline); time.Sleep(250 * time.Millisecond) { // 300 requests a minute are allowed
		h.must("GET", "/trunks/"+string(trunk), nil, &got)
		if got.Status.State == want {
			if age := time.Since(got.Status.Since); age < 0 || age > callLimit {
				h.Errorf("trunk %s has been %s since %v", trunk, want, got.Status.Since)
			}
			return got.Status.Error
		}
	}
	h.Fatalf("trunk %s is %+v, want %s", trunk, got.Status, want)
	return ""
}

// TestPeerRegistrar registers trunks, one with a wrong password.
func TestPeerRegistrar(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	trunk := func(password string) domain.ID {
		p := siptest.UAS(t, siptest.Scenario{Name: siptest.Registrar, User: "alice", Password: "secret"})
		return h.trunkTo(p.Addr, map[string]any{"username": "alice", "password": password, "register": true})
	}
	good, bad := trunk("secret"), trunk("guess")
	if why := h.standing(good, "registered"); why != "" {
		t.Errorf("registered, and %s", why)
	}
	if why := h.standing(bad, "failed"); !strings.Contains(why, "username or password") {
		t.Errorf("a wrong password is told as %q", why)
	}
}

// TestPeerTLS calls a phone of another maker over TLS.
func TestPeerTLS(t *testing.T) {
	t.Parallel()
	ca := siptest.NewAuthority(t)
	h := open(t, setup{ca: ca.File()})
	phone := siptest.StartBaresip(t, siptest.BaresipOptions{User: "+12025550123", Transport: "tls", Certificate: ca.Files("127.0.0.1"), CAs: ca.File()})
	secure := netip.AddrPortFrom(phone.Addr.Addr(), phone.Addr.Port()+1)
	trunk := h.trunkTo(secure, map[string]any{"transport": "tls"})
	h.standing(trunk, "up")
	agent := h.agent(nil, bye("one two"))
	h.wants(h.ended(h.place(agent, h.number(trunk, agent, 1), "+12025550123")), "completed", "flow-ended")
	phone.Expect(siptest.BaresipClosed, 1, 5*time.Second)
	// A phone that nobody vouches for is not called.
	stranger := siptest.NewAuthority(t)
	other := siptest.StartBaresip(t, siptest.BaresipOptions{User: "+12025550124", Transport: "tls", Certificate: stranger.Files("127.0.0.1"), CAs: ca.File()})
	refused := h.trunkTo(netip.AddrPortFrom(other.Addr.Addr(), other.Addr.Port()+1), map[string]any{"transport": "tls"})
	h.wants(h.ended(h.place(agent, h.number(refused, agent, 2), "+12025550124")), "failed", "unreachable")
}
