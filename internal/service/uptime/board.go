// Package uptime keeps the board of how the parts of the system are: it looks at
// them now and then, and remembers days and incidents.
package uptime

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// The rules of the board.
const (
	firstLook      = 100 * time.Millisecond // after the start
	boardEvery     = 30 * time.Second       // between two looks
	boardLimit     = 5 * time.Second        // for one check
	incidentFrom   = 3                      // failed checks in a row make an incident
	incidentsKept  = 100
	boardDays      = 90
	boardPruneEach = 120 // looks
)

// Check finds out how a component is.
type Check struct {
	Component domain.Component
	// Run returns the component's health; HealthUnknown counts neither way. The
	// error says for the log why it is not better.
	Run func(ctx context.Context) (domain.Health, error)
}

// Options are what a board needs.
type Options struct {
	Store  domain.Store
	Checks []Check
	Every  time.Duration    // between two looks; 0 is 30 s
	Now    func() time.Time // time.Now when nil
	Logger *slog.Logger     // slog.Default() when nil
}

// Board looks at the components every so often, keeps what it found, and opens
// and closes incidents. What it could not store it keeps in memory: it knows of
// the database's own outages.
type Board struct {
	o Options

	mu     sync.Mutex
	page   StatusPage
	lasted []domain.Incident // that are not stored, as of the last look

	// Of the goroutine that looks.
	health  map[domain.Component]domain.Health
	streaks map[domain.Component]*streak
	pending map[uptimeKey]domain.UptimeDay // counts that are not stored yet
	over    []domain.Incident              // that began and ended unstored
	broken  error                          // why the last write failed
	looks   int
	begun   bool // the time before this process was accounted for
}

type uptimeKey struct {
	component domain.Component
	day       time.Time
}

// streak is checks of one component that failed in a row.
type streak struct {
	failed      int
	since, last time.Time
	stored      bool // as an incident
}

// New returns a board that has not looked yet.
func New(o Options) *Board {
	if o.Every == 0 {
		o.Every = boardEvery
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &Board{
		o: o, health: map[domain.Component]domain.Health{}, streaks: map[domain.Component]*streak{}, pending: map[uptimeKey]domain.UptimeDay{},
	}
}

// Run looks until ctx is done. The first look waits a moment: a start has better
// things to do.
func (b *Board) Run(ctx context.Context) error {
	timer := time.NewTimer(min(b.o.Every, firstLook))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		b.Look(ctx)
		timer.Reset(b.o.Every)
	}
}

// Look runs all checks once, and stores and shows what they found.
func (b *Board) Look(ctx context.Context) {
	found := b.check(ctx)
	if ctx.Err() != nil {
		return // what a stop has broken off says nothing
	}
	now := b.o.Now().UTC().Truncate(time.Microsecond)
	if b.broken != nil && found[domain.ComponentDatabase] != domain.HealthUnknown {
		found[domain.ComponentDatabase] = domain.HealthDown
	}
	for component, health := range found {
		b.note(component, health, now)
	}
	b.broken = b.write(ctx, now)
	if ctx.Err() != nil {
		return
	}
	if b.broken != nil && b.health[domain.ComponentDatabase] != domain.HealthDown {
		b.health[domain.ComponentDatabase] = domain.HealthDown
		b.o.Logger.WarnContext(ctx, "what the status page shows could not be stored; trying again", "err", b.broken)
	}
	b.show(ctx, now)
}

// check runs all checks at once.
func (b *Board) check(ctx context.Context) map[domain.Component]domain.Health {
	ctx, cancel := context.WithTimeout(ctx, boardLimit)
	defer cancel()
	var mu sync.Mutex
	var all sync.WaitGroup
	found := make(map[domain.Component]domain.Health, len(b.o.Checks))
	for _, c := range b.o.Checks {
		all.Go(func() {
			health, err := run(ctx, c)
			if err != nil {
				b.o.Logger.Debug("a component is not well", "component", c.Component, "health", health, "err", err)
			}
			mu.Lock()
			defer mu.Unlock()
			found[c.Component] = health
		})
	}
	all.Wait()
	return found
}

// run makes a failure of a check that panics.
func run(ctx context.Context, c Check) (health domain.Health, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			health, err = domain.HealthDown, fmt.Errorf("the check panicked: %v", fault)
		}
	}()
	return c.Run(ctx)
}

