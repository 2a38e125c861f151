//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store"
)

// What the calls of a fill are.
const (
	agents    = 20
	campaigns = 200
	recent    = 1000 // of the last ones every tenth is queued
	fillYear  = 365 * 24 * time.Hour
	fillGroup = 250_000 // a transaction
)

// agentID and campaignID are the ids of a fill.
func agentID(n int) string    { return fmt.Sprintf("a%023x", n) }
func campaignID(n int) string { return fmt.Sprintf("c%023x", n) }

// tongue is how a database says what a fill needs.
type tongue struct {
	driver string
	series string // rows i from the first %d until before the second
	hex    string // a number, %s, with so many digits, %d
	before []string
	// parts lists the statements that make what calls have beside their table,
	// each with the one that removes it.
	parts string
	after []string // all calls are there
	last  []string // and counted
}

var sqliteTongue = tongue{
	driver: "sqlite",
	series: "(WITH RECURSIVE s(i) AS (SELECT %d UNION ALL SELECT i + 1 FROM s WHERE i + 1 < %d) SELECT i FROM s)",
	hex:    "printf('%%0%[2]dx', %[1]s)",
	before: []string{"PRAGMA synchronous = OFF", "PRAGMA journal_mode = OFF", "PRAGMA cache_size = -262144", "PRAGMA temp_store = FILE"},
	parts:  "SELECT sql, 'DROP ' || type || ' ' || name FROM sqlite_master WHERE tbl_name = 'calls' AND type IN ('index', 'trigger') AND sql IS NOT NULL",
	after:  []string{"PRAGMA journal_mode = WAL"},
}

var postgresTongue = tongue{
	driver: "pgx",
	series: "(SELECT i FROM generate_series(%d::bigint, %d - 1) AS i)",
	hex:    "lpad(to_hex(%[1]s), %[2]d, '0')",
	before: []string{"SET synchronous_commit = off", "SET maintenance_work_mem = '512MB'"},
	parts: `SELECT indexdef, 'DROP INDEX ' || indexname FROM pg_indexes WHERE schemaname = current_schema() AND tablename = 'calls' AND indexname <> 'calls_pkey'
		UNION ALL SELECT pg_get_triggerdef(oid), 'DROP TRIGGER ' || tgname || ' ON calls' FROM pg_trigger WHERE tgrelid = 'calls'::regclass AND NOT tgisinternal`,
	last: []string{"VACUUM ANALYZE calls", "VACUUM ANALYZE call_changes", "VACUUM ANALYZE call_counts"},
}

// fill writes n calls into the database of a data directory, or at a URL.
func fill(ctx context.Context, data, dsn string, n int) (err error) {
	say, name := sqliteTongue, "file:"+(&url.URL{Path: filepath.Join(data, store.File)}).EscapedPath()
	if dsn != "" {
		say, name = postgresTongue, dsn
	}
	pool, err := sql.Open(say.driver, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	db, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	f := filler{tongue: say, db: db, n: n, end: time.Now()}
	if err := f.run(ctx); err != nil {
		return err
	}
	if err := fold(ctx, data, dsn); err != nil {
		return err
	}
	return f.do(ctx, say.last...)
}

// filler fills one database.
type filler struct {
	tongue
	db  *sql.Conn
	n   int
	end time.Time // of the year that the calls are of
}

// run writes calls without indexes, which are made again afterwards, and their
// counts as the triggers would have noted them.
func (f *filler) run(ctx context.Context) error {
	if err := f.do(ctx, f.before...); err != nil {
		return err
	}
	var workspace string
	if err := f.db.QueryRowContext(ctx, "SELECT id FROM workspaces").Scan(&workspace); err != nil {
		return err
	}
	made, unmade, err := f.beside(ctx)
	if err != nil {
		return err
	}
	if err := f.do(ctx, unmade...); err != nil {
		return err
	}
	for from := 0; from < f.n; from += fillGroup {
		if err := f.do(ctx, f.insert(workspace, from, min(from+fillGroup, f.n))); err != nil {
			return err
		}
	}
	if err := f.do(ctx, `INSERT INTO call_changes (workspace_id, mode, hour, agent_id, campaign_id, direction, state, n)
		SELECT workspace_id, mode, created_at / 3600000000, agent_id, campaign_id, direction, state, count(*)
		FROM calls GROUP BY 1, 2, 3, 4, 5, 6, 7`); err != nil {
		return err
	}
	if err := f.do(ctx, made...); err != nil {
		return err
	}
	return f.do(ctx, f.after...)
}

// beside reads parts.
func (f *filler) beside(ctx context.Context) (made, unmade []string, err error) {
	rows, err := f.db.QueryContext(ctx, f.parts)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close() // it was only read
	for rows.Next() {
		var a, b string
		if err := rows.Scan(&a, &b); err != nil {
			return nil, nil, err
		}
		made, unmade = append(made, a), append(unmade, b)
	}
	return made, unmade, rows.Err()
}

func (f *filler) do(ctx context.Context, statements ...string) error {
	for _, s := range statements {
		if _, err := f.db.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%.120s: %w", s, err)
		}
	}
	return nil
}

