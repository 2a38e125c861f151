package people

import (
	"context"
	"errors"
	"io"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
	"github.com/callwright/callwright/internal/sheet"
)

// listRows is how many rows of a sheet are committed at once.
const listRows = 500

// maxListFaults is how many bad rows of a sheet are told one by one.
const maxListFaults = 100

// Listing is what came of a sheet of numbers that must not be called.
type Listing struct {
	Rows   int // good ones
	Added  int // numbers that were not on the list before
	Bad    int
	Faults []sheet.Fault // of the first bad rows
}

// SuppressSheet puts the numbers of a sheet onto the do-not-call list, as it is
// read: what was read before an error stays on the list, and the sheet can be
// sent again. Once it has returned, none of them is dialed any more; one that
// rings is hung up.
func (p *People) SuppressSheet(ctx context.Context, in domain.Scope, file io.Reader, reason string, once *rule.Once[Listing]) (*Listing, error) {
	if err := rule.Text("reason", reason, rule.MaxText); err != nil {
		return nil, err
	}
	rows, err := sheet.Open(file, sheet.Options{Sandbox: in.Mode == domain.Test})
	if err != nil {
		return nil, err
	}
	done := &Listing{}
	for more := true; more; {
		var numbers []string
		if numbers, more, err = done.read(rows); err != nil {
			return nil, err
		}
		if len(numbers) == 0 {
			continue
		}
		var added int
		err := p.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
			var err error
			added, err = st.Suppressed.Add(ctx, in, p.SuppressionsOf(in, distinctTexts(numbers), reason, domain.SuppressedByCSV, "")...)
			return err
		})
		if err != nil {
			return nil, err
		}
		done.Added += added
		if err := p.stopRinging(ctx); err != nil {
			return nil, err
		}
	}
	return rule.Effect(ctx, &p.Kit, in, once, func(context.Context, *domain.Stores) (*Listing, error) { return done, nil })
}

// read returns the numbers of the next rows, and whether there may be more.
func (l *Listing) read(rows *sheet.Reader) (numbers []string, more bool, err error) {
	for len(numbers) < listRows {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return numbers, false, nil
		} else if err != nil {
			return nil, false, err
		}
		if len(row.Faults) > 0 {
			l.Bad++
			l.Faults = append(l.Faults, row.Faults[:min(len(row.Faults), maxListFaults-len(l.Faults))]...)
			continue
		}
		l.Rows++
		numbers = append(numbers, row.Phone)
	}
	return numbers, true, nil
}

// EachSuppression visits the do-not-call list, newest first, page by page.
func (p *People) EachSuppression(ctx context.Context, in domain.Scope, visit func([]domain.Suppression) error) error {
	page := domain.Page{Limit: listRows}
	for {
		rows, err := rule.View(ctx, &p.Kit, func(ctx context.Context, st *domain.Stores) ([]domain.Suppression, error) {
			return st.Suppressed.List(ctx, in, page)
		})
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			if err := visit(rows); err != nil {
				return err
			}
		}
		if len(rows) < page.Limit {
			return nil
		}
		page.After = rows[len(rows)-1].ID
	}
}
