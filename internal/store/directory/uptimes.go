package directory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type uptimeDayRow struct {
	bun.BaseModel `bun:"table:uptime_days"`

	Component domain.Component `bun:",pk"`
	Day       row.Micros       `bun:",pk"`
	Good      int
	Bad       int
	CheckedAt row.Micros
}

func (r *uptimeDayRow) domain() domain.UptimeDay {
	return domain.UptimeDay{Component: r.Component, Day: r.Day.Time(), Good: r.Good, Bad: r.Bad, CheckedAt: r.CheckedAt.Time()}
}

type incidentRow struct {
	bun.BaseModel `bun:"table:incidents"`

	ID        domain.ID `bun:",pk"`
	Component domain.Component
	OpenedAt  row.Micros
	SeenAt    row.Micros
	ClosedAt  row.Micros
}

func newIncidentRow(i *domain.Incident) *incidentRow {
	return &incidentRow{ID: i.ID, Component: i.Component, OpenedAt: row.At(i.OpenedAt), SeenAt: row.At(i.SeenAt), ClosedAt: row.At(i.ClosedAt)}
}

func (r *incidentRow) domain() domain.Incident {
	return domain.Incident{ID: r.ID, Component: r.Component, OpenedAt: r.OpenedAt.Time(), SeenAt: r.SeenAt.Time(), ClosedAt: r.ClosedAt.Time()}
}

type uptimes struct{ db bun.IDB }

// NewUptimes keeps uptimes and incidents.
func NewUptimes(db bun.IDB) domain.Uptimes { return &uptimes{db} }

// Add adds counts, always in the same order, so that two who do it at once wait
// for one another.
func (u *uptimes) Add(ctx context.Context, days ...domain.UptimeDay) error {
	days = slices.SortedFunc(slices.Values(days), func(a, b domain.UptimeDay) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), a.Day.Compare(b.Day))
	})
	for _, d := range days {
		_, err := u.db.NewRaw(`INSERT INTO uptime_days (component, day, good, bad, checked_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (component, day) DO UPDATE SET good = uptime_days.good + excluded.good, bad = uptime_days.bad + excluded.bad,
			checked_at = CASE WHEN excluded.checked_at > uptime_days.checked_at THEN excluded.checked_at ELSE uptime_days.checked_at END`,
			d.Component, row.At(d.Day), d.Good, d.Bad, row.At(d.CheckedAt)).Exec(ctx)
		if err != nil {
			return row.Error(err, "add uptime")
		}
	}
	return nil
}

// Days returns the days from since on, oldest first.
func (u *uptimes) Days(ctx context.Context, since time.Time) ([]domain.UptimeDay, error) {
	var rows []uptimeDayRow
	err := u.db.NewSelect().Model(&rows).Where("day >= ?", row.At(since)).OrderExpr("day, component").Scan(ctx)
	return row.Map(rows, (*uptimeDayRow).domain), row.Error(err, "list uptime")
}

// Open stores a new incident.
func (u *uptimes) Open(ctx context.Context, i *domain.Incident) error {
	_, err := u.db.NewInsert().Model(newIncidentRow(i)).Exec(ctx)
	return row.Created(err, "An incident of "+string(i.Component)+" is open already")
}

// Save stores the times of an incident.
func (u *uptimes) Save(ctx context.Context, i *domain.Incident) error {
	res, err := u.db.NewUpdate().Model(newIncidentRow(i)).WherePK().Exec(ctx)
	if err == nil && !row.Changed(res) {
		return domain.NotFound("Incident", i.ID)
	}
	return row.Error(err, "save incident")
}

// Incidents returns the latest incidents, newest first.
func (u *uptimes) Incidents(ctx context.Context, limit int) ([]domain.Incident, error) {
	var rows []incidentRow
	err := row.Bound(u.db.NewSelect().Model(&rows).OrderExpr("opened_at DESC, id DESC"), limit, 0).Scan(ctx)
	return row.Map(rows, (*incidentRow).domain), row.Error(err, "list incidents")
}

// Prune removes what is old.
func (u *uptimes) Prune(ctx context.Context, since time.Time, keep int) error {
	if _, err := u.db.NewDelete().Model((*uptimeDayRow)(nil)).Where("day < ?", row.At(since)).Exec(ctx); err != nil {
		return row.Error(err, "prune uptime")
	}
	_, err := u.db.NewRaw(`DELETE FROM incidents WHERE closed_at > 0 AND (closed_at < ?
		OR id NOT IN (SELECT id FROM incidents ORDER BY opened_at DESC, id DESC LIMIT ?))`, row.At(since), keep).Exec(ctx)
	return row.Error(err, "prune incidents")
}
