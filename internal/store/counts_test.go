package store_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

// beside opens the database of a store for a program that knows nothing of the
// store.
func beside(t *testing.T, dir, url string) *sql.DB {
	t.Helper()
	driver, name := "pgx", url
	if url == "" {
		driver, name = "sqlite", "file:"+filepath.Join(dir, store.File)+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// ledger is a workspace's calls as a test knows them.
type ledger struct {
	in    domain.Scope
	db    *store.DB
	raw   *sql.DB
	calls []domain.Call
}

var (
	ledgerStates = []domain.CallState{
		domain.CallQueued, domain.CallDialing, domain.CallRinging, domain.CallInProgress, domain.CallCompleted, domain.CallFailed,
	}
	ledgerAgents    = []domain.ID{"", "agent-a", "agent-b"}
	ledgerCampaigns = []domain.ID{"", "", "campaign-c", "campaign-d"}
	ledgerCallees   = []string{"+15005550006", "+15005550007"}
)

// moment draws a time at which hours, days and longer spans meet, or not.
func moment(t *rapid.T) time.Time {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	hours := rapid.SampledFrom([]int{0, 1, 2, 23, 24, 25, 47, 719, 720, 721, 1440, 9000}).Draw(t, "hour")
	within := rapid.SampledFrom([]time.Duration{0, 1, time.Microsecond, 20 * time.Minute, time.Hour - time.Microsecond}).Draw(t, "within")
	return start.Add(time.Duration(hours)*time.Hour + within).Truncate(time.Microsecond)
}

func (l *ledger) write(t *rapid.T, fn func(ctx context.Context, s *domain.Stores) error) {
	if err := l.db.InTx(context.Background(), domain.LaneAPI, fn); err != nil {
		t.Fatal(err)
	}
}

func (l *ledger) create(t *rapid.T) {
	c := domain.Call{
		ID: domain.NewID(), WorkspaceID: l.in.Workspace, Mode: l.in.Mode, Version: 1, CreatedAt: moment(t),
		Direction:  rapid.SampledFrom([]domain.Direction{domain.Outbound, domain.Inbound}).Draw(t, "direction"),
		State:      rapid.SampledFrom(ledgerStates).Draw(t, "state"),
		AgentID:    rapid.SampledFrom(ledgerAgents).Draw(t, "agent"),
		CampaignID: rapid.SampledFrom(ledgerCampaigns).Draw(t, "campaign"),
		To:         rapid.SampledFrom(ledgerCallees).Draw(t, "to"),
	}
	l.write(t, func(ctx context.Context, s *domain.Stores) error { return s.Calls.Create(ctx, &c) })
	l.calls = append(l.calls, c)
}

// update moves a call on, or its agent or campaign.
func (l *ledger) update(t *rapid.T) {
	if len(l.calls) == 0 {
		return
	}
	c := &l.calls[rapid.IntRange(0, len(l.calls)-1).Draw(t, "which")]
	if !c.State.Ended() {
		c.State = rapid.SampledFrom(ledgerStates).Draw(t, "next state")
	}
	c.AgentID = rapid.SampledFrom(ledgerAgents).Draw(t, "next agent")
	c.CampaignID = rapid.SampledFrom(ledgerCampaigns).Draw(t, "next campaign")
	l.write(t, func(ctx context.Context, s *domain.Stores) error {
		again := *c
		return s.Calls.Update(ctx, &again)
	})
}

// erase deletes calls as no code of the store does.
func (l *ledger) erase(t *rapid.T) {
	if len(l.calls) == 0 {
		return
	}
	i := rapid.IntRange(0, len(l.calls)-1).Draw(t, "which")
	if _, err := l.raw.ExecContext(context.Background(), "DELETE FROM calls WHERE id = '"+string(l.calls[i].ID)+"'"); err != nil {
		t.Fatal(err)
	}
	l.calls = slices.Delete(l.calls, i, i+1)
}

func (l *ledger) fold(t *rapid.T) {
	limit := rapid.IntRange(1, 20).Draw(t, "limit")
	l.write(t, func(ctx context.Context, s *domain.Stores) error {
		_, err := s.Calls.Fold(ctx, limit)
		return err
	})
}

// matches returns the calls of a filter in the order of a list.
func (l *ledger) matches(f domain.CallFilter) (found []domain.Call) {
	for _, c := range l.calls {
		if (f.AgentID == "" || c.AgentID == f.AgentID) && (f.CampaignID == "" || c.CampaignID == f.CampaignID) &&
			(f.Direction == "" || c.Direction == f.Direction) && (f.To == "" || c.To == f.To) &&
			(len(f.States) == 0 || slices.Contains(f.States, c.State)) &&
			(f.CreatedMin.IsZero() || !c.CreatedAt.Before(f.CreatedMin)) && (f.CreatedMax.IsZero() || c.CreatedAt.Before(f.CreatedMax)) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b domain.Call) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(string(b.ID), string(a.ID)))
	})
	return found
}

