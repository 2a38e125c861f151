package service_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/store"
	"github.com/callwright/callwright/internal/store/storetest"
)

// join makes a node and returns its epoch.
func (k *kit) join() domain.ID {
	k.Helper()
	epoch := domain.NewID()
	k.ok(k.Join(k.Context(), domain.Node{Epoch: epoch}))
	return epoch
}

// die takes a node for dead.
func (k *kit) die(epoch domain.ID) {
	k.Helper()
	k.ok(k.Leave(k.Context(), epoch))
}

// claimed places a call to each number in test mode and claims all for epoch.
func (k *kit) claimed(epoch domain.ID, numbers ...string) []*service.Dial {
	k.Helper()
	agent := k.agent(k.test)
	for _, to := range numbers {
		_, err := k.PlaceCall(k.Context(), k.test, service.PlaceRequest{AgentID: agent.ID, To: to}, nil)
		k.ok(err)
	}
	attempts, _, err := k.ClaimAttempts(k.Context(), epoch, k.now(), 15*time.Second, len(numbers))
	k.ok(err)
	dials := make([]*service.Dial, len(attempts))
	for i, a := range attempts {
		k.ok(a.Err)
		dials[i] = a.Dial
	}
	if len(dials) != len(numbers) {
		k.Fatalf("claimed %d of %d", len(dials), len(numbers))
	}
	return dials
}

// states reads a call and its only attempt.
func (k *kit) states(d *service.Dial) (domain.CallState, domain.AttemptState) {
	k.Helper()
	detail, err := k.Call(k.Context(), k.test, d.Call.ID)
	k.ok(err)
	return detail.State, detail.Attempts[0].State
}

func TestIntentNeedsALivingNode(t *testing.T) {
	k := newKit(t)
	epoch := domain.NewID() // which never joined
	d := k.claimed(epoch, "+15005550006")[0]
	_, err := k.CommitIntent(t.Context(), d)
	k.code(err, domain.CodeConflict)

	k.ok(k.Join(t.Context(), domain.Node{Epoch: epoch}))
	k.die(epoch)
	k.code(k.Beat(t.Context(), epoch), domain.CodeNotFound)
	_, err = k.CommitIntent(t.Context(), d)
	k.code(err, domain.CodeConflict)
	if call, attempt := k.states(d); call != domain.CallQueued || attempt != domain.AttemptClaimed {
		t.Errorf("a node that is none has made the call %s, its attempt %s", call, attempt)
	}
	k.ok(k.Unsent(t.Context(), d.Attempt))
	if _, attempt := k.states(d); attempt != domain.AttemptPlanned {
		t.Errorf("an attempt without intent is %s", attempt)
	}

	second := k.join()
	again, _, err := k.ClaimAttempts(t.Context(), second, k.now(), 15*time.Second, 9)
	k.ok(err)
	if len(again) != 1 {
		t.Fatalf("claimed %d", len(again))
	}
	d.Attempt = again[0].Attempt
	refused, err := k.CommitIntent(t.Context(), d)
	k.ok(err)
	if refused != nil {
		t.Fatalf("refused: %s", refused.Why)
	}
	// Nothing was sent for it after all.
	k.ok(k.Unsent(t.Context(), d.Attempt))
	k.ok(k.Unsent(t.Context(), d.Attempt))
	if call, attempt := k.states(d); call != domain.CallFailed || attempt != domain.AttemptEnded {
		t.Errorf("after an intent that was not sent the call is %s, its attempt %s", call, attempt)
	}
}

