package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// plain describes one kind of object to exercise a domain.Collection with.
type plain[T any] struct {
	noun    string
	pick    func(*domain.Stores) domain.Collection[T]
	make    func(in domain.Scope, id domain.ID, at time.Time, n int) T
	id      func(*T) domain.ID
	change  func(*T)
	version func(*T) int64
}

func (p plain[T]) exercise(b *bench) {
	in, others := scopes()
	at := clock()
	var made []T
	for n := range 5 {
		obj := p.make(in, domain.NewID(), at, n)
		made = append(made, obj)
		b.write(func(ctx context.Context, s *domain.Stores) error { return p.pick(s).Create(ctx, &obj) })
	}
	first := p.id(&made[0])
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error {
		again := made[0]
		return p.pick(s).Create(ctx, &again)
	}), domain.CodeConflict, p.noun)

	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := p.pick(s).Get(ctx, in, first)
		if err != nil {
			return err
		}
		b.same(*got, made[0])
		return nil
	})
	p.pages(b, in, made)
	for _, other := range others {
		p.hidden(b, other, first)
	}
	p.versions(b, in, first)
	b.write(func(ctx context.Context, s *domain.Stores) error { return p.pick(s).Delete(ctx, in, first) })
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error { return p.pick(s).Delete(ctx, in, first) }),
		domain.CodeNotFound, p.noun+" with id "+string(first)+" not found")
	b.read(func(ctx context.Context, s *domain.Stores) error {
		n, err := p.pick(s).Count(ctx, in)
		b.same(n, 4)
		return err
	})
}

// pages proves the order and every way to cut it.
func (p plain[T]) pages(b *bench, in domain.Scope, made []T) {
	b.Helper()
	for _, c := range []struct {
		page domain.Page
		want []int
	}{
		{domain.Page{}, []int{4, 3, 2, 1, 0}},
		{domain.Page{Limit: 2}, []int{4, 3}},
		{domain.Page{Limit: 2, Offset: 2}, []int{2, 1}},
		{domain.Page{Offset: 3}, []int{1, 0}},
		{domain.Page{Limit: 2, Offset: 9}, nil},
		{domain.Page{Limit: 2, After: p.id(&made[3])}, []int{2, 1}},
		{domain.Page{Limit: 2, Offset: 1, After: p.id(&made[3])}, []int{2, 1}},
	} {
		b.read(func(ctx context.Context, s *domain.Stores) error {
			got, err := p.pick(s).List(ctx, in, c.page)
			if err != nil {
				return err
			}
			want := []T{}
			for _, n := range c.want {
				want = append(want, made[n])
			}
			b.same(got, want)
			if got == nil {
				b.Error("an empty list is nil")
			}
			n, err := p.pick(s).Count(ctx, in)
			b.same(n, len(made))
			return err
		})
	}
}

// hidden proves that another scope neither sees nor changes an object.
func (p plain[T]) hidden(b *bench, other domain.Scope, id domain.ID) {
	b.Helper()
	missing := p.noun + " with id " + string(id) + " not found"
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error {
		_, err := p.pick(s).Get(ctx, other, id)
		return err
	}), domain.CodeNotFound, missing)
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error { return p.pick(s).Delete(ctx, other, id) }),
		domain.CodeNotFound, missing)
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error {
		stolen := p.make(other, id, clock(), 0)
		return p.pick(s).Update(ctx, &stolen)
	}), domain.CodeNotFound, missing)
	b.read(func(ctx context.Context, s *domain.Stores) error {
		rows, err := p.pick(s).List(ctx, other, domain.Page{})
		if err != nil {
			return err
		}
		n, err := p.pick(s).Count(ctx, other)
		b.same(len(rows)+n, 0)
		return err
	})
}

// versions proves that a change counts the version up and that a change of an
// old version is refused.
func (p plain[T]) versions(b *bench, in domain.Scope, id domain.ID) {
	b.Helper()
	var old, changed T
	b.write(func(ctx context.Context, s *domain.Stores) error {
		got, err := p.pick(s).Get(ctx, in, id)
		if err != nil {
			return err
		}
		old = *got
		p.change(got)
		err = p.pick(s).Update(ctx, got)
		changed = *got
		return err
	})
	b.same(p.version(&changed), p.version(&old)+1)
	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := p.pick(s).Get(ctx, in, id)
		if err != nil {
			return err
		}
		b.same(*got, changed)
		return nil
	})
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error {
		late := old
		return p.pick(s).Update(ctx, &late)
	}), domain.CodePrecondition, "version 2, not 1")
}

