package storetest

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// block is more than is stored with one statement.
const block = 503

// createSeveral proves that many calls and attempts are stored as one by one, all
// or none of them.
func createSeveral(_ *testing.T, b *bench) {
	in, _ := scopes()
	at := clock()
	var calls []*domain.Call
	var attempts []*domain.Attempt
	for i := range block {
		c := callOf(in, at)
		c.Variables, c.To = map[string]any{"it's": fmt.Sprint("a 'b' ? $1 \\ \"", i)}, fmt.Sprintf("+1500555%04d", i)
		a := attemptOf(in, c.To, at)
		a.CallID, a.RecipientID, a.RecipientTry = c.ID, domain.NewID(), 1
		if i%2 == 0 {
			a.Dialog = []byte{0, 1, 255}
		}
		calls, attempts = append(calls, &c), append(attempts, &a)
	}
	b.write(func(ctx context.Context, s *domain.Stores) error {
		if err := s.Calls.Create(ctx); err != nil {
			return err
		}
		if err := s.Attempts.Create(ctx); err != nil {
			return err
		}
		if err := s.Calls.Create(ctx, calls...); err != nil {
			return err
		}
		return s.Attempts.Create(ctx, attempts...)
	})
	b.read(func(ctx context.Context, s *domain.Stores) error {
		for i, want := range attempts {
			call, err := s.Calls.Get(ctx, in, want.CallID)
			if err != nil {
				return err
			}
			got, err := s.Attempts.Get(ctx, want.ID)
			if err != nil {
				return err
			}
			b.same(*call, *calls[i])
			b.same(*got, *want)
		}
		_, total, err := s.Calls.List(ctx, in, domain.CallFilter{}, domain.Page{Limit: 1})
		b.same(total, block)
		return err
	})
	fresh, other := callOf(in, at), attemptOf(in, "+15005559999", at)
	again := attemptOf(in, attempts[3].Number, at)
	again.RecipientID, again.RecipientTry = attempts[3].RecipientID, 1
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error { return s.Calls.Create(ctx, &fresh, calls[7]) }),
		domain.CodeConflict, "already exists")
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error { return s.Attempts.Create(ctx, &other, &again) }),
		domain.CodeConflict, "One of 2 attempts")
	for _, err := range []error{
		b.try(func(ctx context.Context, s *domain.Stores) error { _, err := s.Calls.ByID(ctx, fresh.ID); return err }),
		b.try(func(ctx context.Context, s *domain.Stores) error { _, err := s.Attempts.Get(ctx, other.ID); return err }),
	} {
		b.wantCode(err, domain.CodeNotFound, "")
	}
}

// updateSeveral proves that many recipients are stored at once, with their counts,
// and none when one of them has changed.
func updateSeveral(_ *testing.T, b *bench) {
	in, _ := scopes()
	at := clock()
	c := campaignOf(in, domain.NewID(), at, 0)
	b.write(func(ctx context.Context, s *domain.Stores) error {
		var list []domain.Recipient
		for n := range block {
			list = append(list, recipientOf(&c, n, at))
		}
		if err := s.Campaigns.Create(ctx, &c); err != nil {
			return err
		}
		_, err := s.Recipients.Add(ctx, list)
		return err
	})
	gain := domain.CampaignCounts{LastAt: at.Add(time.Minute), Talk: time.Second}
	var stored []domain.Recipient
	// store takes n of them, of whom the first is given up, every second one called,
	// and the others wait for longer.
	store := func(ctx context.Context, s *domain.Stores, n int, spoil func(last *domain.Recipient)) (err error) {
		if stored, _, err = s.Recipients.Due(ctx, c.ID, at.Add(24*time.Hour), n); err != nil {
			return err
		}
		changed := make([]*domain.Recipient, n)
		for i := range stored {
			changed[i] = decided(&stored[i], i, at)
		}
		spoil(changed[n-1])
		return s.Recipients.Update(ctx, changed[0], domain.RecipientWaiting, gain, changed[1:]...)
	}
	for _, n := range []int{2, 64, block} {
		for _, spoil := range []func(*domain.Recipient){
			func(r *domain.Recipient) { r.Version++ },
			func(r *domain.Recipient) { r.ID = domain.NewID() },
		} {
			b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error { return store(ctx, s, n, spoil) }),
				domain.CodeConflict, "1 of ")
			b.counted(&c, domain.CampaignCounts{Waiting: block})
		}
	}
	b.write(func(ctx context.Context, s *domain.Stores) error {
		return store(ctx, s, block, func(*domain.Recipient) {})
	})
	gain.Active, gain.Failed, gain.Waiting = block/2, 1, block-block/2-1
	b.counted(&c, gain)
	b.read(func(ctx context.Context, s *domain.Stores) error {
		for i := range stored {
			got, err := s.Recipients.Get(ctx, in, c.ID, stored[i].ID)
			if err != nil {
				return err
			}
			if !reflect.DeepEqual(*got, stored[i]) || got.Version != 2 {
				b.Fatalf("stored %+v, want %+v", *got, stored[i])
			}
		}
		return nil
	})
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error { // the first waits no more
		return s.Recipients.Update(ctx, &stored[0], domain.RecipientWaiting, domain.CampaignCounts{}, &stored[2])
	}), domain.CodeConflict, "1 of 2")
	b.counted(&c, gain)
}

