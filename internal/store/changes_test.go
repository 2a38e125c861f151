package store_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/storetest"
)

// TestOldCallsAreCounted has the calls of a database from before the counts.
func TestOldCallsAreCounted(t *testing.T) {
	dir, url := storetest.Dir(t), storetest.URL(t)
	db := openBoth(t, dir, url)
	in := domain.Scope{Workspace: domain.NewID(), Mode: domain.Test}
	start := time.Date(2026, 5, 5, 5, 0, 0, 0, time.UTC)
	err := db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		for i := range 60 {
			c := domain.Call{
				ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, CreatedAt: start.Add(time.Duration(i) * 7 * time.Hour),
				State: ledgerStates[i%6], AgentID: ledgerAgents[i%3], CampaignID: ledgerCampaigns[i%4], Direction: domain.Outbound,
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
	steps := stepsOf(t, beside(t, dir, url), url)
	steps(28, false)
	steps(6, false)
	steps(6, true)
	steps(28, true)
	for _, c := range []struct {
		f    domain.CallFilter
		want int
	}{
		{domain.CallFilter{}, 60}, {domain.CallFilter{AgentID: ledgerAgents[1]}, 20}, {domain.CallFilter{CampaignID: ledgerCampaigns[3]}, 15},
		{domain.CallFilter{AgentID: ledgerAgents[1], CampaignID: ledgerCampaigns[3]}, 5}, {domain.CallFilter{States: ledgerStates[:2]}, 20},
		{domain.CallFilter{CreatedMin: start.Add(7 * time.Hour), CreatedMax: start.Add(35*time.Hour + time.Minute)}, 5},
		{domain.CallFilter{CreatedMin: start.Add(14*time.Hour + time.Minute)}, 57},
	} {
		err := db.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
			page, total, err := s.Calls.List(ctx, in, c.f, domain.Page{Limit: 100})
			if total != c.want || len(page) != c.want {
				t.Errorf("%+v: %d calls, total %d, want %d", c.f, len(page), total, c.want)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// stepsOf returns what undoes, or makes again, one version of a database's tables.
func stepsOf(t *testing.T, raw *sql.DB, url string) func(version int64, up bool) {
	t.Helper()
	dialect, files := goose.DialectSQLite3, "migrations/sqlite"
	if url != "" {
		dialect, files = goose.DialectPostgres, "migrations/postgres"
	}
	steps, err := goose.NewProvider(dialect, raw, os.DirFS(files), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	return func(version int64, up bool) {
		t.Helper()
		if _, err := steps.ApplyVersion(t.Context(), version, up); err != nil {
			t.Fatal(err)
		}
	}
}

// TestChangesOfOldTablesCount has changes that wait to be folded when a database
// gets rows that say what the state of a call was, and when it loses them again.
func TestChangesOfOldTablesCount(t *testing.T) {
	dir, url := storetest.Dir(t), storetest.URL(t)
	db := openBoth(t, dir, url)
	raw := beside(t, dir, url)
	steps := stepsOf(t, raw, url)
	in := domain.Scope{Workspace: domain.NewID(), Mode: domain.Live}
	start := time.Date(2026, 5, 5, 5, 0, 0, 0, time.UTC)
	ids := make([]domain.ID, 60)
	write := func(fn func(ctx context.Context, s *domain.Stores) error) {
		t.Helper()
		if err := db.InTx(t.Context(), domain.LaneAPI, fn); err != nil {
			t.Fatal(err)
		}
	}
	write(func(ctx context.Context, s *domain.Stores) error {
		for i := range ids {
			c := domain.Call{
				ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, CreatedAt: start.Add(time.Duration(i) * 7 * time.Hour),
				State: domain.CallQueued, AgentID: ledgerAgents[i%3], CampaignID: ledgerCampaigns[i%4], Direction: domain.Outbound,
			}
			ids[i] = c.ID
			if err := s.Calls.Create(ctx, &c); err != nil {
				return err
			}
		}
		_, err := s.Calls.Fold(ctx, 25)
		return err
	})
	check := func(when string, states map[domain.CallState]int, calls, talked [3]int) {
		t.Helper()
		err := db.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
			use, err := s.Agents.Use(ctx, in, ledgerAgents)
			for n, id := range ledgerAgents {
				if want := (domain.AgentUse{Calls: calls[n], Talked: time.Duration(talked[n]) * time.Second}); id != "" && use[id] != want {
					t.Errorf("%s: %s has the use %+v, want %+v", when, id, use[id], want)
				}
			}
			all := 0
			for _, state := range ledgerStates {
				all += states[state]
				page, total, failed := s.Calls.List(ctx, in, domain.CallFilter{States: []domain.CallState{state}}, domain.Page{Limit: 100})
				if total != states[state] || len(page) != total {
					t.Errorf("%s: %d calls are %s, total %d, want %d", when, len(page), state, total, states[state])
				}
				err = cmp.Or(err, failed)
			}
			for n, agent := range ledgerAgents[1:] {
				_, total, failed := s.Calls.List(ctx, in, domain.CallFilter{AgentID: agent, CreatedMin: start.Add(-time.Hour)}, domain.Page{Limit: 1})
				if total != calls[n+1] {
					t.Errorf("%s: %s has the total %d, want %d", when, agent, total, calls[n+1])
				}
				err = cmp.Or(err, failed)
			}
			_, total, failed := s.Calls.List(ctx, in, domain.CallFilter{}, domain.Page{Limit: 1})
			if total != all {
				t.Errorf("%s: total %d, want %d", when, total, all)
			}
			return cmp.Or(err, failed)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	// end has calls end that lasted so many seconds each.
	end := func(seconds int, ids ...domain.ID) {
		t.Helper()
		for _, id := range ids {
			at := start.UnixMicro()
			if _, err := raw.Exec(fmt.Sprintf("UPDATE calls SET state = 'completed', answered_at = %d, ended_at = %d WHERE id = '%s'", at, at+int64(seconds)*1e6, id)); err != nil {
				t.Fatal(err)
			}
		}
	}
	fold := func() {
		t.Helper()
		for n := 1; n > 0; {
			write(func(ctx context.Context, s *domain.Stores) (err error) {
				n, err = s.Calls.Fold(ctx, 7)
				return err
			})
		}
	}
	end(1, ids[:20]...) // by changes that are undone
	check("new rows", map[domain.CallState]int{domain.CallQueued: 40, domain.CallCompleted: 20}, [3]int{0, 20, 20}, [3]int{0, 7, 6})
	steps(28, false)
	end(3, ids[20:30]...)
	if _, err := raw.Exec("DELETE FROM calls WHERE id = '" + string(ids[4]) + "'"); err != nil {
		t.Fatal(err)
	}
	steps(28, true)
	want := map[domain.CallState]int{domain.CallQueued: 30, domain.CallCompleted: 29}
	check("old rows", want, [3]int{0, 19, 20}, [3]int{0, 7 - 1 + 3*3, 6 + 4*3})
	fold()
	check("folded", want, [3]int{0, 19, 20}, [3]int{0, 15, 18})
	end(5, ids[0]) // it has ended
	end(2, ids[1]) // and so has this, a second ago
	if _, err := raw.Exec("UPDATE calls SET agent_id = 'agent-b' WHERE id = '" + string(ids[1]) + "'"); err != nil {
		t.Fatal(err)
	}
	check("moved", want, [3]int{0, 18, 21}, [3]int{0, 15 - 1, 18 + 2})
	fold()
	check("folded again", want, [3]int{0, 18, 21}, [3]int{0, 14, 20})
}
