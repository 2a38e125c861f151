package analysis_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callwright/callwright/internal/analysis"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const definition = `{"startNodeId":"hello","nodes":[
	{"id":"hello","type":"ask","text":"What is your zip code?","variable":"zip","answer":{"type":"text"},"edges":[{"to":"name","kind":"always"}]},
	{"id":"name","type":"ask","text":"And your name?","variable":"name","answer":{"type":"text"},"edges":[{"to":"bye","kind":"always"}]},
	{"id":"bye","type":"end","text":"Goodbye."}]}`

var scope = domain.Scope{Workspace: "w", Mode: domain.Live}

func open(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: storetest.Dir(t), DSN: storetest.URL(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func write(t *testing.T, db *store.DB, fn func(ctx context.Context, s *domain.Stores) error) {
	t.Helper()
	if err := db.InTx(context.Background(), domain.LaneCall, fn); err != nil {
		t.Fatal(err)
	}
}

// ended stores a call that is over, its turns, its flow and its job.
func ended(t *testing.T, db *store.DB, edit func(*domain.Call)) domain.ID {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	call := domain.Call{
		ID: domain.NewID(), WorkspaceID: scope.Workspace, Mode: scope.Mode, Direction: domain.Outbound, State: domain.CallCompleted,
		EndReason: domain.EndFlow, From: "+15550000001", To: "+15551234567", FlowID: domain.NewID(), FlowVersion: 1, Version: 1,
		Captured:  map[string]any{"name": "Ana", "zip": "94107"},
		CreatedAt: now.Add(-time.Minute), AnsweredAt: now.Add(-30 * time.Second), EndedAt: now,
	}
	if edit != nil {
		edit(&call)
	}
	write(t, db, func(ctx context.Context, s *domain.Stores) error {
		row := call
		return errors.Join(
			s.Flows.Create(ctx, &domain.Flow{
				ID: call.FlowID, WorkspaceID: scope.Workspace, Mode: scope.Mode, Name: "f", Status: domain.FlowPublished, Version: 1,
				Definition: []byte(definition), CreatedAt: now, UpdatedAt: now,
			}),
			s.Calls.Create(ctx, &row),
			s.Turns.Append(ctx, domain.Turn{CallID: call.ID, Sequence: 1, Role: domain.RoleCaller, Text: "That's great, thank you!"}),
			s.Jobs.Create(ctx, &domain.Job{
				ID: domain.NewID(), WorkspaceID: scope.Workspace, Mode: scope.Mode, Kind: domain.JobAnalysis, Subject: call.ID,
				State: domain.JobPending, NextAt: now, CreatedAt: now,
			}),
		)
	})
	return call.ID
}

// run starts a worker and returns what stops it, after the jobs at work.
func run(t *testing.T, db *store.DB, now func() time.Time, complete analysis.Complete) (stop func()) {
	t.Helper()
	w := analysis.New(analysis.Options{Store: db, Complete: complete, Now: now})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// completer does what Complete asks for, but for the event.
func completer(db *store.DB, got chan<- domain.Analysis) analysis.Complete {
	return func(ctx context.Context, job domain.Job, a domain.Analysis) error {
		err := db.InTx(ctx, domain.LaneBackground, func(ctx context.Context, s *domain.Stores) error {
			call, err := s.Calls.ByID(ctx, job.Subject)
			if err != nil {
				return err
			}
			call.Analysis = &a
			return errors.Join(s.Calls.Update(ctx, call), s.Jobs.Finish(ctx, job))
		})
		if err == nil {
			got <- a
		}
		return err
	}
}

// left counts the jobs that can still be claimed, however late. It takes them.
func left(t *testing.T, db *store.DB) int {
	t.Helper()
	var n int
	write(t, db, func(ctx context.Context, s *domain.Stores) error {
		jobs, _, err := s.Jobs.Claim(ctx, domain.JobAnalysis, time.Now().Add(24*time.Hour), time.Minute, 100)
		n = len(jobs)
		return err
	})
	return n
}

func receive(t *testing.T, got <-chan domain.Analysis) domain.Analysis {
	t.Helper()
	select {
	case a := <-got:
		return a
	case <-time.After(10 * time.Second):
		t.Fatal("no analysis came")
		return domain.Analysis{}
	}
}

func TestWorkerAnalyses(t *testing.T) {
	db := open(t)
	got := make(chan domain.Analysis, 10)
	stop := run(t, db, nil, completer(db, got))
	id := ended(t, db, nil)
	a := receive(t, got)
	if a.Sentiment != analysis.Positive || a.Method != analysis.Method || !strings.Contains(a.Summary, "Captured: zip = 94107; name = Ana.") {
		t.Errorf("%+v", a)
	}
	err := db.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
		call, err := s.Calls.ByID(ctx, id)
		if err == nil && (call.Analysis == nil || *call.Analysis != a) {
			t.Errorf("stored is %+v", call.Analysis)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if n := left(t, db); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
}

// TestWorkerPassesOver has calls that have nothing to analyse before one that
// has.
func TestWorkerPassesOver(t *testing.T) {
	db := open(t)
	got := make(chan domain.Analysis, 10)
	ended(t, db, func(c *domain.Call) {
		c.AnsweredAt, c.State, c.EndReason = time.Time{}, domain.CallFailed, domain.EndBusy
	})
	write(t, db, func(ctx context.Context, s *domain.Stores) error {
		return s.Jobs.Create(ctx, &domain.Job{ID: domain.NewID(), Kind: domain.JobAnalysis, Subject: "gone", State: domain.JobPending, NextAt: time.Now()})
	})
	ended(t, db, func(c *domain.Call) { c.FlowVersion = 7 }) // a version that is not there loses the order only
	stop := run(t, db, nil, completer(db, got))
	if a := receive(t, got); !strings.Contains(a.Summary, "Captured: name = Ana; zip = 94107.") {
		t.Errorf("%+v", a)
	}
	stop()
	if n := left(t, db); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
	if len(got) > 0 {
		t.Errorf("a call without an answer has the analysis %+v", <-got)
	}
}

func TestWorkerTriesAgainAndGivesUp(t *testing.T) {
	db := open(t)
	ended(t, db, nil)
	var clock atomic.Int64
	clock.Store(time.Now().UnixMicro())
	now := func() time.Time { return time.UnixMicro(clock.Load()) }
	tries := make(chan int64, 10)
	stop := run(t, db, now, func(_ context.Context, job domain.Job, _ domain.Analysis) error {
		tries <- job.Attempt
		return errors.New("the rules are away")
	})
	// The clock runs on while a try is worked on, as clocks do.
	hurry := time.NewTicker(20 * time.Millisecond)
	defer hurry.Stop()
	limit := time.After(30 * time.Second)
	for want := int64(1); want <= 5; {
		select {
		case got := <-tries:
			if got != want {
				t.Fatalf("try %d, want %d", got, want)
			}
			want++
		case <-hurry.C:
			clock.Add(time.Minute.Microseconds())
		case <-limit:
			t.Fatalf("try %d did not come", want)
		}
	}
	stop()
	if n := left(t, db); n != 0 {
		t.Error("the job is never given up")
	}
}
