package engine

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/sip"
	"github.com/callwright/callwright/internal/sip/upkeep"
	"github.com/callwright/callwright/internal/trunk"
)

// trunksEvery is how often the trunks are looked at for changes.
const trunksEvery = 3 * time.Second

// firstQuestion is how long a trunk that is new here is left alone.
const firstQuestion = 10 * time.Second

// trunks keeps the SIP trunks up: it registers with those that want that, and
// asks the others whether they are there.
type trunks struct {
	list  func(context.Context) ([]domain.Trunk, error) // those that are this process's to keep up
	route func(context.Context, domain.Trunk, string) (trunk.Route, error)
	ua    *sip.UA
	log   *slog.Logger

	first time.Duration // before a new trunk is asked: its first call often comes at once, and says more

	mu      sync.Mutex
	kept    map[domain.ID]*kept
	carried map[domain.ID]int // answered calls over each trunk
	closing sync.WaitGroup
}

// kept is one trunk that is kept up, by one of both.
type kept struct {
	as        terms
	registrar *upkeep.Registrar
	watcher   *upkeep.Watcher
	broken    string // why neither could be begun
	since     time.Time
}

// terms are what keeping a trunk up depends on.
type terms struct {
	server, username, password string
	register                   bool
}

// run keeps the trunks of the database up until ctx is done, then takes the
// registrations back: the carrier is to send its calls elsewhere.
func (t *trunks) run(ctx context.Context) {
	tick := time.NewTicker(trunksEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		if list, err := t.list(ctx); err == nil {
			t.keep(ctx, list)
		} else if ctx.Err() == nil {
			t.log.Warn("the trunks could not be read; they are kept as they were", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	t.keep(ctx, nil)
	t.closing.Wait()
}

// keep makes the trunks in list, and no others, those that are kept up.
func (t *trunks) keep(ctx context.Context, list []domain.Trunk) {
	want := map[domain.ID]terms{}
	for _, one := range list {
		route, err := t.route(ctx, one, one.Username)
		if err != nil || route.Server == "" {
			continue // whoever dials it is told why
		}
		want[one.ID] = terms{server: route.Server, username: one.Username, password: one.Password, register: one.Register}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, k := range t.kept {
		if as, still := want[id]; !still || as != k.as {
			delete(t.kept, id)
			t.closing.Go(k.close)
		}
	}
	for id, as := range want {
		if t.kept[id] == nil {
			if t.kept == nil {
				t.kept = map[domain.ID]*kept{}
			}
			t.kept[id] = t.begin(id, as)
		}
	}
}

func (t *trunks) begin(id domain.ID, as terms) *kept {
	k := &kept{as: as, since: time.Now()}
	var err error
	if as.register {
		k.registrar, err = upkeep.Registration{UA: t.ua, Server: as.server, User: as.username, Password: as.password, Logger: t.log}.Start()
	} else {
		k.watcher, err = upkeep.Watch{
			UA: t.ua, URI: as.server, First: t.first, Busy: func() bool { return t.busy(id) }, Logger: t.log,
		}.Start()
	}
	if err != nil {
		t.log.Error("a trunk cannot be kept up", "trunk", id, "err", err)
		k.broken = err.Error()
	}
	return k
}

// carry counts an answered call over a trunk until the returned function is
// called.
func (t *trunks) carry(id domain.ID) (over func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.carried == nil {
		t.carried = map[domain.ID]int{}
	}
	t.carried[id]++
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.carried[id]--; t.carried[id] == 0 {
			delete(t.carried, id)
		}
	}
}

func (t *trunks) busy(id domain.ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.carried[id] > 0
}

func (k *kept) close() {
	if k.registrar != nil {
		k.registrar.Close()
	}
	if k.watcher != nil {
		k.watcher.Close()
	}
}

// server returns the server that calls over a trunk go to first: the one where
// it is registered. The zero value is none.
func (t *trunks) server(id domain.ID) sip.Server {
	t.mu.Lock()
	k := t.kept[id]
	t.mu.Unlock()
	if k == nil {
		return sip.Server{}
	}
	return k.registrar.Server()
}

// TrunkStatus tells how a trunk stands.
func (t *trunks) TrunkStatus(id domain.ID) (domain.TrunkStatus, bool) {
	t.mu.Lock()
	k := t.kept[id]
	t.mu.Unlock()
	switch {
	case k == nil:
		return domain.TrunkStatus{}, false
	case k.registrar != nil:
		s := k.registrar.Status()
		return domain.TrunkStatus{State: domain.TrunkState(s.State), Since: s.Since.UTC(), Error: s.Error}, true
	case k.watcher != nil:
		s := k.watcher.Status()
		out := domain.TrunkStatus{State: domain.TrunkDown, Since: s.Since.UTC(), Error: s.Error}
		if s.Up {
			out.State = domain.TrunkUp
		}
		return out, s.Known
	}
	return domain.TrunkStatus{State: domain.TrunkFailed, Since: k.since.UTC(), Error: k.broken}, true
}

var _ domain.TrunkStates = (*trunks)(nil)
