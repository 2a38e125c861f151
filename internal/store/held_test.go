package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/storetest"
)

// TestHeldCallsAreNotRead: what the asker holds comes with its id and version,
// everything else as it is, in the same order, whichever they are.
func TestHeldCallsAreNotRead(t *testing.T) {
	db := openBoth(t, t.TempDir(), storetest.URL(t))
	in := domain.Scope{Workspace: domain.NewID(), Mode: domain.Live}
	at := time.Now().UTC().Truncate(time.Microsecond)
	err := db.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
		for i := range 20 {
			c := &domain.Call{
				ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Direction: domain.Inbound, State: domain.CallQueued, Version: 1,
				AgentID: "a", From: fmt.Sprint(i), CreatedAt: at.Add(time.Duration(i/3) * time.Second),
			}
			if err := s.Calls.Create(ctx, c); err != nil {
				return err
			}
			if i%2 == 0 {
				continue
			}
			c.State, c.Recording = domain.CallInProgress, "r"
			if err := s.Calls.Update(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	list := func(f domain.CallFilter, page domain.Page) (calls []domain.Call) {
		f.Brief = true
		err := db.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
			var err error
			calls, _, err = s.Calls.List(ctx, in, f, page)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return calls
	}
	for _, kept := range [][]int{nil, {0}, {19}, {3, 4, 5}, {1, 2, 3, 5, 8, 13}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18}} {
		for _, f := range []domain.CallFilter{{}, {AgentID: "a", Direction: domain.Inbound}} {
			for _, page := range []domain.Page{{}, {Limit: 7}, {Limit: 20, Offset: 2}} {
				want := list(f, page)
				all, held := list(f, domain.Page{}), make(map[domain.ID]int64)
				for _, i := range kept {
					held[all[i].ID] = all[i].Version
				}
				f.Held = func(id domain.ID, version int64) bool { return held[id] == version }
				for i, got := range list(f, page) {
					bare := domain.Call{ID: want[i].ID, WorkspaceID: in.Workspace, Mode: in.Mode, Version: want[i].Version}
					ready := []string{fmt.Sprint(want[i])}
					if held[got.ID] > 0 {
						ready = append(ready, fmt.Sprint(bare))
					}
					if !slices.Contains(ready, fmt.Sprint(got)) {
						t.Errorf("held %v, page %+v, call %d is\n%v, want\n%v", kept, page, i, got, want[i])
					}
				}
				f.Held = nil
			}
		}
	}
}
