package uptime

import (
	"context"
	"slices"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// StatusPage is what the public may know: how each component is and was.
type StatusPage struct {
	At         time.Time     // of the last look; zero before the first
	Health     domain.Health // the worst of the components
	Components []ComponentStatus
	Incidents  []domain.Incident // newest first
}

// ComponentStatus is one component's line.
type ComponentStatus struct {
	Component domain.Component
	Health    domain.Health
	Days      []domain.UptimeDay // of each of the last 90 days, oldest first; without counts where nobody looked
}

// Uptime is the share of good checks over all days; false when there were none.
func (c *ComponentStatus) Uptime() (share float64, known bool) {
	good, all := 0, 0
	for _, d := range c.Days {
		good += d.Good
		all += d.Good + d.Bad
	}
	if all == 0 {
		return 0, false
	}
	return float64(good) / float64(all), true
}

// Page returns what the last look has shown. It never waits for the database.
func (b *Board) Page() StatusPage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.page
}

// show makes the page anew. While the database is away it keeps the days that it
// has.
func (b *Board) show(ctx context.Context, now time.Time) {
	days, incidents, err := b.stored(ctx, now)
	if ctx.Err() != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		for _, c := range b.page.Components {
			days = append(days, c.Days...)
		}
		incidents = slices.DeleteFunc(slices.Clone(b.page.Incidents), func(i domain.Incident) bool {
			return slices.ContainsFunc(b.lasted, func(l domain.Incident) bool { return l.ID == i.ID })
		})
	}
	b.lasted = b.unstored()
	page := StatusPage{At: now, Health: domain.HealthUp, Incidents: append(slices.Clone(b.lasted), incidents...)}
	for _, component := range domain.Components {
		line := ComponentStatus{Component: component, Health: b.health[component], Days: lastDays(component, days, now)}
		if _, known := line.Uptime(); !known && line.Health == domain.HealthUnknown {
			continue // this installation has no such thing
		}
		page.Components = append(page.Components, line)
		page.Health = worse(page.Health, line.Health)
	}
	b.page = page
}

func (b *Board) stored(ctx context.Context, now time.Time) (days []domain.UptimeDay, incidents []domain.Incident, err error) {
	ctx, cancel := context.WithTimeout(ctx, boardLimit)
	defer cancel()
	err = b.o.Store.View(ctx, func(ctx context.Context, st *domain.Stores) error {
		var err error
		if days, err = st.Uptimes.Days(ctx, firstDay(now)); err != nil {
			return err
		}
		incidents, err = st.Uptimes.Incidents(ctx, incidentsKept)
		return err
	})
	return days, incidents, err
}

// unstored are the incidents that only this process knows of.
func (b *Board) unstored() []domain.Incident {
	all := slices.Clone(b.over)
	for _, component := range domain.Components {
		if s := b.streaks[component]; s != nil && s.failed >= incidentFrom && !s.stored {
			all = append(all, domain.Incident{ID: domain.NewID(), Component: component, OpenedAt: s.since, SeenAt: s.last})
		}
	}
	slices.SortFunc(all, func(a, b domain.Incident) int { return b.OpenedAt.Compare(a.OpenedAt) })
	return all
}

func firstDay(now time.Time) time.Time {
	return now.Truncate(24*time.Hour).AddDate(0, 0, 1-boardDays)
}

// lastDays picks the days of a component, with a day for each.
func lastDays(component domain.Component, days []domain.UptimeDay, now time.Time) []domain.UptimeDay {
	out := make([]domain.UptimeDay, boardDays)
	first := firstDay(now)
	for i := range out {
		out[i] = domain.UptimeDay{Component: component, Day: first.AddDate(0, 0, i)}
	}
	for _, d := range days {
		if i := int(d.Day.Sub(first) / (24 * time.Hour)); d.Component == component && i >= 0 && i < len(out) {
			out[i] = d
		}
	}
	return out
}

// worse is the worse one; what is not known is not worse than anything.
func worse(a, b domain.Health) domain.Health {
	order := []domain.Health{domain.HealthUnknown, domain.HealthUp, domain.HealthDegraded, domain.HealthDown}
	if slices.Index(order, a) >= slices.Index(order, b) {
		return a
	}
	return b
}
