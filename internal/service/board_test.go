package service_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/uptime"
)

// boardKit is a board whose checks answer what a test says.
type boardKit struct {
	*kit
	*uptime.Board
	health map[domain.Component]domain.Health
	away   bool // the database
}

// awayStore is a store that can be away.
type awayStore struct {
	domain.Store
	away *bool
}

var errAway = domain.Unavailable(time.Second, nil, "away")

func (s awayStore) InTx(ctx context.Context, lane domain.Lane, fn func(context.Context, *domain.Stores) error) error {
	if *s.away {
		return errAway
	}
	return s.Store.InTx(ctx, lane, fn)
}

func (s awayStore) View(ctx context.Context, fn func(context.Context, *domain.Stores) error) error {
	if *s.away {
		return errAway
	}
	return s.Store.View(ctx, fn)
}

// newBoardKit stands at noon, so that no day ends in the middle of a test.
func newBoardKit(t *testing.T) *boardKit {
	b := &boardKit{kit: newKit(t), health: map[domain.Component]domain.Health{}}
	b.at = b.at.Truncate(24 * time.Hour).Add(12 * time.Hour)
	b.Board = b.process()
	return b
}

// process is the board of another process.
func (b *boardKit) process() *uptime.Board {
	var checks []uptime.Check
	for _, c := range []domain.Component{domain.ComponentAPI, domain.ComponentDatabase, domain.ComponentCalls} {
		b.health[c] = domain.HealthUp
		checks = append(checks, uptime.Check{Component: c, Run: func(context.Context) (domain.Health, error) {
			if b.health[c] == "panic" {
				panic("secret")
			}
			return b.health[c], errors.New("why")
		}})
	}
	checks = append(checks, uptime.Check{Component: domain.ComponentCarriers, Run: func(context.Context) (domain.Health, error) { return domain.HealthUnknown, nil }})
	return uptime.New(uptime.Options{Store: awayStore{b.store, &b.away}, Checks: checks, Now: b.now, Logger: slog.New(slog.DiscardHandler)})
}

// look looks n times, half a minute apart.
func (b *boardKit) look(n int) uptime.StatusPage {
	for range n {
		b.pass(30 * time.Second)
		b.Look(b.Context())
	}
	return b.Page()
}

