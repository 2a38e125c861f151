package store

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
)

// TestListsAreServedByIndexes asks SQLite how it would run the queries that are
// run most, as the log of statements shows them: none may scan a table or sort
// what an index has in order.
func TestListsAreServedByIndexes(t *testing.T) {
	db, _ := openDB(t)
	db.folds.close() // so that nobody else reads
	seen := &statements{}
	db.reads.pool = db.reads.pool.WithQueryHook(seen)
	in := domain.Scope{Workspace: "w", Mode: domain.Live}
	listCalls(t, db, in)
	err := db.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
		now := time.Now()
		for _, filter := range []domain.AppointmentFilter{
			{}, {Status: domain.AppointmentConfirmed}, {ContactID: "c"}, {AgentID: "a", StartMin: now},
			{Status: domain.AppointmentConfirmed, StartMin: now, StartMax: now}, {StartMin: now, StartMax: now},
		} {
			for _, page := range []domain.Page{{Limit: 50, Offset: 100}, {Limit: 50, After: "x"}} {
				if _, _, err := s.Appointments.Find(ctx, in, filter, page); err != nil {
					return err
				}
			}
		}
		for _, filter := range []domain.ContactFilter{{}, {Stage: "s"}, {Status: "s"}, {Tag: "t"}, {Search: "x"}} {
			for _, page := range []domain.Page{{Limit: 50}, {Limit: 50, After: "x"}} {
				if _, _, err := s.Contacts.Find(ctx, in, filter, page); err != nil {
					return err
				}
			}
		}
		for _, filter := range []domain.MessageFilter{
			{}, {Direction: domain.Inbound}, {Status: domain.MessageSent}, {From: "+1"}, {To: "+1"}, {CreatedMin: now, CreatedMax: now},
			{Direction: domain.Outbound, Status: domain.MessageSent, To: "+1", CreatedMin: now},
		} {
			for _, page := range []domain.Page{{Limit: 50, Offset: 100}, {Limit: 50, After: "x"}} {
				if _, _, err := s.Messages.Find(ctx, in, filter, page); err != nil {
					return err
				}
			}
		}
		page := domain.Page{Limit: 50, After: "x"}
		for _, err := range []error{
			second(s.Calls.Active(ctx, in, 9)), second(s.Agents.List(ctx, in, page)), second(s.Appointments.Taken(ctx, in, now, now, 9)), second(s.Agents.Count(ctx, in)),
			second(s.Numbers.ByNumber(ctx, in, "+1")), second(s.Keys.List(ctx, "w", domain.Live, page)), second(s.Flows.Version(ctx, in, "f", 1)),
			second(s.Attempts.LiveTo(ctx, in, "+1")), second(s.Attempts.LiveOn(ctx, "t", 9)), second(s.Attempts.Orphans(ctx, "e", 9)), second(s.Nodes.Interrupted(ctx, now, 9)),
			second(s.Attempts.ByCall(ctx, "c")), second(s.Turns.ByCall(ctx, "c")), second(s.Events.ByCall(ctx, "c")),
			second(s.Contacts.ByNumber(ctx, in, "+1")), second(s.Suppressed.Get(ctx, in, "+1")), second(s.Suppressed.List(ctx, in, page)),
			second(s.Suppressed.Among(ctx, in, []string{"+1", "+2"})), second(s.Suppressed.Count(ctx, in)), second(s.Business.Values(ctx, in)),
			second(s.Erasure.LastCalls(ctx, in, []string{"+1"})),
			second(s.Deliveries.ByCall(ctx, in, "c")), third(s.Deliveries.ByEndpoint(ctx, in, "e", domain.DeliveryFilter{}, page)), second(s.Deliveries.Tries(ctx, "d")),
			second(s.Endpoints.FailingSince(ctx, "e", "f")), second(s.Messages.ByCarrier(ctx, in, "t", domain.Outbound, "c")),
		} {
			if err != nil && domain.CodeOf(err) != domain.CodeNotFound {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, reader := range db.reads.idle {
		seen.all = append(seen.all, reader.Texts()...)
	}
	for _, table := range []string{"attempts", "deliveries", "jobs"} {
		seen.all = append(seen.all,
			"SELECT id FROM "+table+" WHERE kind = 'k' AND due_at <= 5 ORDER BY due_at, id LIMIT 9",
			"SELECT due_at FROM "+table+" WHERE kind = 'k' AND due_at IS NOT NULL ORDER BY due_at LIMIT 1")
	}
	lists, counts := 0, 0
	for _, statement := range seen.all {
		if !strings.Contains(statement, "jobs") {
			statement = strings.Replace(statement, "kind = 'k' AND ", "", 1)
		}
		counts += strings.Count(statement, "FROM call_counts")
		lists += strings.Count(statement, "FROM calls")
		for _, step := range explain(t, db, statement) {
			if dear(statement, step) {
				t.Errorf("%s\n\t%s", statement, step)
			}
		}
	}
	if lists < 20 || counts < 20 || len(seen.all) < 50 {
		t.Errorf("only %d statements were seen, %d that read calls, %d that read counts", len(seen.all), lists, counts)
	}
}

// dear reports whether a step of a statement's plan costs more the more the
// table holds.
func dear(statement, step string) bool {
	// An hour's calls may be sorted, and so may the sums of a list's spans.
	few := strings.Contains(statement, "created_at >= ? AND created_at < ?") || strings.Contains(statement, "GROUP BY starts")
	switch {
	case strings.Contains(step, "TEMP B-TREE"):
		return !few
	case strings.HasPrefix(step, "SCAN"):
		return !strings.Contains(step, "_due") && !strings.Contains(step, "attempts_held") &&
			step != "SCAN addends" && step != "SCAN CONSTANT ROW" // what was selected before
	}
	return false
}

// listCalls lists calls in every way that the faces of the API do.
func listCalls(t *testing.T, db *DB, in domain.Scope) {
	t.Helper()
	start := time.Date(2026, 1, 1, 0, 10, 0, 0, time.UTC)
	cursor := domain.NewID()
	err := db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		for i := range 2 * 300 {
			c := domain.Call{
				ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, CreatedAt: start.Add(time.Duration(i) * 3 * time.Minute),
				AgentID: "a", CampaignID: "c", Direction: domain.Outbound, State: domain.CallFailed, To: "+1",
			}
			if i == 300 {
				c.ID = cursor
			}
			if i%2 == 0 {
				c.State = domain.CallQueued
			}
			if err := s.Calls.Create(ctx, &c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	queued := []domain.CallState{domain.CallQueued}
	err = db.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
		for _, f := range []domain.CallFilter{
			{}, {AgentID: "a"}, {CampaignID: "c"}, {To: "+1"}, {States: queued}, {CreatedMin: start.Add(time.Hour)},
			{AgentID: "a", CreatedMin: start, CreatedMax: start.Add(22 * time.Hour)}, {Direction: domain.Outbound},
			{States: []domain.CallState{domain.CallQueued, domain.CallDialing, domain.CallRinging}}, {AgentID: "a", States: queued},
			{AgentID: "a", CampaignID: "c", Direction: domain.Outbound, States: queued, CreatedMin: start},
		} {
			for _, page := range []domain.Page{{Limit: 50}, {Limit: 50, Offset: shallow / 2}, {Limit: 50, Offset: 2*shallow + 40}, {Limit: 50, After: cursor}} {
				for _, f.Brief = range []bool{false, true} {
					if _, _, err := s.Calls.List(ctx, in, f, page); err != nil {
						return err
					}
					n := 0
					f.Held = func(domain.ID, int64) bool { n++; return n%10 > 0 } // some are read by themselves
					if _, _, err := s.Calls.List(ctx, in, f, page); err != nil {
						return err
					}
					f.Held = nil
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// shallow is more than half of the offset from which lists are read by the hour.
const shallow = 120

func third[T, U any](_ T, _ U, err error) error { return err }

func second[T any](_ T, err error) error { return err }

// statements notes the queries that bun runs.
type statements struct{ all []string }

func (s *statements) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (s *statements) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if strings.HasPrefix(e.Query, "SELECT") {
		s.all = append(s.all, e.Query)
	}
}

func explain(t *testing.T, db *DB, statement string) (steps []string) {
	t.Helper()
	values := make([]any, strings.Count(statement, "?"))
	for i := range values {
		values[i] = 1
	}
	rows, err := db.reads.pool.DB.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, values...)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", statement, err))
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}
