package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

func workspaceOf(name string) domain.Workspace {
	return domain.Workspace{ID: domain.NewID(), Name: name, CreatedAt: clock()}
}

func create(w domain.Workspace) func(context.Context, *domain.Stores) error {
	return func(ctx context.Context, s *domain.Stores) error { return s.Workspaces.Create(ctx, &w) }
}

// there reports whether a workspace was committed.
func (b *bench) there(w domain.Workspace) bool {
	b.Helper()
	err := b.store.View(b.Context(), func(ctx context.Context, s *domain.Stores) error {
		_, err := s.Workspaces.Get(ctx, w.ID)
		return err
	})
	if err != nil && domain.CodeOf(err) != domain.CodeNotFound {
		b.Fatal(err)
	}
	return err == nil
}

func rollbackOnError(_ *testing.T, b *bench) {
	w, mine := workspaceOf("gone"), errors.New("changed my mind")
	err := b.try(func(ctx context.Context, s *domain.Stores) error {
		if err := s.Workspaces.Create(ctx, &w); err != nil {
			return err
		}
		return mine
	})
	if err != mine { //nolint:errorlint // it must be the very error
		b.Fatalf("InTx returned %v, want the closure's error as it is", err)
	}
	b.same(b.there(w), false)
}

func rollbackOnPanic(_ *testing.T, b *bench) {
	w := workspaceOf("gone")
	err := b.try(func(ctx context.Context, s *domain.Stores) error {
		if err := s.Workspaces.Create(ctx, &w); err != nil {
			return err
		}
		panic("bang")
	})
	b.wantCode(err, domain.CodeInternal, "bang")
	b.same(b.there(w), false)
	err = b.store.View(b.Context(), func(context.Context, *domain.Stores) error { panic("bang") })
	b.wantCode(err, domain.CodeInternal, "bang")
	b.write(create(workspaceOf("after"))) // the store is none the worse
}

// manyAtOnce proves that closures which share a commit do not share their fate.
func manyAtOnce(_ *testing.T, b *bench) {
	var wg sync.WaitGroup
	made := make([]domain.Workspace, 120)
	fails := func(i int) bool { return i%5 > 2 }
	for i := range made {
		made[i] = workspaceOf(fmt.Sprint(i))
		wg.Go(func() {
			err := b.store.InTx(b.Context(), domain.Lane(i%4), func(ctx context.Context, s *domain.Stores) error {
				if err := s.Workspaces.Create(ctx, &made[i]); err != nil {
					return err
				}
				switch i % 5 {
				case 3:
					return errors.New("no")
				case 4:
					panic("no")
				}
				return nil
			})
			if fails(i) != (err != nil) {
				b.Errorf("closure %d ended with %v", i, err)
			}
		})
	}
	wg.Wait()
	for i, w := range made {
		if there := b.there(w); there == fails(i) {
			b.Errorf("the row of closure %d is there: %t", i, there)
		}
	}
}

// hold occupies all writers until the returned function is called.
func (b *bench) hold() (release func()) {
	var began, ended sync.WaitGroup
	stop := make(chan struct{})
	for range b.writers {
		began.Add(1)
		ended.Go(func() {
			var once sync.Once
			err := b.store.InTx(b.Context(), domain.LaneCall, func(context.Context, *domain.Stores) error {
				once.Do(began.Done)
				<-stop
				return nil
			})
			if err != nil {
				b.Error(err)
			}
		})
	}
	began.Wait()
	return func() {
		close(stop)
		ended.Wait()
	}
}

func canceledBeforeRun(_ *testing.T, b *bench) {
	release := b.hold()
	ctx, cancel := context.WithTimeout(b.Context(), 20*time.Millisecond)
	defer cancel()
	var ran atomic.Bool
	err := b.store.InTx(ctx, domain.LaneAPI, func(context.Context, *domain.Stores) error {
		ran.Store(true)
		return nil
	})
	release()
	if !errors.Is(err, context.DeadlineExceeded) {
		b.Errorf("InTx returned %v, want the context's error", err)
	}
	b.write(create(workspaceOf("after")))
	if ran.Load() {
		b.Error("a closure ran after its caller was told that it would not")
	}
	ctx, cancel = context.WithCancel(b.Context())
	cancel()
	if err := b.store.View(ctx, func(context.Context, *domain.Stores) error { return nil }); !errors.Is(err, context.Canceled) {
		b.Errorf("View returned %v, want the context's error", err)
	}
}

// canceledWhileRun proves that a closure that has begun is neither torn nor
// denied.
func canceledWhileRun(_ *testing.T, b *bench) {
	w := workspaceOf("kept")
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	runs := 0
	err := b.store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		if runs++; runs == 2 { // the first run is the rehearsal
			cancel()
			time.Sleep(5 * time.Millisecond)
		}
		return s.Workspaces.Create(ctx, &w)
	})
	if err != nil {
		b.Errorf("InTx returned %v although the closure had begun", err)
	}
	b.same(b.there(w), true)
}

func nestedIsRefused(_ *testing.T, b *bench) {
	err := b.try(func(ctx context.Context, _ *domain.Stores) error {
		return b.store.InTx(ctx, domain.LaneAPI, create(workspaceOf("inner")))
	})
	b.wantCode(err, domain.CodeInternal, "within InTx")
}

func viewIsASnapshot(_ *testing.T, b *bench) {
	first, second := workspaceOf("first"), workspaceOf("second")
	b.write(create(first))
	b.read(func(ctx context.Context, s *domain.Stores) error {
		if _, err := s.Workspaces.Get(ctx, first.ID); err != nil {
			return err
		}
		b.write(create(second)) // somebody else's write, not the snapshot's
		_, err := s.Workspaces.Get(ctx, second.ID)
		b.wantCode(err, domain.CodeNotFound, string(second.ID))
		return nil
	})
	b.same(b.there(second), true)
}