// decided is the i-th recipient after a plan.
func decided(r *domain.Recipient, i int, at time.Time) *domain.Recipient {
	r.UpdatedAt = at.Add(time.Second)
	switch {
	case i == 0:
		r.State, r.Why, r.Result, r.EndedAt = domain.RecipientFailed, "do_not_call", domain.ResultBusy, at.Add(time.Minute)
	case i%2 == 1:
		r.State, r.CallID, r.Calls, r.ContactID = domain.RecipientActive, domain.NewID(), 3, "it's"
		r.Tries = []domain.RecipientTry{{CallID: "x", At: at, Result: domain.ResultBusy, Charged: true}}
	default:
		r.Why, r.NextAt = "cap ? $1 'x'", at.Add(time.Hour)
	}
	return r
}

// triedSeveral proves that what is told of many numbers is what is told of each.
func triedSeveral(_ *testing.T, b *bench) {
	in, others := scopes()
	at := clock()
	numbers := []string{"+15005550191", "+15005550192", "+15005550193", "+15005550194"}
	tried := func(in domain.Scope, number string, ago time.Duration, edit func(*domain.Attempt)) {
		a := attemptOf(in, number, at)
		a.State, a.DialedAt = domain.AttemptEnded, at.Add(-ago)
		if edit != nil {
			edit(&a)
		}
		b.createAttempts(a)
	}
	for _, ago := range []time.Duration{time.Hour, 3 * time.Hour, 2 * time.Hour, 9 * time.Hour} {
		tried(in, numbers[0], ago, nil)
	}
	tried(in, numbers[1], time.Minute, nil)
	tried(in, numbers[1], 9*time.Hour, nil)
	tried(in, numbers[2], time.Hour, func(a *domain.Attempt) { a.Uncharged = true })
	tried(in, numbers[2], time.Hour, func(a *domain.Attempt) { a.Kind = domain.AttemptTransfer })
	tried(in, numbers[2], time.Hour, func(a *domain.Attempt) { a.DialedAt = time.Time{} })
	tried(others[0], numbers[2], time.Hour, nil)
	tried(others[1], numbers[3], time.Hour, nil)
	b.write(func(ctx context.Context, s *domain.Stores) error {
		since := at.Add(-8 * time.Hour)
		got, err := s.Tries.Among(ctx, in, numbers, since)
		if err != nil {
			return err
		}
		want := map[string][]time.Time{
			numbers[0]: {at.Add(-3 * time.Hour), at.Add(-2 * time.Hour), at.Add(-time.Hour)}, numbers[1]: {at.Add(-time.Minute)},
		}
		b.same(got, want)
		for _, number := range numbers {
			one, err := s.Tries.Tried(ctx, in, number, since)
			if err != nil {
				return err
			}
			b.same(one, append([]time.Time{}, want[number]...))
		}
		none, err := s.Tries.Among(ctx, in, nil, since)
		b.same(len(none), 0)
		return err
	})
}

// acquaintances proves that contacts are found by their ids and numbers, the oldest
// of a number, and none of others.
func acquaintances(_ *testing.T, b *bench) {
	in, others := scopes()
	at := clock()
	meet := func(in domain.Scope, numbers ...string) *domain.Contact {
		c := &domain.Contact{ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, FirstName: "Zoë", Version: 1, CreatedAt: at, UpdatedAt: at}
		for i, number := range numbers {
			c.Phones = append(c.Phones, domain.ContactPhone{Number: number, Primary: i == 0})
		}
		if len(numbers) > 0 {
			c.Phone = numbers[0]
		}
		c.Tags = []string{"+15005550199"} // which is no number of its
		b.write(func(ctx context.Context, s *domain.Stores) error { return s.Contacts.Create(ctx, c) })
		return c
	}
	const one, two, three, nobody = "+15005550181", "+15005550182", "+15005550183", "+15005550199"
	gone := meet(in, three)
	old := meet(in, one, two)
	young := meet(in, two, three)
	plain := meet(in)
	strange := meet(others[0], one, nobody)
	b.write(func(ctx context.Context, s *domain.Stores) error { return s.Contacts.Delete(ctx, in, gone.ID) })
	b.write(func(ctx context.Context, s *domain.Stores) error {
		found, owners, err := s.Acquaintances.Find(ctx, in, []domain.ID{plain.ID, gone.ID, strange.ID, "none", old.ID}, []string{one, two, three, nobody})
		if err != nil {
			return err
		}
		b.same(owners, map[string]domain.ID{one: old.ID, two: old.ID, three: young.ID})
		b.same(len(found), 3)
		for _, c := range []*domain.Contact{old, young, plain} {
			want, err := s.Contacts.Get(ctx, in, c.ID)
			if err != nil {
				return err
			}
			b.same(found[c.ID], *want)
		}
		found, owners, err = s.Acquaintances.Find(ctx, in, nil, nil)
		b.same(len(found)+len(owners), 0)
		return err
	})
}
