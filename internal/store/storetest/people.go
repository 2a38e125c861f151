package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

func contactOf(in domain.Scope, id domain.ID, at time.Time, n int) domain.Contact {
	return domain.Contact{
		ID: id, WorkspaceID: in.Workspace, Mode: in.Mode, Version: 1, CreatedAt: at, UpdatedAt: at,
		Phone: "+15005550101", FirstName: "Zoë", LastName: "O'Neil", Email: "ZOE@example.com", Company: "Müller & 50% Söhne_",
		Website: "https://example.com", Timezone: "Europe/Berlin", Stage: "lead", Status: "not_contacted", Notes: "?0 ''",
		Phones: []domain.ContactPhone{
			{ID: domain.ID("p1" + string(rune('0'+n))), Number: "+15005550101", Type: "mobile", Primary: true},
			{ID: "p2", Number: "+15005550102"}, {ID: "p3", Number: "+15005550101"},
		},
		Address: domain.Address{Street: "1 Main", City: "Bern", State: "BE", ZipCode: "3000", Country: "CH"},
		Tags:    []string{"vip", "vip", "Ünï"}, Custom: map[string]any{"plan": "gold"}, Industry: map[string]any{"beds": 2.5},
		Consent: &domain.Consent{Kind: "written", At: at, Source: "form", Text: "Yes"},
	}
}

func contacts(_ *testing.T, b *bench) {
	plain[domain.Contact]{
		noun: "Contact",
		pick: func(s *domain.Stores) domain.Collection[domain.Contact] { return s.Contacts },
		make: contactOf,
		id:   func(c *domain.Contact) domain.ID { return c.ID }, version: func(c *domain.Contact) int64 { return c.Version },
		change: func(c *domain.Contact) {
			c.FirstName, c.Phone, c.Phones, c.Tags, c.Custom = "New", "", nil, nil, nil
			c.Address = domain.Address{}
		},
	}.exercise(b)
}

// somebody stores contacts to look for, of which the fifth was deleted and the
// last one changed.
func (b *bench) somebody(in, other domain.Scope) []domain.Contact {
	b.Helper()
	made := make([]domain.Contact, 6)
	for i := range made {
		made[i] = contactOf(in, domain.NewID(), clock(), i)
	}
	made[0].Stage, made[0].Status = "customer", "contacted"
	made[1].FirstName, made[1].Company = "Ann", "100_percent"
	made[2].Tags, made[2].Email = []string{"cold"}, "ann@x.example"
	made[3].Phones, made[3].Phone = []domain.ContactPhone{{Number: "+4930123456", Primary: true}}, "+4930123456"
	made[4].Stage = "customer"
	foreign := contactOf(other, domain.NewID(), clock(), 0)
	b.write(func(ctx context.Context, s *domain.Stores) error {
		for _, c := range append(slices.Clone(made), foreign) {
			if err := s.Contacts.Create(ctx, &c); err != nil {
				return err
			}
		}
		return nil
	})
	b.write(func(ctx context.Context, s *domain.Stores) error {
		last := made[5]
		last.Tags, last.Phones, last.LastName = []string{"gone"}, nil, "Äpfel"
		if err := s.Contacts.Update(ctx, &last); err != nil {
			return err
		}
		return s.Contacts.Delete(ctx, in, made[4].ID)
	})
	return made
}

