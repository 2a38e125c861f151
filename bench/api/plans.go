//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/schema"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/row"
)

// plans asks the database how it runs the queries of lists.
func (r *run) plans(ctx context.Context, dir string) (all []plan, err error) {
	data := filepath.Join(dir, "data")
	db, err := store.Open(ctx, store.Options{Dir: data, DSN: r.dsn, Shared: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	raw, ask, err := r.asker(data)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	var in domain.Scope
	err = db.View(ctx, func(ctx context.Context, s *domain.Stores) error {
		w, err := s.Workspaces.First(ctx)
		if err == nil {
			in = domain.Scope{Workspace: w.ID, Mode: domain.Live}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, c := range []struct {
		name string
		f    domain.CallFilter
		page domain.Page
	}{
		{"list", domain.CallFilter{}, domain.Page{Limit: 50}},
		{"agent", domain.CallFilter{AgentID: domain.ID(agentID(3))}, domain.Page{Limit: 50}},
		{"queued", domain.CallFilter{States: []domain.CallState{domain.CallQueued, domain.CallDialing}}, domain.Page{Limit: 50}},
		{"count", domain.CallFilter{CreatedMin: time.Now().AddDate(0, 0, -250), CreatedMax: time.Now().AddDate(0, 0, -50)}, domain.Page{Limit: 1}},
		{"deep", domain.CallFilter{}, domain.Page{Limit: 50, Offset: r.calls - 50}},
	} {
		p, err := explain(ctx, db, in, c.f, c.page, raw, ask)
		if err != nil {
			return nil, err
		}
		p.Request = c.name
		all = append(all, *p)
	}
	return all, nil
}

// asker connects to the database, and returns how it is asked for a plan.
func (r *run) asker(data string) (db *bun.DB, ask string, err error) {
	driver, name, dialect, ask := "sqlite", "file:"+filepath.Join(data, store.File), schema.Dialect(sqlitedialect.New()), "EXPLAIN QUERY PLAN "
	if r.dsn != "" {
		driver, name, dialect, ask = "pgx", r.dsn, pgdialect.New(), "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) "
	}
	pool, err := sql.Open(driver, name)
	if err != nil {
		return nil, "", err
	}
	return bun.NewDB(pool, dialect), ask, nil
}

// explain lists calls and asks for the plan of each query that this takes.
func explain(ctx context.Context, db *store.DB, in domain.Scope, f domain.CallFilter, page domain.Page, raw *bun.DB, ask string) (*plan, error) {
	var queries []*row.Query
	f.Brief = true
	err := db.View(row.Watch(ctx, func(q *row.Query) { queries = append(queries, q) }), func(ctx context.Context, s *domain.Stores) error {
		_, _, err := s.Calls.List(ctx, in, f, page)
		return err
	})
	if err != nil {
		return nil, err
	}
	p := new(plan)
	for _, q := range queries {
		var steps strings.Builder
		text := q.String()
		if text == "BEGIN" || text == "ROLLBACK" {
			continue
		}
		err := new(row.Query).Add(ask+text, q.Args()...).Each(ctx, raw, func(v row.Values) error {
			steps.WriteString("      " + v.Text(v.Len()-1) + "\n")
			return nil
		})
		if err != nil {
			return nil, err
		}
		p.Queries, p.Steps = append(p.Queries, strings.Join(strings.Fields(text), " ")), append(p.Steps, steps.String())
	}
	return p, nil
}

// schemaSize is how much disk the tables of a schema and their indexes take.
func schemaSize(ctx context.Context, dsn string) (n int64, err error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.QueryRowContext(ctx, "SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'").Scan(&n)
	return n, err
}
