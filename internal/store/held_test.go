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

// TestHeldCallsAreNotRead: the asker is told of each call in order, and gets those
// that it does not hold as they are, in the same order, whichever they are.
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
				var told []domain.ID
				f.Held = func(id domain.ID, version int64) bool {
					told = append(told, id)
					return held[id] == version
				}
				got := list(f, page)
				for i, c := range want {
					if i >= len(told) || told[i] != c.ID {
						t.Fatalf("held %v, page %+v: told of %v, want %v", kept, page, told, want)
					}
					at := slices.IndexFunc(got, func(g domain.Call) bool { return g.ID == c.ID })
					switch {
					case at > 0 || at < 0 && held[c.ID] == 0 || at == 0 && fmt.Sprint(got[0]) != fmt.Sprint(c):
						t.Errorf("held %v, page %+v: %v is at %d of %v", kept, page, c, at, got)
					case at == 0:
						got = got[1:]
					}
				}
				if len(told) != len(want) || len(got) > 0 || len(want) != min(max(page.Limit, 0), len(want)) && page.Limit > 0 {
					t.Errorf("held %v, page %+v: told of %d of %d, and of %v", kept, page, len(told), len(want), got)
				}
				f.Held = nil
			}
		}
	}
}