func agents(_ *testing.T, b *bench) {
	plain[domain.Agent]{
		noun: "Agent",
		pick: func(s *domain.Stores) domain.Collection[domain.Agent] { return s.Agents },
		make: func(in domain.Scope, id domain.ID, at time.Time, n int) domain.Agent {
			return domain.Agent{
				ID: id, WorkspaceID: in.Workspace, Mode: in.Mode, Version: 1, CreatedAt: at, UpdatedAt: at,
				Name: "Zoë's agent", IsActive: n%2 == 0, Voice: "nova", Language: "en-US", Model: "m", SystemPrompt: "Be kind ? ''",
				FirstMessage: "Hi", FlowID: domain.NewID(), Record: true, MaxCallDuration: 10 * time.Minute, OptOutKey: "#", Sample: n%2 == 1,
				Variables: map[string]any{"list": []any{1.5, "two", nil, true}, "nested": map[string]any{"a": "b"}},
			}
		},
		id: func(a *domain.Agent) domain.ID { return a.ID }, version: func(a *domain.Agent) int64 { return a.Version },
		change: func(a *domain.Agent) { a.Name, a.IsActive, a.Record, a.Variables = "New", false, false, nil },
	}.exercise(b)
}

func trunks(_ *testing.T, b *bench) {
	plain[domain.Trunk]{
		noun: "Trunk",
		pick: func(s *domain.Stores) domain.Collection[domain.Trunk] { return s.Trunks },
		make: func(in domain.Scope, id domain.ID, at time.Time, _ int) domain.Trunk {
			return domain.Trunk{
				ID: id, WorkspaceID: in.Workspace, Mode: in.Mode, Version: 1, CreatedAt: at, UpdatedAt: at,
				Name: "Carrier", Carrier: domain.CarrierSIP, Host: "sip.example.com", Port: 5061, Transport: "tls",
				Username: "u", Password: "p", Register: true, RealtimeText: true, SRTP: "optional",
				Codecs: []string{"PCMU", "G722"}, CallsPerSecond: 10, MaxCalls: 100,
				Incoming: domain.Incoming{Networks: []string{"192.0.2.0/24"}, Username: "in", Password: "secret"},
			}
		},
		id: func(t *domain.Trunk) domain.ID { return t.ID }, version: func(t *domain.Trunk) int64 { return t.Version },
		change: func(t *domain.Trunk) {
			t.Host, t.Register, t.Codecs, t.Port = "other.example.com", false, nil, 0
			t.Incoming = domain.Incoming{}
		},
	}.exercise(b)
	in, others := scopes()
	var want []domain.ID
	b.write(func(ctx context.Context, s *domain.Stores) error {
		want = nil
		for _, scope := range append(others, in) {
			t := domain.Trunk{ID: domain.NewID(), WorkspaceID: scope.Workspace, Mode: scope.Mode, Version: 1}
			if err := s.Trunks.Create(ctx, &t); err != nil {
				return err
			}
			want = append(want, t.ID)
		}
		return nil
	})
	b.read(func(ctx context.Context, s *domain.Stores) error {
		all, err := s.Trunks.All(ctx)
		var got []domain.ID
		for _, t := range all {
			got = append(got, t.ID)
		}
		b.same(got[len(got)-len(want):], want) // others are there from before
		return err
	})
}

func endpoints(_ *testing.T, b *bench) {
	plain[domain.Endpoint]{
		noun: "Webhook",
		pick: func(s *domain.Stores) domain.Collection[domain.Endpoint] { return s.Endpoints },
		make: func(in domain.Scope, id domain.ID, at time.Time, _ int) domain.Endpoint {
			return domain.Endpoint{
				ID: id, WorkspaceID: in.Workspace, Mode: in.Mode, Version: 1, CreatedAt: at, UpdatedAt: at,
				URL: "https://example.com/hook?x=1", Events: []string{"call.ended", domain.AllEvents}, Dialect: "native",
				Description: "d", Secret: "whsec_x", IsActive: true, Schedule: domain.RetryExtended, RateLimit: 7,
				OldSecret: "whsec_y", OldSecretUntil: at, DisabledAt: at, DisabledFor: "why",
			}
		},
		id: func(e *domain.Endpoint) domain.ID { return e.ID }, version: func(e *domain.Endpoint) int64 { return e.Version },
		change: func(e *domain.Endpoint) { e.Events, e.IsActive = []string{"call.failed"}, false },
	}.exercise(b)
}