// insert is the statement for the calls with the numbers from until before to.
func (f *filler) insert(workspace string, from, to int) string {
	step := fillYear.Microseconds() / int64(f.n)
	at := fmt.Sprintf("(%d + i * %d)", f.end.UnixMicro()-step*int64(f.n), step)
	over := fmt.Sprintf("(i < %d OR i %% 10 <> 9)", f.n-recent)
	done := "(" + over + " AND i % 5 <> 0)"
	columns := [][2]string{
		{"id", f.hexOf(at+" / 1000", 12) + " || " + f.hexOf("i", 12)}, {"workspace_id", "'" + workspace + "'"}, {"mode", "'live'"},
		{"direction", "CASE WHEN i % 7 = 0 THEN 'inbound' ELSE 'outbound' END"},
		{"state", "CASE WHEN " + done + " THEN 'completed' WHEN " + over + " THEN 'failed' ELSE 'queued' END"},
		{"end_reason", "CASE WHEN " + done + " THEN 'flow-ended' WHEN " + over + " THEN 'no-answer' ELSE '' END"},
		{"agent_id", "'a' || " + f.hexOf(fmt.Sprintf("i %% %d", agents), 23)}, {"flow_id", "''"}, {"flow_version", "0"},
		{"phone_number_id", "'b' || " + f.hexOf("7", 23)},
		{"campaign_id", "CASE WHEN i % 2 = 0 THEN '' ELSE 'c' || " + f.hexOf(fmt.Sprintf("i * %d / %d", campaigns, f.n), 23) + " END"},
		{"from_number", "'+12025550100'"}, {"to_number", "'+1415' || substr('0000000' || (i * 7919 % 10000000), -7)"},
		{"record", "true"}, {"max_duration", "600000000000"}, {"variables", `'{"firstName":"Ada","plan":"gold"}'`},
		{"captured", `'{"answer":"yes"}'`}, {"notes", "'null'"}, {"voice", "'flite/kal'"}, {"model", "''"},
		{"recording", "CASE WHEN " + done + " THEN '2026/01/' || i || '.wav' ELSE '' END"}, {"sip_call_id", "'' || i"},
		{"analysis", "CASE WHEN " + done + ` THEN '{"Summary":"The caller said yes to the appointment on Monday at ten.","Sentiment":"positive","Method":"lexicon"}' ELSE 'null' END`},
		{"version", "5"}, {"created_at", at},
		{"dialed_at", "CASE WHEN " + over + " THEN " + at + " + 1000000 ELSE 0 END"}, {"ringing_at", "0"},
		{"answered_at", "CASE WHEN " + done + " THEN " + at + " + 9000000 ELSE 0 END"},
		{"ended_at", "CASE WHEN " + over + " THEN " + at + " + 69000000 ELSE 0 END"},
	}
	var names, values []string
	for _, c := range columns {
		names, values = append(names, c[0]), append(values, c[1])
	}
	text := strings.Join(values, ", ")
	if f.driver == "pgx" {
		text = strings.ReplaceAll(text, "substr('0000000' || (i * 7919 % 10000000), -7)", "lpad((i * 7919 % 10000000)::text, 7, '0')")
	}
	return "INSERT INTO calls (" + strings.Join(names, ", ") + ") SELECT " + text + " FROM " + fmt.Sprintf(f.series, from, to) + " AS numbers"
}

func (f *filler) hexOf(number string, digits int) string {
	return fmt.Sprintf(f.hex, "("+number+")", digits)
}

// foldGroup is how many changes a fill folds at once: nobody waits for it.
const foldGroup = 5000

// fold adds the counts of a fill to the sums, as a server does in the background.
func fold(ctx context.Context, data, dsn string) error {
	db, err := store.Open(ctx, store.Options{Dir: data, DSN: dsn, Shared: true})
	if err != nil {
		return err
	}
	for n := 1; n > 0 && err == nil; {
		err = db.InTx(ctx, domain.LaneAPI, func(ctx context.Context, s *domain.Stores) (err error) {
			n, err = s.Calls.Fold(ctx, foldGroup)
			return err
		})
	}
	return errors.Join(err, db.Close())
}