// TestRecoverSparesTheLiving recovers beside a node that lives, from two
// processes at once.
func TestRecoverSparesTheLiving(t *testing.T) {
	k := newKit(t)
	dead, alive := k.join(), k.join()
	var held []*service.Dial
	for i, epoch := range []domain.ID{dead, alive, dead, alive} {
		d := k.claimed(epoch, fmt.Sprintf("+1500555%04d", i))[0]
		if i < 2 {
			if refused, err := k.CommitIntent(t.Context(), d); err != nil || refused != nil {
				t.Fatal(refused, err)
			}
		}
		held = append(held, d)
	}
	third := k.join()
	recovered := func() int {
		var n atomic.Int64
		var wg sync.WaitGroup
		for _, epoch := range []domain.ID{third, alive} {
			wg.Go(func() {
				orphans, err := k.Recover(t.Context(), epoch)
				if err != nil {
					t.Error(err)
				}
				n.Add(int64(len(orphans)))
			})
		}
		wg.Wait()
		return int(n.Load())
	}
	if n := recovered(); n != 0 {
		t.Errorf("%d calls of living nodes were recovered", n)
	}
	k.die(dead)
	if n := recovered(); n != 1 {
		t.Errorf("%d calls were recovered, want 1", n)
	}
	for i, want := range []string{"failed ended", "dialing intent", "queued planned", "queued claimed"} {
		call, attempt := k.states(held[i])
		if got := fmt.Sprint(call, " ", attempt); got != want {
			t.Errorf("call %d is %s, want %s", i, got, want)
		}
	}
}

// TestIntentOrRecovery commits an intent while its node is taken for dead: the
// intent is refused, or recovery sees it.
func TestIntentOrRecovery(t *testing.T) {
	k := newKit(t)
	other := k.join()
	for i := range 15 {
		epoch := k.join()
		d := k.claimed(epoch, fmt.Sprintf("+1500555%04d", i))[0]
		var wg sync.WaitGroup
		var intent error
		var orphans []service.Orphan
		wg.Go(func() { _, intent = k.CommitIntent(t.Context(), d) })
		wg.Go(func() {
			k.die(epoch)
			var err error
			if orphans, err = k.Recover(t.Context(), other); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		call, attempt := k.states(d)
		switch {
		case intent == nil && (len(orphans) != 1 || call != domain.CallFailed):
			t.Errorf("an intent of a dead node stands: %d recovered, call %s, attempt %s", len(orphans), call, attempt)
		case intent != nil && (len(orphans) != 0 || attempt != domain.AttemptPlanned):
			t.Errorf("without an intent (%v): %d recovered, call %s, attempt %s", intent, len(orphans), call, attempt)
		}
	}
}

// TestLimitsHoldForIntentsAtOnce commits many intents at the same time: no more
// than the trunk takes go out, and one to a number.
func TestLimitsHoldForIntentsAtOnce(t *testing.T) {
	k := newKit(t)
	epoch := k.join()
	const many, most = 12, 4
	k.ok(k.store.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		trunk, err := s.Trunks.Get(ctx, k.test, k.first.Trunk.ID)
		if err != nil {
			return err
		}
		trunk.MaxCalls = most
		return s.Trunks.Update(ctx, trunk)
	}))
	var different, same []string
	for i := range many {
		different, same = append(different, fmt.Sprintf("+1500556%04d", i)), append(same, "+15005550006")
	}
	for _, c := range []struct {
		name    string
		numbers []string
		want    int64
	}{{"one number", same, 1}, {"many numbers", different, most - 1}} { // the one of before is under way
		var sent atomic.Int64
		var wg sync.WaitGroup
		for _, d := range k.claimed(epoch, c.numbers...) {
			wg.Go(func() {
				switch refused, err := k.CommitIntent(t.Context(), d); {
				case err != nil:
					t.Error(err)
				case refused == nil:
					sent.Add(1)
				}
			})
		}
		wg.Wait()
		if n := sent.Load(); n != c.want {
			t.Errorf("%s: %d intents at once, want %d", c.name, n, c.want)
		}
		k.pass(-time.Hour) // what was put back stays away
	}
}

// TestFirstStartsAtOnce starts many processes on an empty database: one makes
// the workspace.
func TestFirstStartsAtOnce(t *testing.T) {
	db, err := store.Open(t.Context(), store.Options{Dir: storetest.Dir(t), DSN: storetest.URL(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	rules := service.New(service.Options{Store: db, CheckFlow: func(raw []byte) ([]byte, error) { return raw, nil }})
	var wg sync.WaitGroup
	var made atomic.Int64
	for range 8 {
		wg.Go(func() {
			first, err := rules.FirstStart(t.Context())
			switch {
			case err != nil:
				t.Error(err)
			case first.Created:
				made.Add(1)
			}
		})
	}
	wg.Wait()
	if n := made.Load(); n != 1 {
		t.Errorf("%d starts made a workspace", n)
	}
}
