package engine

import (
	"context"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip"
	"github.com/callwright/callwright/internal/sip/siptest"
	"github.com/callwright/callwright/internal/trunk"
)

func phone(t *testing.T) *sip.UA {
	t.Helper()
	u, err := sip.New(sip.Options{Listen: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.Close() }) // nothing was sent that counts
	return u
}

// TestTrunksAreKeptUp follows the trunks of a database as they come, change and
// go.
func TestTrunksAreKeptUp(t *testing.T) {
	ours, theirs := phone(t), phone(t)
	registrar := siptest.UAS(t, siptest.Scenario{Name: siptest.Registrar, User: "alice", Password: "secret"})
	registers := domain.Trunk{ID: "registers", Host: registrar.Addr.String(), Username: "alice", Password: "secret", Register: true}
	watched := domain.Trunk{ID: "watched", Host: theirs.Addr().String()}
	var list atomic.Pointer[[]domain.Trunk]
	list.Store(&[]domain.Trunk{registers, watched, {ID: "sandbox"}})
	k := &trunks{
		list: func(context.Context) ([]domain.Trunk, error) { return *list.Load(), nil },
		route: func(_ context.Context, tr domain.Trunk, _ string) (trunk.Route, error) {
			if tr.Host == "" {
				return trunk.Route{}, nil
			}
			return trunk.Route{Server: "sip:" + tr.Host}, nil
		},
		ua: ours, log: slog.New(slog.DiscardHandler),
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan struct{})
	go func() { k.run(ctx); close(ended) }()
	become := func(id domain.ID, want domain.TrunkState) {
		t.Helper()
		var s domain.TrunkStatus
		for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if s, _ = k.TrunkStatus(id); s.State == want {
				return
			}
		}
		t.Fatalf("trunk %s is %+v, want %q", id, s, want)
	}
	become("registers", domain.TrunkRegistered)
	become("watched", domain.TrunkUp)
	if at := k.server("registers").Addr; at != registrar.Addr {
		t.Errorf("calls go to %v first, want where we are registered", at)
	}
	if k.server("watched").Addr.IsValid() || k.server("nowhere").Addr.IsValid() {
		t.Error("calls of trunks that do not register go somewhere first")
	}
	if s, known := k.TrunkStatus("sandbox"); known {
		t.Errorf("the sandbox is %+v, want nothing known", s)
	}
	// One goes, the other one's server has become a place that cannot be.
	watched.Host = "127.0.0.1;transport=ws"
	list.Store(&[]domain.Trunk{watched})
	become("registers", "")
	become("watched", domain.TrunkFailed)
	registrar.Expect("REGISTER", 3, 5*time.Second) // the last takes it back
	stop()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the trunks are kept up for ever")
	}
	if _, known := k.TrunkStatus("watched"); known {
		t.Error("a trunk is known after the end")
	}
}