func anyFilter(t *rapid.T) domain.CallFilter {
	f := domain.CallFilter{
		AgentID:    rapid.SampledFrom(ledgerAgents).Draw(t, "of agent"),
		CampaignID: rapid.SampledFrom(ledgerCampaigns).Draw(t, "of campaign"),
		Direction:  rapid.SampledFrom([]domain.Direction{"", domain.Outbound, domain.Inbound}).Draw(t, "of direction"),
		States:     rapid.SliceOfNDistinct(rapid.SampledFrom(ledgerStates), 0, 3, rapid.ID[domain.CallState]).Draw(t, "of states"),
		Brief:      rapid.Bool().Draw(t, "brief"),
	}
	if f.Brief && rapid.Bool().Draw(t, "some held") {
		f.Held = func(id domain.ID, _ int64) bool { return id[len(id)-1]%2 == 0 }
	}
	if rapid.IntRange(0, 9).Draw(t, "by callee") == 0 {
		f.To = ledgerCallees[0]
	}
	if rapid.Bool().Draw(t, "bounded below") {
		f.CreatedMin = moment(t)
	}
	if rapid.Bool().Draw(t, "bounded above") {
		f.CreatedMax = moment(t)
	}
	return f
}

// look compares one list with what the test knows.
func (l *ledger) look(t *rapid.T) {
	f := anyFilter(t)
	want := l.matches(f)
	page := domain.Page{Limit: rapid.IntRange(1, 5).Draw(t, "page"), Offset: rapid.IntRange(0, len(want)+1).Draw(t, "offset")}
	if len(want) > 0 && rapid.Bool().Draw(t, "by cursor") {
		page.After = want[rapid.IntRange(0, len(want)-1).Draw(t, "cursor")].ID
	}
	if err := l.compare(f, page, want, rapid.Bool().Draw(t, "while writing")); err != nil {
		t.Fatal(err)
	}
}

// compare lists a page of a filter, whose calls are want.
func (l *ledger) compare(f domain.CallFilter, page domain.Page, want []domain.Call, writing bool) error {
	rest := want[min(page.Offset, len(want)):]
	if page.After != "" {
		rest = want[slices.IndexFunc(want, func(c domain.Call) bool { return c.ID == page.After })+1:]
	}
	rest = rest[:min(page.Limit, len(rest))]
	show := func(calls []domain.Call) (ids []domain.ID) {
		for _, c := range calls {
			ids = append(ids, c.ID)
		}
		return ids
	}
	read := func(ctx context.Context, s *domain.Stores) error {
		f := f
		var told []domain.Call // of all calls, also those that are left out
		if held := f.Held; held != nil {
			f.Held = func(id domain.ID, version int64) bool {
				told = append(told, domain.Call{ID: id})
				return held(id, version)
			}
		}
		got, total, err := s.Calls.List(ctx, l.in, f, page)
		if err != nil {
			return err
		}
		if total != len(want) {
			return fmt.Errorf("filter %+v has the total %d, want %d", f, total, len(want))
		}
		if f.Held != nil {
			got = told
		}
		if g, w := fmt.Sprint(show(got)), fmt.Sprint(show(rest)); g != w {
			return fmt.Errorf("filter %+v, page %+v:\ngot  %s\nwant %s", f, page, g, w)
		}
		return nil
	}
	if writing {
		return l.db.InTx(context.Background(), domain.LaneAPI, read)
	}
	return l.db.View(context.Background(), read)
}