// told prints the incidents as "component+seconds", newest first; … lasts.
func told(page uptime.StatusPage) string {
	var all []string
	for _, i := range page.Incidents {
		text := string(i.Component) + "…"
		if !i.ClosedAt.IsZero() {
			text = fmt.Sprintf("%s+%g", i.Component, i.ClosedAt.Sub(i.OpenedAt).Seconds())
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

func line(t *testing.T, page uptime.StatusPage, c domain.Component) *uptime.ComponentStatus {
	t.Helper()
	for i := range page.Components {
		if page.Components[i].Component == c {
			return &page.Components[i]
		}
	}
	t.Fatalf("there is no %s in %+v", c, page.Components)
	return nil
}

func today(c *uptime.ComponentStatus) string {
	d := c.Days[len(c.Days)-1]
	return fmt.Sprintf("%d/%d", d.Good, d.Bad)
}

// TestBoard: a component that fails three times in a row has an incident, which
// ends when nobody has seen it fail for as long.
func TestBoard(t *testing.T) {
	b := newBoardKit(t)
	if page := b.Page(); !page.At.IsZero() || len(page.Components) != 0 {
		t.Errorf("before the first look: %+v", page)
	}
	page := b.look(4)
	if page.Health != domain.HealthUp || len(page.Components) != 3 || told(page) != "" || page.At != b.now() {
		t.Errorf("all is well: %s, %d components, %q", page.Health, len(page.Components), told(page))
	}
	if c := line(t, page, domain.ComponentCalls); today(c) != "4/0" || len(c.Days) != 90 {
		t.Errorf("today: %s of %d days", today(c), len(c.Days))
	}
	b.health[domain.ComponentCalls] = domain.HealthDown
	if page = b.look(2); page.Health != domain.HealthDown || told(page) != "" {
		t.Errorf("twice: %s, %s", page.Health, told(page))
	}
	b.health[domain.ComponentCalls] = domain.HealthUp
	b.look(1)
	b.health[domain.ComponentCalls] = "panic"
	if page = b.look(3); told(page) != "calls…" || page.Health != domain.HealthDown {
		t.Errorf("three times: %s", told(page))
	}
	b.health[domain.ComponentCalls] = domain.HealthDegraded
	if page = b.look(2); told(page) != "calls…" || page.Health != domain.HealthDegraded {
		t.Errorf("it works again: %s, %s", page.Health, told(page))
	}
	if page = b.look(1); told(page) != "calls+90" {
		t.Errorf("it is over: %s", told(page))
	}
	c := line(t, page, domain.ComponentCalls)
	if share, known := c.Uptime(); today(c) != "8/5" || !known || share < 0.61 || share > 0.62 {
		t.Errorf("today: %s, %v", today(c), share)
	}
	// A day later the day stands beside today.
	b.pass(24*time.Hour - 30*time.Second)
	other := b.process()
	b.Board = other
	page = b.look(1)
	if c := line(t, page, domain.ComponentCalls); today(c) != "1/0" || c.Days[88].Bad != 5 {
		t.Errorf("the next day: %+v", c.Days[87:])
	}
}

// TestBoardWhileDatabaseIsAway: what happens meanwhile is shown at once, and
// stored when it can be.
func TestBoardWhileDatabaseIsAway(t *testing.T) {
	b := newBoardKit(t)
	b.look(2)
	b.away = true
	page := b.look(1)
	if page.Health != domain.HealthDown || line(t, page, domain.ComponentDatabase).Health != domain.HealthDown {
		t.Errorf("at once: %s", page.Health)
	}
	b.health[domain.ComponentCalls] = domain.HealthDown
	if page = b.look(3); told(page) != "calls… database…" && told(page) != "database… calls…" {
		t.Errorf("three times: %s", told(page))
	}
	b.health[domain.ComponentCalls] = domain.HealthUp
	if page = b.look(1); told(page) != "calls+90 database…" && told(page) != "database… calls+90" {
		t.Errorf("calls are well again: %s", told(page))
	}
	if c := line(t, page, domain.ComponentAPI); today(c) != "2/0" || c.Health != domain.HealthUp {
		t.Errorf("what is known of before: %s", today(c))
	}
	b.away = false
	b.look(1) // stores it
	page = b.look(3)
	if told(page) != "calls+90 database+150" && told(page) != "database+150 calls+90" {
		t.Errorf("afterwards: %s", told(page))
	}
	if c := line(t, page, domain.ComponentAPI); today(c) != "11/0" {
		t.Errorf("nothing is lost: %s", today(c))
	}
}

// TestBoardOfManyProcesses: an incident lasts while any process sees it, and is
// one.
func TestBoardOfManyProcesses(t *testing.T) {
	b := newBoardKit(t)
	one, two := b.Board, b.process()
	b.health[domain.ComponentCalls] = domain.HealthDown
	for range 3 {
		b.look(1)
		two.Look(t.Context())
	}
	if told(two.Page()) != "calls…" || told(one.Page()) != "calls…" {
		t.Errorf("%s, %s", told(one.Page()), told(two.Page()))
	}
	for range 5 { // one of them is well
		b.pass(30 * time.Second)
		b.health[domain.ComponentCalls] = domain.HealthDown
		two.Look(t.Context())
		b.health[domain.ComponentCalls] = domain.HealthUp
		one.Look(t.Context())
	}
	if got := told(one.Page()); got != "calls…" {
		t.Errorf("while one sees it: %s", got)
	}
	if page := b.look(3); told(page) != "calls+240" {
		t.Errorf("when nobody does: %s", told(page))
	}
}

// TestBoardAfterDarkness: time in which no process ran was an outage.
func TestBoardAfterDarkness(t *testing.T) {
	b := newBoardKit(t)
	b.health[domain.ComponentAPI] = domain.HealthDown
	b.look(3) // and the process dies with an incident
	b.pass(36 * time.Hour)
	b.Board = b.process()
	page := b.look(1)
	if got := told(page); got != "api+129630 api+60" {
		t.Errorf("incidents: %s", got)
	}
	api, calls := line(t, page, domain.ComponentAPI), line(t, page, domain.ComponentCalls)
	// From 12:01:30 to 00:02:00 on the second day after.
	if api.Days[87].Bad != 3+1437 || api.Days[88].Bad != 2880 || today(api) != "1/4" || calls.Days[88].Bad != 0 || today(calls) != "1/0" {
		t.Errorf("the days: %+v %+v", api.Days[87:], calls.Days[87:])
	}
	// A short stop, for a new version, is no outage.
	b.Board = b.process()
	b.pass(25 * time.Second)
	if page := b.look(1); told(page) != "api+129630 api+60" {
		t.Errorf("incidents: %s", told(page))
	}
}

// TestBoardRuns until it is told to stop.
func TestBoardRuns(t *testing.T) {
	k := newKit(t)
	looked := make(chan struct{}, 100)
	board := uptime.New(uptime.Options{Store: k.store, Every: time.Millisecond, Logger: slog.New(slog.DiscardHandler), Checks: []uptime.Check{{
		Component: domain.ComponentAPI, Run: func(context.Context) (domain.Health, error) {
			select {
			case looked <- struct{}{}:
			default:
			}
			return domain.HealthUp, nil
		},
	}}})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- board.Run(ctx) }()
	for range 3 {
		<-looked
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if health := board.Page().Health; health != domain.HealthUp {
		t.Errorf("a stop is taken for %q", health)
	}
}
