package carrier_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/callee"
	"github.com/callwright/callwright/internal/carrier"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/speech/speechtest"
	"github.com/callwright/callwright/internal/trunk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSIPRoutes(t *testing.T) {
	for _, c := range []struct {
		trunk domain.Trunk
		want  trunk.Route
	}{
		{domain.Trunk{Host: "sip.example.com"}, trunk.Route{URI: "sip:+15551234567@sip.example.com"}},
		{domain.Trunk{Host: "sip.example.com", Transport: "udp"}, trunk.Route{URI: "sip:+15551234567@sip.example.com"}},
		{domain.Trunk{Host: "10.1.2.3", Port: 5070, Transport: "tcp"}, trunk.Route{URI: "sip:+15551234567@10.1.2.3:5070;transport=tcp"}},
		{domain.Trunk{Host: "sip.example.com", Port: 5060}, trunk.Route{URI: "sip:+15551234567@sip.example.com"}},
		{domain.Trunk{Host: "sip.example.com", Port: 5061}, trunk.Route{URI: "sip:+15551234567@sip.example.com:5061"}},
		{domain.Trunk{Host: "sip.example.com", Port: 5061, Transport: "tls"}, trunk.Route{URI: "sip:+15551234567@sip.example.com;transport=tls"}},
		{domain.Trunk{Host: "pbx", Port: 5060}, trunk.Route{URI: "sip:+15551234567@pbx:5060"}},
		{domain.Trunk{Host: "10.1.2.3", Port: 5060}, trunk.Route{URI: "sip:+15551234567@10.1.2.3:5060"}},
		{domain.Trunk{Host: "2001:db8::1", Port: 5060}, trunk.Route{URI: "sip:+15551234567@[2001:db8::1]:5060"}},
		{domain.Trunk{Host: "2001:db8::1"}, trunk.Route{URI: "sip:+15551234567@[2001:db8::1]"}},
		{domain.Trunk{Host: "[2001:db8::1]", Port: 5061, Transport: "tls"}, trunk.Route{URI: "sip:+15551234567@[2001:db8::1]:5061;transport=tls"}},
		{domain.Trunk{Host: "h", Username: "me", Password: "secret"}, trunk.Route{URI: "sip:+15551234567@h", Username: "me", Password: "secret"}},
	} {
		got, err := carrier.SIP{}.Route(t.Context(), c.trunk, "+15551234567")
		_, server, _ := strings.Cut(c.want.URI, "@")
		c.want.Server = "sip:" + server
		if err != nil || got != c.want {
			t.Errorf("%+v, %v; want %+v", got, err, c.want)
		}
	}
	_, err := carrier.SIP{}.Route(t.Context(), domain.Trunk{ID: "t1"}, "+15551234567")
	if domain.CodeOf(err) != domain.CodeInvalid || !strings.Contains(err.Error(), "/api/v1/trunks/t1") {
		t.Errorf("without a host: %v", err)
	}
}

func TestSandboxStartsItsPhoneWithTheFirstCall(t *testing.T) {
	opened := 0
	s := carrier.NewSandbox(func() (*callee.Phone, error) {
		opened++
		return callee.Open(callee.Options{Listen: netip.MustParseAddrPort("127.0.0.1:0"), TTS: &speechtest.Tone{}})
	})
	if err := s.Close(); err != nil || opened != 0 {
		t.Errorf("a phone that nobody called: opened %d times, %v", opened, err)
	}
	routes := make([]string, 20)
	var callers sync.WaitGroup
	for i := range routes {
		callers.Go(func() {
			route, err := s.Route(context.Background(), domain.Trunk{}, "+15005550006")
			if err != nil {
				t.Error(err)
			}
			routes[i] = route.URI
		})
	}
	callers.Wait()
	for _, uri := range routes {
		if uri != routes[0] || !strings.HasPrefix(uri, "sip:+15005550006@127.0.0.1:") {
			t.Errorf("the number is at %s", uri)
		}
	}
	if opened != 1 {
		t.Errorf("%d phones", opened)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
}

func TestSandboxThatCannotStart(t *testing.T) {
	why := errors.New("no sockets are left")
	s := carrier.NewSandbox(func() (*callee.Phone, error) { return nil, why })
	for range 2 {
		if _, err := s.Route(t.Context(), domain.Trunk{}, "+15005550006"); !errors.Is(err, why) {
			t.Errorf("routed: %v", err)
		}
	}
}
