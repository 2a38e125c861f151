//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/schema"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/calling"
	"github.com/callwright/callwright/internal/store/directory"
	"github.com/callwright/callwright/internal/store/row"
)

// statement is one that the dialer runs, and how the database runs it.
type statement struct {
	What  string   `json:"what"`
	Text  string   `json:"text"`
	Steps []string `json:"steps"`
}

// seen keeps the text of the statements that a database runs.
type seen struct {
	what string
	all  []statement
}

// BeforeQuery does nothing.
func (s *seen) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

// AfterQuery keeps a statement.
func (s *seen) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	if word, _, _ := strings.Cut(strings.TrimSpace(event.Query), " "); s.what != "" && (word == "SELECT" || word == "WITH" || word == "UPDATE") {
		s.all = append(s.all, statement{What: s.what, Text: strings.Join(strings.Fields(event.Query), " ")})
	}
}

// errUndo undoes a transaction whose statements were only to be seen.
var errUndo = errors.New("it is undone")

// plans asks the database how it runs the statements by which contacts of a
// campaign are found, their calls claimed and what binds them counted.
func (l *line) plans(ctx context.Context, at place, campaign domain.ID) (all []statement, err error) {
	db, explain, err := beside(at)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if at.dsn != "" { // what autovacuum does by itself, sooner or later
		if _, err := db.ExecContext(ctx, "ANALYZE"); err != nil {
			return nil, err
		}
	}
	hook := &seen{}
	asked := db.WithQueryHook(hook)
	err = asked.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		return l.ask(ctx, tx, hook, campaign)
	})
	if !errors.Is(err, errUndo) {
		return nil, fmt.Errorf("the dialer's statements: %w", err)
	}
	for _, s := range hook.all {
		err := new(row.Query).Add(explain+strings.ReplaceAll(s.Text, "?", "??")).Each(ctx, db, func(v row.Values) error {
			s.Steps = append(s.Steps, strings.TrimSpace(v.Text(v.Len()-1)))
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("the plan of %s: %w", s.Text, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// ask runs the statements, in a transaction of its own.
func (l *line) ask(ctx context.Context, tx bun.Tx, hook *seen, campaign domain.ID) error {
	silent := func(string) {}
	dialing, attempts, recipients := directory.NewDialing(tx, silent), calling.NewAttempts(tx, silent), calling.NewRecipients(tx, silent)
	trunk := domain.ID("")
	if err := l.store.View(ctx, func(ctx context.Context, st *domain.Stores) error {
		number, err := st.Numbers.Get(ctx, l.in, l.number)
		if err == nil {
			trunk = number.TrunkID
		}
		return err
	}); err != nil {
		return err
	}
	now := l.Clock()
	for _, one := range []struct {
		what string
		run  func() error
	}{
		{"campaigns that are due", func() error { _, _, err := dialing.Due(ctx, now, 1024); return err }},
		{"contacts that are due", func() error { _, _, err := recipients.Due(ctx, campaign, now, 64); return err }},
		{"calls that are planned", func() error { _, _, err := dialing.Planned(ctx, l.in, trunk); return err }},
		{"claim of calls", func() error { _, _, err := attempts.Claim(ctx, l.epoch, now, time.Minute, 64); return err }},
		{"calls over a trunk", func() error { _, err := attempts.LiveOn(ctx, trunk, 100); return err }},
		{"calls to a number", func() error { _, err := attempts.LiveTo(ctx, l.in, "+12125550100"); return err }},
		{"tries of a number", func() error {
			_, err := directory.NewTries(tx).Tried(ctx, l.in, "+12125550100", now.Add(-30*24*time.Hour))
			return err
		}},
	} {
		hook.what = one.what
		if err := one.run(); err != nil {
			return err
		}
	}
	return errUndo
}

// beside connects to the database of a line, and returns how it is asked for a
// plan.
func beside(at place) (db *bun.DB, explain string, err error) {
	driver, name, dialect, explain := "sqlite", "file:"+filepath.Join(at.dir, store.File)+"?_pragma=busy_timeout(10000)&_txlock=immediate", schema.Dialect(sqlitedialect.New()), "EXPLAIN QUERY PLAN "
	if at.dsn != "" {
		driver, name, dialect, explain = "pgx", at.dsn, pgdialect.New(), "EXPLAIN (COSTS OFF) "
	}
	pool, err := sql.Open(driver, name)
	if err != nil {
		return nil, "", err
	}
	pool.SetMaxOpenConns(1)
	return bun.NewDB(pool, dialect), explain, nil
}

// printPlans writes the plans for a campaign.
func printPlans(w io.Writer, contacts int, all []statement) {
	fmt.Fprintf(w, "\n  plans with %d contacts waiting\n", contacts)
	for _, s := range all {
		fmt.Fprintf(w, "    %s: %s\n", s.What, s.Text)
		for _, step := range s.Steps {
			fmt.Fprintf(w, "      %s\n", step)
		}
	}
}