// contactsFound proves each filter, alone and together, and that what changed is
// found by what it is now.
func contactsFound(_ *testing.T, b *bench) {
	in, others := scopes()
	made := b.somebody(in, others[0])
	for name, c := range map[string]struct {
		filter domain.ContactFilter
		page   domain.Page
		want   []int
		total  int
	}{
		"all":        {want: []int{5, 3, 2, 1, 0}, total: 5},
		"page":       {page: domain.Page{Limit: 2, Offset: 1}, want: []int{3, 2}, total: 5},
		"cursor":     {page: domain.Page{Limit: 2, After: made[3].ID}, want: []int{2, 1}, total: 5},
		"stage":      {filter: domain.ContactFilter{Stage: "customer"}, want: []int{0}, total: 1},
		"status":     {filter: domain.ContactFilter{Status: "not_contacted"}, page: domain.Page{Limit: 1}, want: []int{5}, total: 4},
		"tag":        {filter: domain.ContactFilter{Tag: "vip"}, page: domain.Page{Limit: 2}, want: []int{3, 1}, total: 3},
		"other tag":  {filter: domain.ContactFilter{Tag: "Ünï", Status: "contacted"}, want: []int{0}, total: 1},
		"no tag":     {filter: domain.ContactFilter{Tag: "VIP"}},
		"new tag":    {filter: domain.ContactFilter{Tag: "gone"}, want: []int{5}, total: 1},
		"name":       {filter: domain.ContactFilter{Search: "aNN"}, want: []int{2, 1}, total: 2},
		"full name":  {filter: domain.ContactFilter{Search: "ZOË o'n"}, want: []int{3, 2, 0}, total: 3},
		"new name":   {filter: domain.ContactFilter{Search: "äPFEL"}, want: []int{5}, total: 1},
		"email":      {filter: domain.ContactFilter{Search: "@X.ex"}, want: []int{2}, total: 1},
		"wildcard %": {filter: domain.ContactFilter{Search: "50%"}, want: []int{5, 3, 2, 0}, total: 4},
		"wildcard _": {filter: domain.ContactFilter{Search: "0_p"}, want: []int{1}, total: 1},
		"escape":     {filter: domain.ContactFilter{Search: `!\`}},
		"number":     {filter: domain.ContactFilter{Search: "30123"}, want: []int{3}, total: 1},
		"together":   {filter: domain.ContactFilter{Search: "zoë", Tag: "vip", Stage: "lead", Status: "not_contacted"}, want: []int{3}, total: 1},
	} {
		b.read(func(ctx context.Context, s *domain.Stores) error {
			got, total, err := s.Contacts.Find(ctx, in, c.filter, c.page)
			if err != nil {
				return err
			}
			have, want := []domain.ID{}, []domain.ID{}
			for i := range got {
				have = append(have, got[i].ID)
			}
			for _, i := range c.want {
				want = append(want, made[i].ID)
			}
			if !slices.Equal(have, want) || total != c.total {
				b.Errorf("%s: got %v of %d, want %v of %d", name, have, total, want, c.total)
			}
			return nil
		})
	}
	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := s.Contacts.ByNumber(ctx, in, "+15005550102")
		if err != nil {
			return err
		}
		b.same(*got, made[0]) // the oldest
		_, err = s.Contacts.ByNumber(ctx, others[1], "+15005550102")
		b.wantCode(err, domain.CodeNotFound, "+15005550102")
		return nil
	})
}

func contextVariables(_ *testing.T, b *bench) {
	declare := func(in domain.Scope, id domain.ID, at time.Time, n int) domain.ContextVariable {
		return domain.ContextVariable{
			ID: id, WorkspaceID: in.Workspace, Mode: in.Mode, Version: 1, CreatedAt: at, UpdatedAt: at,
			ContextType: domain.ContextContact, Name: "v" + string(rune('0'+n)), DisplayName: "V", Description: "d",
			Type: domain.VariableSelect, Options: []string{"a", "b"},
		}
	}
	plain[domain.ContextVariable]{
		noun: "Variable",
		pick: func(s *domain.Stores) domain.Collection[domain.ContextVariable] { return s.Variables },
		make: func(in domain.Scope, id domain.ID, at time.Time, n int) domain.ContextVariable {
			v := declare(in, id, at, n)
			v.Name = "v" + string(id) // the suite makes one again
			return v
		},
		id:      func(v *domain.ContextVariable) domain.ID { return v.ID },
		version: func(v *domain.ContextVariable) int64 { return v.Version },
		change:  func(v *domain.ContextVariable) { v.DisplayName, v.Options, v.Type = "New", nil, domain.VariableText },
	}.exercise(b)
	in, others := scopes()
	first := declare(in, domain.NewID(), clock(), 1)
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Variables.Create(ctx, &first) })
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error {
		again := declare(in, domain.NewID(), clock(), 1)
		return s.Variables.Create(ctx, &again)
	}), domain.CodeConflict, "v1 is already declared for the contact context")
	for _, scope := range append(others, in) {
		b.write(func(ctx context.Context, s *domain.Stores) error {
			v := declare(scope, domain.NewID(), clock(), 1)
			v.ContextType = domain.ContextBusiness
			return s.Variables.Create(ctx, &v)
		})
	}
}

func businessContext(_ *testing.T, b *bench) {
	in, others := scopes()
	for _, changes := range []map[string]any{
		{"hours": "9-5", "seats": 4.0, "gone": true}, {"gone": nil, "seats": 5.0, "never": nil},
	} {
		b.write(func(ctx context.Context, s *domain.Stores) error { return s.Business.Merge(ctx, in, changes) })
	}
	var wg sync.WaitGroup
	for i := range 8 { // changes at the same time keep each other's
		wg.Go(func() {
			if err := b.try(func(ctx context.Context, s *domain.Stores) error {
				return s.Business.Merge(ctx, in, map[string]any{"n" + string(rune('0'+i)): true})
			}); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := s.Business.Values(ctx, in)
		if err != nil {
			return err
		}
		want := map[string]any{"hours": "9-5", "seats": 5.0}
		for i := range 8 {
			want["n"+string(rune('0'+i))] = true
		}
		b.same(got, want)
		got, err = s.Business.Values(ctx, others[0])
		b.same(len(got), 0)
		return err
	})
}

func suppressions(_ *testing.T, b *bench) {
	in, others := scopes()
	at := clock()
	entry := func(number string) domain.Suppression {
		return domain.Suppression{
			ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Number: number, Reason: "said ''?", Source: domain.SuppressedByWord,
			CallID: domain.NewID(), CreatedAt: at,
		}
	}
	made := []domain.Suppression{entry("+15005550101"), entry("+15005550102"), entry("+15005550103")}
	b.write(func(ctx context.Context, s *domain.Stores) error {
		n, err := s.Suppressed.Add(ctx, in, made...)
		b.same(n, 3)
		return err
	})
	again := entry("+15005550102")
	again.Reason = "other"
	b.write(func(ctx context.Context, s *domain.Stores) error {
		n, err := s.Suppressed.Add(ctx, in, again, entry("+15005550104"))
		b.same(n, 1)
		return err
	})
	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := s.Suppressed.Get(ctx, in, "+15005550102")
		if err != nil {
			return err
		}
		b.same(*got, made[1])
		for _, other := range others {
			_, err := s.Suppressed.Get(ctx, other, "+15005550102")
			b.wantCode(err, domain.CodeNotFound, "+15005550102")
			n, err := s.Suppressed.Count(ctx, other)
			if err != nil {
				return err
			}
			b.same(n, 0)
		}
		list, err := s.Suppressed.List(ctx, in, domain.Page{Limit: 2, Offset: 1})
		if err != nil {
			return err
		}
		b.same(list, []domain.Suppression{made[2], made[1]})
		list, err = s.Suppressed.List(ctx, in, domain.Page{Limit: 5, After: made[1].ID})
		if err != nil {
			return err
		}
		b.same(list, []domain.Suppression{made[0]})
		among, err := s.Suppressed.Among(ctx, in, []string{"+1", "+15005550103"})
		b.same(among, []domain.Suppression{made[2]})
		return err
	})
	b.write(func(ctx context.Context, s *domain.Stores) error {
		n, err := s.Suppressed.Remove(ctx, others[0], "+15005550102")
		b.same(n, 0)
		return err
	})
	b.write(func(ctx context.Context, s *domain.Stores) error {
		n, err := s.Suppressed.Remove(ctx, in, "+15005550102", "+15005550103", "+9")
		b.same(n, 2)
		return err
	})
	b.read(func(ctx context.Context, s *domain.Stores) error {
		n, err := s.Suppressed.Count(ctx, in)
		b.same(n, 2)
		return err
	})
	many := make([]domain.Suppression, 1201)
	for i := range many {
		many[i] = entry("+1500" + time.Unix(int64(i), 0).UTC().Format("1504050"))
		many[i].Number = many[i].Number[:10] + string(rune('A'+i%26)) + string(domain.NewID())
	}
	b.write(func(ctx context.Context, s *domain.Stores) error {
		n, err := s.Suppressed.Add(ctx, in, many...)
		b.same(n, len(many))
		return err
	})
}

// optOutWins proves that what a transaction does who has asked whether a number
// is listed never crosses the opt-out: either it is committed first, or it sees
// the entry.
func optOutWins(_ *testing.T, b *bench) {
	in, _ := scopes()
	listed := domain.Errorf(domain.CodeForbidden, "listed")
	for i := range 12 {
		number := "+1500555" + time.Unix(int64(i), 0).UTC().Format("0405")
		var optedOut atomic.Bool
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				begun := optedOut.Load() // answered before this one began
				err := b.store.InTx(b.Context(), domain.LaneDial, func(ctx context.Context, s *domain.Stores) error {
					if _, err := s.Suppressed.Get(ctx, in, number); err == nil {
						return listed
					} else if domain.CodeOf(err) != domain.CodeNotFound {
						return err
					}
					c := callOf(in, clock())
					c.To = number
					if err := s.Calls.Create(ctx, &c); err != nil {
						return err
					}
					// The opt-out is not there at the end either.
					rows, err := s.Suppressed.Among(ctx, in, []string{number})
					if err == nil && len(rows) > 0 {
						b.Error("an opt-out came between the question and the commit")
					}
					return err
				})
				switch domain.CodeOf(err) {
				case "":
					if begun {
						b.Error("a call went out after the opt-out was answered")
					}
				case domain.CodeForbidden:
				default:
					b.Error(err)
				}
			})
		}
		wg.Go(func() {
			if err := b.try(func(ctx context.Context, s *domain.Stores) error {
				_, err := s.Suppressed.Add(ctx, in, domain.Suppression{ID: domain.NewID(), Number: number, CreatedAt: clock()})
				return err
			}); err != nil {
				b.Error(err)
			}
			optedOut.Store(true)
		})
		wg.Wait()
	}
}

// forgetting proves that a person's calls are found by every way and leave
// nothing behind.
func forgetting(_ *testing.T, b *bench) {
	in, others := scopes()
	at := clock()
	const number, second = "+15005550101", "+15005550102"
	to, from, named, unrelated, foreign := callOf(in, at), callOf(in, at), callOf(in, at.Add(time.Second)), callOf(in, at), callOf(others[0], at)
	contact := domain.NewID()
	to.To, named.ContactID, named.To, foreign.To = number, contact, "+15005550199", number
	from.Direction, from.From, from.To = domain.Inbound, second, "+15005550100"
	unrelated.From, unrelated.To = number, "+15005550188" // a number of the workspace's own
	calls := []domain.Call{to, from, named, unrelated, foreign}
	b.createCalls(calls...)
	payloads := make(map[domain.ID]domain.ID)
	for _, c := range calls {
		payloads[c.ID] = domain.NewID()
	}
	b.write(func(ctx context.Context, s *domain.Stores) error {
		for _, c := range calls {
			scope := domain.Scope{Workspace: c.WorkspaceID, Mode: c.Mode}
			a := attemptOf(scope, c.To, at)
			a.CallID = c.ID
			sent := domain.Delivery{ID: payloads[c.ID], WorkspaceID: c.WorkspaceID, Mode: c.Mode, CallID: c.ID, State: domain.DeliveryDelivered, CreatedAt: at}
			if err := errors.Join(
				s.Attempts.Create(ctx, &a), s.Turns.Append(ctx, domain.Turn{CallID: c.ID, Sequence: 1, Text: "hi"}),
				s.Events.Append(ctx, &domain.Event{ID: domain.NewID(), WorkspaceID: c.WorkspaceID, Mode: c.Mode, CallID: c.ID, At: at}),
				s.Deliveries.Create(ctx, &sent),
				s.Deliveries.Finish(ctx, domain.Tried{Delivery: sent, Try: domain.Try{DeliveryID: sent.ID, Number: 1, At: at}}),
			); err != nil {
				return err
			}
		}
		return nil
	})
	b.read(func(ctx context.Context, s *domain.Stores) error {
		got, err := s.Erasure.Calls(ctx, in, contact, []string{number, second}, "", 10)
		if err != nil {
			return err
		}
		b.same(got, []domain.Call{to, from, named})
		if got, err = s.Erasure.Calls(ctx, in, contact, []string{number, second}, to.ID, 1); err != nil {
			return err
		}
		b.same(got, []domain.Call{from})
		if got, err = s.Erasure.Calls(ctx, in, "", nil, "", 2); err != nil {
			return err
		}
		b.same(len(got), 0)
		last, err := s.Erasure.LastCalls(ctx, in, []string{number, "+15005550199", "+1999"})
		b.same(last, map[string]time.Time{number: at, "+15005550199": at.Add(time.Second)})
		return err
	})
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error { return s.Erasure.Forget(ctx, others[1], to.ID) }),
		domain.CodeNotFound, string(to.ID))
	b.write(func(ctx context.Context, s *domain.Stores) error {
		return errors.Join(s.Erasure.Forget(ctx, in, to.ID), s.Erasure.Forget(ctx, in, from.ID))
	})
	b.read(func(ctx context.Context, s *domain.Stores) error {
		for i, c := range calls {
			turns, err := s.Turns.ByCall(ctx, c.ID)
			attempts, err2 := s.Attempts.ByCall(ctx, c.ID)
			events, err3 := s.Events.ByCall(ctx, c.ID)
			deliveries, err4 := s.Deliveries.ByCall(ctx, domain.Scope{Workspace: c.WorkspaceID, Mode: c.Mode}, c.ID)
			tries, err5 := s.Deliveries.Tries(ctx, payloads[c.ID])
			if err := errors.Join(err, err2, err3, err4, err5); err != nil {
				return err
			}
			want := 5
			if i < 2 {
				want = 0
				_, err := s.Calls.ByID(ctx, c.ID)
				b.wantCode(err, domain.CodeNotFound, string(c.ID))
			}
			b.same(len(turns)+len(attempts)+len(events)+len(deliveries)+len(tries), want)
		}
		return nil
	})
}