func viewDoesNotWrite(_ *testing.T, b *bench) {
	w := workspaceOf("no")
	if err := b.store.View(b.Context(), create(w)); err == nil {
		b.Error("View wrote")
	}
	b.same(b.there(w), false)
}

func ownWritesAreSeen(_ *testing.T, b *bench) {
	w := workspaceOf("mine")
	b.write(func(ctx context.Context, s *domain.Stores) error {
		if err := s.Workspaces.Create(ctx, &w); err != nil {
			return err
		}
		_, err := s.Workspaces.Get(ctx, w.ID)
		return err
	})
}

func hintsAfterCommit(_ *testing.T, b *bench) {
	in, _ := scopes()
	var hints atomic.Int64
	var seen atomic.Bool
	attempt := attemptOf(in, "+15005550006", clock())
	// The hint comes after the commit: what caused it can be read.
	hinted := make(chan struct{}, 100)
	b.store.AfterCommit("attempts", func() { hints.Add(1); hinted <- struct{}{} })
	b.store.AfterCommit("jobs", func() { b.Error("a hint about jobs, which nobody touched") })

	_ = b.try(func(ctx context.Context, s *domain.Stores) error {
		if err := s.Attempts.Create(ctx, &attempt); err != nil {
			return err
		}
		return errors.New("rolled back")
	})
	b.write(create(workspaceOf("other")))
	if n := hints.Load(); n != 0 {
		b.Fatalf("%d hints before anything was committed", n)
	}
	b.createAttempts(attempt)
	select {
	case <-hinted:
	case <-time.After(10 * time.Second):
		b.Fatal("no hint after the commit")
	}
	b.read(func(ctx context.Context, s *domain.Stores) error {
		_, err := s.Attempts.Get(ctx, attempt.ID)
		seen.Store(err == nil)
		return err
	})
	before := hints.Load()
	claimed, _ := b.claimAttempts(domain.NewID(), clock().Add(time.Hour), 1)
	b.write(create(workspaceOf("another")))
	if n := hints.Load(); n != before {
		b.Error("a claim hinted at work: the claim loop would wake itself for ever")
	}
	become := func(state domain.AttemptState) {
		claimed[0].State = state
		b.write(func(ctx context.Context, s *domain.Stores) error { return s.Attempts.Update(ctx, &claimed[0]) })
	}
	become(domain.AttemptIntent)
	b.write(create(workspaceOf("a third")))
	if n := hints.Load(); n != before {
		b.Error("a call that is dialed hinted at work")
	}
	become(domain.AttemptPlanned)
	for deadline := time.Now().Add(10 * time.Second); hints.Load() == before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatal("no hint at an attempt that waits again")
		}
	}
}

// lastWriterIsNamed proves that of many who change one version, one wins.
func lastWriterIsNamed(_ *testing.T, b *bench) {
	in, _ := scopes()
	flow := flowOf(in, domain.NewID(), clock(), 0)
	b.write(func(ctx context.Context, s *domain.Stores) error {
		f := flow
		return s.Flows.Create(ctx, &f)
	})
	var wg sync.WaitGroup
	var won atomic.Int64
	for range 8 {
		wg.Go(func() {
			err := b.try(func(ctx context.Context, s *domain.Stores) error {
				mine := flow
				return s.Flows.Update(ctx, &mine)
			})
			switch domain.CodeOf(err) {
			case "":
				won.Add(1)
			case domain.CodePrecondition:
			default:
				b.Error(err)
			}
		})
	}
	wg.Wait()
	b.same(won.Load(), 1)
}

func unknownIdsAreNamed(_ *testing.T, b *bench) {
	in, _ := scopes()
	id := domain.NewID()
	for noun, get := range map[string]func(ctx context.Context, s *domain.Stores) error{
		"Agent":        func(ctx context.Context, s *domain.Stores) error { _, err := s.Agents.Get(ctx, in, id); return err },
		"Attempt":      func(ctx context.Context, s *domain.Stores) error { _, err := s.Attempts.Get(ctx, id); return err },
		"Call":         func(ctx context.Context, s *domain.Stores) error { _, err := s.Calls.ByID(ctx, id); return err },
		"Delivery":     func(ctx context.Context, s *domain.Stores) error { _, err := s.Deliveries.Get(ctx, in, id); return err },
		"Flow":         func(ctx context.Context, s *domain.Stores) error { _, err := s.Flows.Get(ctx, in, id); return err },
		"Key":          func(ctx context.Context, s *domain.Stores) error { _, err := s.Keys.ByID(ctx, id); return err },
		"Phone number": func(ctx context.Context, s *domain.Stores) error { _, err := s.Numbers.Get(ctx, in, id); return err },
		"Trunk":        func(ctx context.Context, s *domain.Stores) error { _, err := s.Trunks.Get(ctx, in, id); return err },
		"Webhook":      func(ctx context.Context, s *domain.Stores) error { _, err := s.Endpoints.Get(ctx, in, id); return err },
		"Workspace":    func(ctx context.Context, s *domain.Stores) error { _, err := s.Workspaces.Get(ctx, id); return err },
	} {
		b.wantCode(b.store.View(b.Context(), get), domain.CodeNotFound, noun+" with id "+string(id)+" not found")
	}
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error {
		c := callOf(in, clock())
		return s.Calls.Update(ctx, &c)
	}), domain.CodeNotFound, "Call with id")
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error {
		a := attemptOf(in, "+15005550006", clock())
		return s.Attempts.Update(ctx, &a)
	}), domain.CodeNotFound, "Attempt with id")
}