// TestPagesAmongMany has so many calls in some hours that a list looks for those
// of its filter hour by hour.
func TestPagesAmongMany(t *testing.T) {
	l := &ledger{in: domain.Scope{Workspace: domain.NewID(), Mode: domain.Live}, db: openBoth(t, storetest.Dir(t), storetest.URL(t))}
	start := time.Date(2026, 3, 1, 22, 0, 0, 0, time.UTC)
	for i := range 6000 {
		c := domain.Call{
			ID: domain.NewID(), WorkspaceID: l.in.Workspace, Mode: l.in.Mode, Version: 1, Direction: domain.Outbound, State: domain.CallCompleted,
			AgentID: ledgerAgents[i%3], CampaignID: ledgerCampaigns[i%4], CreatedAt: start.Add(time.Duration(i) * 3 * time.Second),
		}
		switch {
		case i%17 == 0:
			c.Direction = domain.Inbound
		case i%400 < 3:
			c.State = domain.CallRinging
		}
		switch {
		case i >= 4500: // a month later, some each day
			c.CreatedAt = start.Add(30*24*time.Hour + time.Duration(i)*5*time.Minute)
		case i >= 3000: // some each hour
			c.CreatedAt = start.Add(3*time.Hour + time.Duration(i-3000)*20*time.Second)
		}
		l.calls = append(l.calls, c)
	}
	for some := range slices.Chunk(l.calls, 500) { // a transaction must not last
		err := l.db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
			for _, again := range some {
				if err := s.Calls.Create(ctx, &again); err != nil {
					return err
				}
			}
			_, err := s.Calls.Fold(ctx, 350)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := l.db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		_, err := s.Calls.Fold(ctx, 10_000) // also what is left
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []domain.CallFilter{
		{}, {AgentID: ledgerAgents[1]}, {Direction: domain.Inbound}, {States: ledgerStates[1:3]}, {AgentID: ledgerAgents[2], States: ledgerStates[2:3]},
		{AgentID: ledgerAgents[1], CampaignID: ledgerCampaigns[3], Direction: domain.Outbound},
		{Direction: domain.Inbound, CreatedMin: start.Add(61 * time.Minute), CreatedMax: start.Add(4*time.Hour + 7*time.Minute)},
		{States: ledgerStates[1:5], CreatedMin: start.Add(30 * time.Minute), CreatedMax: start.Add(2 * time.Hour)},
		{CreatedMax: start.Add(3*time.Hour + time.Second)},
	} {
		want := l.matches(f)
		for _, f.Brief = range []bool{true, false} {
			for offset := 0; offset <= len(want); offset += 1 + len(want)/13 {
				if err := l.compare(f, domain.Page{Limit: 50, Offset: offset}, want, false); err != nil {
					t.Error(err)
				}
				if offset < len(want) {
					if err := l.compare(f, domain.Page{Limit: 7, After: want[offset].ID}, want, false); err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
}

// TestTotalsAndPagesEqualTheTable has calls come, change and go in any order,
// with the counts folded in between, and compares totals and pages of any filter.
func TestTotalsAndPagesEqualTheTable(t *testing.T) {
	dir, url := storetest.Dir(t), storetest.URL(t)
	db := openBoth(t, dir, url)
	raw := beside(t, dir, url)
	rapid.Check(t, func(rt *rapid.T) {
		l := &ledger{in: domain.Scope{Workspace: domain.NewID(), Mode: domain.Live}, db: db, raw: raw}
		rt.Repeat(map[string]func(*rapid.T){
			"create": l.create, "create too": l.create, "update": l.update, "erase": l.erase, "fold": l.fold, "": l.look,
		})
	})
}

// TestFoldsAtOnce has two stores on one database write and fold at the same time:
// no change is lost, none is counted twice, and no list sees anything in between.
func TestFoldsAtOnce(t *testing.T) {
	storetest.OnPostgres(t, func(t *testing.T, url string) { foldsAtOnce(t, openAt(t, url), openAt(t, url)) })
	t.Run("sqlite", func(t *testing.T) {
		db := openIn(t, storetest.Dir(t))
		foldsAtOnce(t, db, db)
	})
}

func foldsAtOnce(t *testing.T, stores ...*store.DB) {
	in := domain.Scope{Workspace: domain.NewID(), Mode: domain.Live}
	const each = 20
	var writers, others sync.WaitGroup
	done := make(chan struct{})
	check := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	for n, db := range stores {
		for w := range 3 {
			writers.Go(func() {
				for i := range each {
					c := domain.Call{
						ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Version: 1, State: domain.CallQueued, AgentID: "a",
						Direction: domain.Outbound, CreatedAt: time.Date(2026, 1, 1, i%30, n, w, 0, time.UTC),
					}
					check(db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error { return s.Calls.Create(ctx, &c) }))
					c.State = domain.CallFailed
					check(db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
						again := c
						return s.Calls.Update(ctx, &again)
					}))
				}
			})
		}
		others.Go(func() {
			for {
				check(db.InTx(t.Context(), domain.LaneBackground, func(ctx context.Context, s *domain.Stores) error {
					_, err := s.Calls.Fold(ctx, 7)
					return err
				}))
				check(db.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
					page, total, err := s.Calls.List(ctx, in, domain.CallFilter{AgentID: "a"}, domain.Page{})
					if err == nil && len(page) != total {
						err = fmt.Errorf("a list of %d calls has the total %d", len(page), total)
					}
					return err
				}))
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writers.Wait()
	close(done)
	others.Wait()
	want := 3 * each * len(stores)
	for _, f := range []domain.CallFilter{{}, {States: []domain.CallState{domain.CallFailed}}, {States: []domain.CallState{domain.CallQueued}}} {
		check(stores[0].View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
			_, total, err := s.Calls.List(ctx, in, f, domain.Page{Limit: 1})
			if len(f.States) == 1 && f.States[0] == domain.CallQueued {
				want = 0
			}
			if total != want {
				t.Errorf("%v: total %d, want %d", f.States, total, want)
			}
			return err
		}))
	}
}

// TestEveryFieldOfTheFilterIsCounted fails when a filter gets a field that the
// sums do not know: add it to countable, matching or summed of package calling,
// and here.
func TestEveryFieldOfTheFilterIsCounted(t *testing.T) {
	text := fmt.Sprintf("%+v", domain.CallFilter{})
	const known = "{States:[] IDs:[] AgentID: Agents:[] FlowID: CampaignID: Direction: To: CreatedMin:0001-01-01 00:00:00 +0000 UTC CreatedMax:0001-01-01 00:00:00 +0000 UTC Brief:false Held:<nil>}"
	if text != known {
		t.Errorf("a filter is %s, but the sums know %s", text, known)
	}
}

func openBoth(t *testing.T, dir, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: dir, DSN: url, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestChangesAreFoldedByThemselves waits for the pass in the background.
func TestChangesAreFoldedByThemselves(t *testing.T) {
	dir, url := storetest.Dir(t), storetest.URL(t)
	db := openBoth(t, dir, url)
	in := domain.Scope{Workspace: domain.NewID(), Mode: domain.Live}
	err := db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		for range 2100 { // more than are folded at once, and enough for a vacuum
			c := domain.Call{ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, CreatedAt: time.Now(), State: domain.CallQueued}
			if err := s.Calls.Create(ctx, &c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	raw := beside(t, dir, url)
	waiting := -1
	for deadline := time.Now().Add(30 * time.Second); waiting != 0 && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err := raw.QueryRow("SELECT count(*) FROM call_changes").Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	var sum int
	if err := raw.QueryRow("SELECT sum(n) FROM call_counts WHERE span = 0 AND agent_id = '' AND campaign_id = ''").Scan(&sum); err != nil {
		t.Fatal(err)
	}
	if waiting != 0 || sum != 2100 {
		t.Errorf("%d changes wait, the sum is %d", waiting, sum)
	}
	if url == "" {
		return
	}
	vacuums := 0
	for deadline := time.Now().Add(30 * time.Second); vacuums == 0 && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err := raw.QueryRow("SELECT vacuum_count FROM pg_stat_user_tables WHERE relid = 'call_changes'::regclass").Scan(&vacuums); err != nil {
			t.Fatal(err)
		}
	}
	if vacuums == 0 {
		t.Error("what was folded was not vacuumed")
	}
}

// TestBriefCallsAreTheCalls compares calls of a brief list, with what strangers
// may have put into them, to the calls by themselves.
func TestBriefCallsAreTheCalls(t *testing.T) {
	db := openBoth(t, storetest.Dir(t), storetest.URL(t))
	in := domain.Scope{Workspace: domain.NewID(), Mode: domain.Live}
	at := time.Now().UTC().Truncate(time.Microsecond)
	made := []domain.Call{
		{From: "+15005550100", To: "+15005550006"},
		{From: "a\x1fb", To: "\x1f\x1f"},
		{From: "", To: "x", Analysis: &domain.Analysis{}},
		{From: "'\"\\\n", Analysis: &domain.Analysis{Summary: `said "yes"` + "\x1f", Sentiment: "positive", Method: "lexicon"}},
		{Analysis: &domain.Analysis{Summary: "plain, }", Sentiment: "neutral", Method: "m"}, Recording: "2026/x.wav", EndReason: domain.EndFlow},
	}
	err := db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		for i := range made {
			c := &made[i]
			c.ID, c.WorkspaceID, c.Mode, c.Direction, c.State, c.Version = domain.NewID(), in.Workspace, in.Mode, domain.Inbound, domain.CallCompleted, 3
			c.AgentID, c.PhoneNumberID, c.CampaignID = domain.NewID(), domain.NewID(), domain.NewID()
			c.CreatedAt, c.AnsweredAt, c.EndedAt = at, at.Add(time.Second), at.Add(time.Minute)
			if err := s.Calls.Create(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(made) // newest first
	err = db.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
		got, _, err := s.Calls.List(ctx, in, domain.CallFilter{Brief: true}, domain.Page{})
		if diff := len(got) - len(made); diff != 0 {
			t.Fatalf("%d calls too many", diff)
		}
		for i := range got {
			a, b := got[i].Analysis, made[i].Analysis
			if (a == nil) != (b == nil) || a != nil && *a != *b {
				t.Errorf("analysis %+v, want %+v", a, b)
			}
			got[i].Analysis, made[i].Analysis = nil, nil
			if g, w := fmt.Sprintf("%+q", fmt.Sprint(got[i])), fmt.Sprintf("%+q", fmt.Sprint(made[i])); g != w {
				t.Errorf("\ngot  %s\nwant %s", g, w)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
