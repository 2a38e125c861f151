package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

func workspaces(_ *testing.T, b *bench) {
	b.wantCode(b.store.View(b.Context(), func(ctx context.Context, s *domain.Stores) error {
		_, err := s.Workspaces.First(ctx)
		return err
	}), domain.CodeNotFound, "no workspace")
	first := domain.Workspace{ID: domain.NewID(), Name: "Müller & Söhne", Plan: domain.Business, Timezone: "Europe/Berlin", Version: 1, CreatedAt: clock()}
	second := domain.Workspace{ID: domain.NewID(), Name: "Two", Plan: domain.Starter, Timezone: "UTC", PricePerMinute: 7, DailyBudget: new(domain.Money(11)), Regions: []string{"CA", "US"}, Version: 1, CreatedAt: clock(), UpdatedAt: clock()}
	b.write(func(ctx context.Context, s *domain.Stores) error {
		if err := s.Workspaces.Create(ctx, &second); err != nil {
			return err
		}
		return s.Workspaces.Create(ctx, &first)
	})
	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := s.Workspaces.First(ctx)
		if err != nil {
			return err
		}
		b.same(*got, first)
		got, err = s.Workspaces.Get(ctx, second.ID)
		if err != nil {
			return err
		}
		b.same(*got, second)
		return nil
	})
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error { return s.Workspaces.Create(ctx, &first) }),
		domain.CodeConflict, string(first.ID))
}

func keys(_ *testing.T, b *bench) {
	workspace, at := domain.NewID(), clock()
	key := domain.Key{
		ID: domain.NewID(), WorkspaceID: workspace, Mode: domain.Live, Name: "CI", Prefix: "cw_live_12345678",
		Hash: []byte{0, 1, 255}, Scopes: []string{"calls:read", "*"}, Allow: []string{"10.0.0.0/8"}, RateLimit: 7,
		ExpiresAt: at.Add(time.Hour), CreatedAt: at, RotatedUntil: at.Add(time.Minute), Version: 1,
	}
	test := domain.Key{ID: domain.NewID(), WorkspaceID: workspace, Mode: domain.Test, Hash: []byte{2}, Version: 1, CreatedAt: at}
	foreign := domain.Key{ID: domain.NewID(), WorkspaceID: domain.NewID(), Mode: domain.Live, Hash: []byte{3}, CreatedAt: at}
	b.write(func(ctx context.Context, s *domain.Stores) error {
		for _, k := range []domain.Key{key, test, foreign} {
			if err := s.Keys.Create(ctx, &k); err != nil {
				return err
			}
		}
		return nil
	})
	b.write(func(ctx context.Context, s *domain.Stores) error {
		return s.Keys.Touch(ctx, key.ID, at.Add(time.Second))
	})
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Keys.Touch(ctx, key.ID, at) }) // late
	changed := key
	changed.RevokedAt, changed.Name = at, "CI, old"
	b.write(func(ctx context.Context, s *domain.Stores) error {
		row := changed
		err := s.Keys.Update(ctx, &row)
		b.same(row.Version, 2)
		return err
	})
	changed.Version = 2
	changed.LastUsedAt = at.Add(time.Second) // only Touch moves it
	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := s.Keys.ByID(ctx, key.ID)
		if err != nil {
			return err
		}
		b.same(*got, changed)
		for _, c := range []struct {
			mode domain.Mode
			page domain.Page
			want []domain.Key
			all  int
		}{
			{"", domain.Page{}, []domain.Key{test, changed}, 2}, {"", domain.Page{Limit: 1, Offset: 1}, []domain.Key{changed}, 2},
			{domain.Test, domain.Page{Limit: 9}, []domain.Key{test}, 1}, {"", domain.Page{Limit: 9, Offset: 2}, []domain.Key{}, 2},
		} {
			list, err := s.Keys.List(ctx, workspace, c.mode, c.page)
			if err != nil {
				return err
			}
			b.same(list, c.want)
			n, err := s.Keys.Count(ctx, workspace, c.mode)
			if err != nil {
				return err
			}
			b.same(n, c.all)
		}
		return nil
	})
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error {
		stolen := changed
		stolen.WorkspaceID = foreign.WorkspaceID
		return s.Keys.Update(ctx, &stolen)
	}), domain.CodeNotFound, "Key with id "+string(key.ID))
}

func idempotency(_ *testing.T, b *bench) {
	in, others := scopes()
	key := domain.NewID()
	answer := domain.Idempotent{
		WorkspaceID: in.Workspace, Mode: in.Mode, KeyID: key, Key: "order-1 ✓", RequestHash: []byte{1, 0, 2},
		Status: 201, Body: []byte(`{"ok":true}`), CreatedAt: clock(),
	}
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Idempotency.Create(ctx, &answer) })
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error {
		again := answer
		again.Status = 500
		return s.Idempotency.Create(ctx, &again)
	}), domain.CodeConflict, "Idempotency-Key")
	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := s.Idempotency.Get(ctx, in, key, answer.Key)
		if err != nil {
			return err
		}
		b.same(*got, answer)
		_, err = s.Idempotency.Get(ctx, others[0], key, answer.Key)
		b.wantCode(err, domain.CodeNotFound, "Idempotency-Key")
		_, err = s.Idempotency.Get(ctx, in, domain.NewID(), answer.Key)
		b.wantCode(err, domain.CodeNotFound, "Idempotency-Key")
		return nil
	})
	for _, c := range []struct {
		before time.Time
		code   domain.Code
	}{{answer.CreatedAt, ""}, {answer.CreatedAt.Add(time.Microsecond), domain.CodeNotFound}} {
		b.write(func(ctx context.Context, s *domain.Stores) error { return s.Idempotency.Prune(ctx, c.before) })
		err := b.store.View(b.Context(), func(ctx context.Context, s *domain.Stores) error {
			_, err := s.Idempotency.Get(ctx, in, key, answer.Key)
			return err
		})
		b.same(domain.CodeOf(err), c.code)
	}
}

// oddText proves that any text survives, but for NUL and bytes that are not
// UTF-8, which become U+FFFD.
func oddText(_ *testing.T, b *bench) {
	for text, want := range map[string]string{
		"":                        "",
		"'; DROP TABLE calls; --": "'; DROP TABLE calls; --",
		"what? ?0 ?TableAlias ??": "what? ?0 ?TableAlias ??",
		"日本語 🎉 \u200b\u2028 \u200fעברית": "日本語 🎉 \u200b\u2028 \u200fעברית",
		"\\x41 \" ` \n\r\t %s":           "\\x41 \" ` \n\r\t %s",
		"nul\x00byte":                    "nul\ufffdbyte",
		"broken\xff\xc3":                 "broken\ufffd\ufffd",
	} {
		w := domain.Workspace{ID: domain.NewID(), Name: text, CreatedAt: clock()}
		a := domain.Agent{ID: domain.NewID(), WorkspaceID: w.ID, Mode: domain.Live, Version: 1, Variables: map[string]any{want: want}}
		b.write(func(ctx context.Context, s *domain.Stores) error {
			if err := s.Agents.Create(ctx, &a); err != nil {
				return err
			}
			return s.Workspaces.Create(ctx, &w)
		})
		b.read(func(ctx context.Context, s *domain.Stores) error {
			got, err := s.Workspaces.Get(ctx, w.ID)
			if err != nil {
				return err
			}
			b.same(got.Name, want)
			agent, err := s.Agents.Get(ctx, domain.Scope{Workspace: w.ID, Mode: domain.Live}, a.ID)
			if err != nil {
				return err
			}
			b.same(agent.Variables[want], want)
			return nil
		})
	}
}
