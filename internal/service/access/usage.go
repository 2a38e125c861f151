package access

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

const (
	usualUsageDays = 30  // which a report covers when the request does not say
	maxUsageDays   = 366 // and at most
)

// UsageReport is what was done in a scope on some days.
type UsageReport struct {
	domain.UsageFilter
	Rows  []domain.Usage // a page of keys and days, the last day first
	Total int            // of keys and days
	Days  []domain.Usage // sums over the keys, the last day first
}

// Usage reports what was done from one day to another, both included. A zero to
// is today, a zero from 30 days in all.
func (a *Access) Usage(ctx context.Context, in domain.Scope, from, to time.Time, key domain.ID, page domain.Page) (*UsageReport, error) {
	if to.IsZero() {
		to = a.Clock()
	}
	if from.IsZero() {
		from = to.AddDate(0, 0, 1-usualUsageDays)
	}
	report := &UsageReport{UsageFilter: domain.UsageFilter{From: domain.DayOf(from), To: domain.DayOf(to), KeyID: key}}
	switch days := int(to.Truncate(24*time.Hour).Sub(from.Truncate(24*time.Hour))/(24*time.Hour)) + 1; {
	case days < 1:
		return nil, domain.Invalid("from", "from must not be after to")
	case days > maxUsageDays:
		return nil, domain.Invalid("from", "from is %d days before to; a report covers at most %d", days, maxUsageDays)
	}
	return rule.View(ctx, &a.Kit, func(ctx context.Context, st *domain.Stores) (*UsageReport, error) {
		var err error
		if report.Rows, report.Total, err = st.Usage.List(ctx, in, report.UsageFilter, page); err != nil {
			return nil, err
		}
		report.Days, err = st.Usage.Days(ctx, in, report.UsageFilter)
		return report, err
	})
}