func notices(_ *testing.T, b *bench) {
	plain[domain.Notice]{
		noun: "Notice",
		pick: func(s *domain.Stores) domain.Collection[domain.Notice] { return s.Notices },
		make: func(in domain.Scope, id domain.ID, at time.Time, _ int) domain.Notice {
			return domain.Notice{
				ID: id, WorkspaceID: in.Workspace, Mode: in.Mode, Version: 1, CreatedAt: at, UpdatedAt: at,
				Kind: domain.NoticeEndpointDisabled, SubjectID: "s", Text: "t",
			}
		},
		id: func(n *domain.Notice) domain.ID { return n.ID }, version: func(n *domain.Notice) int64 { return n.Version },
		change: func(n *domain.Notice) { n.Text = "u" },
	}.exercise(b)
}

func flowOf(in domain.Scope, id domain.ID, at time.Time, _ int) domain.Flow {
	return domain.Flow{
		ID: id, WorkspaceID: in.Workspace, Mode: in.Mode, Version: 1, CreatedAt: at, UpdatedAt: at,
		Name: "Survey", Status: domain.FlowDraft, Definition: []byte(`{"nodes":["é"]}`),
	}
}

func flows(_ *testing.T, b *bench) {
	plain[domain.Flow]{
		noun: "Flow",
		pick: func(s *domain.Stores) domain.Collection[domain.Flow] { return s.Flows },
		make: flowOf,
		id:   func(f *domain.Flow) domain.ID { return f.ID }, version: func(f *domain.Flow) int64 { return f.Version },
		change: func(f *domain.Flow) { f.Status, f.Definition = domain.FlowPublished, []byte(`{}`) },
	}.exercise(b)

	in, others := scopes()
	first := flowOf(in, domain.NewID(), clock(), 0)
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Flows.Create(ctx, &first) })
	b.write(func(ctx context.Context, s *domain.Stores) error {
		second := first
		second.Definition = []byte(`{"second":true}`)
		return s.Flows.Update(ctx, &second)
	})
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Flows.Delete(ctx, in, first.ID) })
	b.read(func(ctx context.Context, s *domain.Stores) error {
		one, err := s.Flows.Version(ctx, in, first.ID, 1)
		if err != nil {
			return err
		}
		b.same(*one, first)
		two, err := s.Flows.Version(ctx, in, first.ID, 2)
		if err != nil {
			return err
		}
		b.same(string(two.Definition), `{"second":true}`)
		_, err = s.Flows.Version(ctx, in, first.ID, 3)
		b.wantCode(err, domain.CodeNotFound, "no version 3")
		_, err = s.Flows.Version(ctx, others[0], first.ID, 1)
		b.wantCode(err, domain.CodeNotFound, string(first.ID))
		return nil
	})
}

func numberOf(in domain.Scope, id domain.ID, at time.Time, n int) domain.PhoneNumber {
	return domain.PhoneNumber{
		ID: id, WorkspaceID: in.Workspace, Mode: in.Mode, Version: 1, CreatedAt: at, UpdatedAt: at,
		Number: "+1500555010" + string(rune('0'+n)), TrunkID: "trunk", AgentID: "agent",
		Hours: domain.Hours{
			Timezone: "Europe/Oslo", Week: [7][]domain.Span{1: {{From: 540, To: 1020}}, 6: {{To: 60}, {From: 1380, To: 1440}}},
			Closed: domain.Closed{Action: domain.ClosedMessage, Text: "We are closed. æøå", AgentID: "other"},
		},
	}
}

func numbers(_ *testing.T, b *bench) {
	plain[domain.PhoneNumber]{
		noun: "Phone number",
		pick: func(s *domain.Stores) domain.Collection[domain.PhoneNumber] { return s.Numbers },
		make: numberOf,
		id:   func(n *domain.PhoneNumber) domain.ID { return n.ID }, version: func(n *domain.PhoneNumber) int64 { return n.Version },
		change: func(n *domain.PhoneNumber) { n.AgentID, n.Hours = "", domain.Hours{} },
	}.exercise(b)

	in, others := scopes()
	number := numberOf(in, domain.NewID(), clock(), 1)
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Numbers.Create(ctx, &number) })
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error {
		same := numberOf(in, domain.NewID(), clock(), 1)
		return s.Numbers.Create(ctx, &same)
	}), domain.CodeConflict, "+15005550101 is already in this workspace")
	for _, other := range others {
		b.write(func(ctx context.Context, s *domain.Stores) error {
			elsewhere := numberOf(other, domain.NewID(), clock(), 1)
			return s.Numbers.Create(ctx, &elsewhere)
		})
	}
	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := s.Numbers.ByNumber(ctx, in, number.Number)
		if err != nil {
			return err
		}
		b.same(*got, number)
		_, err = s.Numbers.ByNumber(ctx, in, "+15005550102")
		b.wantCode(err, domain.CodeNotFound, "+15005550102")
		return nil
	})
}
