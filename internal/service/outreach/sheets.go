package outreach

import (
	"context"
	"errors"
	"io"
	"time"
	"unicode/utf8"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/failpoint"
	"github.com/callwright/callwright/internal/service/rule"
	"github.com/callwright/callwright/internal/sheet"
)

// importRows is how many contacts of a sheet one transaction stores.
const importRows = 500

// maxFaults is how many of a sheet's faults are told.
const maxFaults = 1_000

// ImportReport is what came of a sheet of contacts.
type ImportReport struct {
	Headers    []string // as they are written
	Rows       int      // without the header and blank lines
	Added      int
	Duplicates int           // good rows whose number the campaign had already
	Invalid    int           // rows that are not called
	Faults     int           // of them
	Errors     []sheet.Fault // the first thousand
	Total      int           // contacts of the campaign, now
}

// ImportContacts adds the contacts of a CSV sheet to a campaign that is not over.
// Bad rows are reported, and the others added, some at a time: what was added
// stays when the rest cannot be, and adding the sheet again adds nobody twice.
func (o *Outreach) ImportContacts(ctx context.Context, in domain.Scope, id domain.ID, r io.Reader, once *rule.Once[ImportReport]) (*ImportReport, error) {
	c, err := o.Campaign(ctx, in, domain.KindCampaign, id)
	if err != nil {
		return nil, err
	}
	l, err := o.newLoader(&c.Campaign, r)
	if err != nil {
		return nil, err
	}
	if err := l.all(ctx); err != nil {
		return nil, err
	}
	report, err := rule.Effect(ctx, &o.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*ImportReport, error) {
		c, n, err := l.load(ctx, st, time.Time{})
		if err != nil {
			return nil, err
		}
		report := l.with(n)
		counts, err := st.Campaigns.Counts(ctx, c.ID)
		report.Total = counts[c.ID].Total()
		return &report, err
	})
	return report, err
}

// loader makes contacts of a campaign out of the rows of a sheet.
type loader struct {
	*Outreach
	c      domain.Campaign
	from   *sheet.Reader
	rows   []domain.Recipient // good ones that are not stored yet
	report ImportReport
}

func (o *Outreach) newLoader(c *domain.Campaign, r io.Reader) (*loader, error) {
	from, err := openSheet(r, c.Mode)
	if err != nil {
		return nil, err
	}
	return &loader{Outreach: o, c: *c, from: from, report: ImportReport{Headers: from.Header()}}, nil
}

// openSheet opens a sheet whose numbers are to be called in a mode.
func openSheet(r io.Reader, mode domain.Mode) (*sheet.Reader, error) {
	return sheet.Open(r, sheet.Options{Sandbox: mode == domain.Test})
}

// fill reads good rows until there are as many as one transaction stores; false
// says that the sheet is at its end.
func (l *loader) fill() (full bool, err error) {
	l.rows = l.rows[:0]
	for len(l.rows) < importRows {
		row, err := l.from.Next()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		l.report.Rows++
		n, faults := contactOf(&row)
		if len(faults) > 0 {
			l.report.refuse(faults)
			continue
		}
		r := l.recipient(&l.c, n)
		r.Line = row.Line
		l.rows = append(l.rows, r)
	}
	return true, nil
}

// refuse notes a bad row.
func (r *ImportReport) refuse(faults []sheet.Fault) {
	r.Invalid++
	r.Faults += len(faults)
	r.Errors = append(r.Errors, faults[:min(len(faults), maxFaults-len(r.Errors))]...)
}

// with is the report when n of the rows that were read last were added.
func (l *loader) with(n int) ImportReport {
	report := l.report
	report.Added += n
	report.Duplicates += len(l.rows) - n
	return report
}

// all stores all rows but the last ones, fewer than one transaction stores, which
// it leaves to be stored.
func (l *loader) all(ctx context.Context) error {
	for {
		full, err := l.fill()
		if err != nil || !full {
			return err
		}
		if err := l.part(ctx); err != nil {
			return err
		}
	}
}

// part stores the rows that were read. Calls, and those who place them, come first.
func (l *loader) part(ctx context.Context) error {
	var n int
	until := l.Clock().Add(importLease)
	err := l.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
		var err error
		_, n, err = l.load(ctx, st, until)
		return err
	})
	if err != nil {
		return err
	}
	l.report = l.with(n)
	failpoint.Hit(failpoint.DuringImport)
	return nil
}

// load stores the rows that were read, as long as the campaign takes contacts, and
// returns the campaign and how many were new to it. An active campaign, which may
// call them at once, does not end before until for want of more; zero: none come.
func (l *loader) load(ctx context.Context, st *domain.Stores, until time.Time) (*domain.Campaign, int, error) {
	c, err := st.Dialing.Plan(ctx, l.c.ID)
	if err != nil {
		return nil, 0, err
	}
	if c.State.Ended() {
		return nil, 0, domain.Errorf(domain.CodeConflict, "the campaign is %s and takes no more contacts", c.State)
	}
	n, err := st.Recipients.Add(ctx, l.rows)
	if err != nil {
		return nil, 0, err
	}
	switch c.State {
	case domain.CampaignImporting:
		c.DueAt = l.Clock().Add(importLease)
		err = st.Dialing.Note(ctx, c)
	case domain.CampaignActive:
		c.FedUntil = until
		if err := st.Dialing.Note(ctx, c); err != nil {
			return nil, 0, err
		}
		err = st.Dialing.Wake(ctx, c.ID, l.due(c, true))
	}
	return c, n, err
}

// contactOf makes a contact of a row, or tells what is wrong with it.
func contactOf(row *sheet.Row) (NewRecipient, []sheet.Fault) {
	faults := row.Faults
	size := 0
	variables := make(map[string]any, len(row.Variables)+1)
	for name, value := range row.Variables {
		variables[name] = value
		size += len(name) + len(value)
	}
	if row.Postcode != "" {
		variables["postcode"] = row.Postcode
	}
	if size > rule.MaxBlob/2 { // what JSON makes of it has room
		faults = append(faults, sheet.Fault{Line: row.Line, Reason: "The row has more text than calls can carry along: leave out columns that they do not need."})
	}
	for _, cell := range []struct{ column, value string }{
		{"first_name", row.FirstName}, {"last_name", row.LastName}, {"email", row.Email}, {"company", row.Company}, {"state", row.State},
	} {
		if utf8.RuneCountInString(cell.value) > rule.MaxName {
			faults = append(faults, sheet.Fault{Line: row.Line, Column: cell.column, Reason: "The cell has more than 200 characters: shorten it."})
		}
	}
	return NewRecipient{
		Phone: row.Phone, FirstName: row.FirstName, LastName: row.LastName, Email: row.Email, Company: row.Company,
		Timezone: row.Timezone, Region: row.State, Variables: variables,
	}, faults
}
