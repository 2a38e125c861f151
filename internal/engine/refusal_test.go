package engine

import (
	"context"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/sip"
	"github.com/callwright/callwright/internal/sip/siptest"
)

// TestRefusalOfAPeer has a foreign phone refuse a call: the reason and the time
// that it asks for are what the verdict is made of.
func TestRefusalOfAPeer(t *testing.T) {
	ua, err := sip.New(sip.Options{Listen: netip.MustParseAddrPort("127.0.0.1:0"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ua.Close(); err != nil {
			t.Error(err)
		}
	})
	e := &Engine{o: Options{Ring: 20 * time.Second, Observer: domain.Observers{}}, ua: ua}
	for _, want := range []struct {
		peer   siptest.Scenario
		reason domain.EndReason
		retry  time.Duration
	}{
		{siptest.Scenario{Name: siptest.Unavailable}, domain.EndCongestion, 7 * time.Second},
		{siptest.Scenario{Name: siptest.Refuse, Status: 302}, domain.EndMoved, 0},
		{siptest.Scenario{Name: siptest.Refuse, Status: 607}, domain.EndBlocked, 0},
	} {
		peer := siptest.UAS(t, want.peer)
		ctx, cancel := context.WithCancelCause(context.Background())
		c := &call{engine: e, dial: &service.Dial{}, log: slog.New(slog.DiscardHandler), ctx: ctx, cancel: cancel}
		reason, answered := c.ring(sip.Invite{URI: "sip:+12025550100@" + peer.Addr.String(), From: "+12025550199", Body: []byte("v=0\r\n")})
		cancel(nil)
		if answered || reason != want.reason || c.retry != want.retry {
			t.Errorf("%s %d: %s after %s, answered: %t; want %s after %s", want.peer.Name, want.peer.Status, reason, c.retry, answered, want.reason, want.retry)
		}
	}
}