// note counts what a check found.
func (b *Board) note(component domain.Component, health domain.Health, now time.Time) {
	if health == domain.HealthUnknown {
		return
	}
	if was := b.health[component]; was != health && (was != domain.HealthUnknown || health != domain.HealthUp) {
		b.o.Logger.Info("the health of a component changed", "component", component, "was", was, "is", health)
	}
	b.health[component] = health
	key := uptimeKey{component, now.Truncate(24 * time.Hour)}
	day := b.pending[key]
	day.Component, day.Day, day.CheckedAt = component, key.day, now
	s := b.streaks[component]
	if s == nil {
		s = &streak{}
		b.streaks[component] = s
	}
	switch health {
	case domain.HealthDown:
		day.Bad++
		if s.failed++; s.failed == 1 {
			s.since = now
		}
		s.last = now
	default:
		day.Good++
		if s.failed >= incidentFrom && !s.stored {
			b.over = append(b.over, domain.Incident{ID: domain.NewID(), Component: component, OpenedAt: s.since, SeenAt: s.last, ClosedAt: now})
			b.over = b.over[max(0, len(b.over)-incidentsKept):]
		}
		*s = streak{}
	}
	b.pending[key] = day
}

// write stores what is pending.
func (b *Board) write(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, boardLimit)
	defer cancel()
	err := b.o.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
		since := firstDay(now)
		if !b.begun {
			if err := b.account(ctx, st, since, now); err != nil {
				return err
			}
		}
		days := make([]domain.UptimeDay, 0, len(b.pending))
		for _, day := range b.pending {
			days = append(days, day)
		}
		if err := st.Uptimes.Add(ctx, days...); err != nil {
			return err
		}
		if err := b.settle(ctx, st, now); err != nil {
			return err
		}
		if b.looks%boardPruneEach == 0 {
			return st.Uptimes.Prune(ctx, since, incidentsKept)
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.begun, b.over = true, nil
	b.looks++
	clear(b.pending)
	for _, s := range b.streaks {
		s.stored = s.failed >= incidentFrom
	}
	return nil
}

// account counts the time in which no process looked as an outage of the API:
// nobody could have answered.
func (b *Board) account(ctx context.Context, st *domain.Stores, since, now time.Time) error {
	days, err := st.Uptimes.Days(ctx, since)
	if err != nil {
		return err
	}
	var last time.Time
	for _, d := range days {
		if d.CheckedAt.After(last) {
			last = d.CheckedAt
		}
	}
	missed := int(now.Sub(last)/b.o.Every) - 1
	if last.IsZero() || missed <= 0 {
		return nil
	}
	var bad []domain.UptimeDay
	for from := last; from.Before(now); {
		day := from.Truncate(24 * time.Hour)
		to := day.AddDate(0, 0, 1)
		if to.After(now) {
			to = now
		}
		if n := int(to.Sub(from) / b.o.Every); n > 0 {
			bad = append(bad, domain.UptimeDay{Component: domain.ComponentAPI, Day: day, Bad: n, CheckedAt: last})
		}
		from = to
	}
	if err := st.Uptimes.Add(ctx, bad...); err != nil || missed < incidentFrom {
		return err
	}
	if err := closeOpen(ctx, st, domain.ComponentAPI, last); err != nil {
		return err
	}
	return st.Uptimes.Open(ctx, &domain.Incident{ID: domain.NewID(), Component: domain.ComponentAPI, OpenedAt: last, SeenAt: now, ClosedAt: now})
}

// closeOpen closes the incident of a component that a process left open.
func closeOpen(ctx context.Context, st *domain.Stores, component domain.Component, at time.Time) error {
	all, err := st.Uptimes.Incidents(ctx, 0)
	if err != nil {
		return err
	}
	for i := range all {
		if in := &all[i]; in.Component == component && in.ClosedAt.IsZero() {
			in.ClosedAt = at
			return st.Uptimes.Save(ctx, in)
		}
	}
	return nil
}

// settle opens and closes incidents. Other processes look too: an incident lasts
// while any of them sees it.
func (b *Board) settle(ctx context.Context, st *domain.Stores, now time.Time) error {
	all, err := st.Uptimes.Incidents(ctx, 0)
	if err != nil {
		return err
	}
	for i := range b.over {
		if err := st.Uptimes.Open(ctx, &b.over[i]); err != nil {
			return err
		}
	}
	for _, component := range domain.Components {
		at := slices.IndexFunc(all, func(i domain.Incident) bool { return i.Component == component && i.ClosedAt.IsZero() })
		s := b.streaks[component]
		switch {
		case s == nil:
		case s.failed >= incidentFrom && at < 0:
			err = st.Uptimes.Open(ctx, &domain.Incident{ID: domain.NewID(), Component: component, OpenedAt: s.since, SeenAt: s.last})
		case s.failed >= incidentFrom:
			all[at].SeenAt = now
			err = st.Uptimes.Save(ctx, &all[at])
		case s.failed == 0 && at >= 0 && now.Sub(all[at].SeenAt) >= incidentFrom*b.o.Every:
			all[at].ClosedAt = all[at].SeenAt.Add(b.o.Every)
			err = st.Uptimes.Save(ctx, &all[at])
		}
		if err != nil {
			return err
		}
	}
	return nil
}
