package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

func messageOf(in domain.Scope, id domain.ID, at time.Time, n int) domain.Message {
	return domain.Message{
		ID: id, WorkspaceID: in.Workspace, Mode: in.Mode, Version: 1, CreatedAt: at, UpdatedAt: at,
		Direction: domain.Outbound, PhoneNumberID: "number", TrunkID: "trunk", From: "+15005550100", To: "+15005550101",
		Text: "Zoë ? '' \n 🙂", Status: domain.MessageSent, Encoding: domain.EncodingUCS2, Segments: n + 1, Error: "e",
		CarrierID: "carrier-" + string(id), CallID: "call", ContactID: "contact", Extra: map[string]any{"a": "b"},
		AskedAt: at.Add(time.Second), SentAt: at.Add(2 * time.Second), DeliveredAt: at.Add(3 * time.Second),
	}
}

func messages(_ *testing.T, b *bench) {
	plain[domain.Message]{
		noun: "Message",
		pick: func(s *domain.Stores) domain.Collection[domain.Message] { return s.Messages },
		make: messageOf,
		id:   func(m *domain.Message) domain.ID { return m.ID }, version: func(m *domain.Message) int64 { return m.Version },
		change: func(m *domain.Message) {
			m.Status, m.Error, m.CarrierID, m.Extra = domain.MessageFailed, "", "", nil
			m.AskedAt, m.SentAt, m.DeliveredAt = time.Time{}, time.Time{}, time.Time{}
		},
	}.exercise(b)
}

// messagesFind proves each filter, the order, and the totals.
func messagesFind(_ *testing.T, b *bench) {
	in, others := scopes()
	at := clock()
	var made []domain.Message
	b.write(func(ctx context.Context, s *domain.Stores) error {
		made = nil
		for n := range 4 {
			m := messageOf(in, domain.NewID(), at.Add(time.Duration(n)*time.Hour), n)
			if n%2 == 1 {
				m.Direction, m.Status, m.From, m.To = domain.Inbound, domain.MessageReceived, m.To, m.From
			}
			if err := s.Messages.Create(ctx, &m); err != nil {
				return err
			}
			made = append(made, m)
		}
		for _, other := range others {
			m := messageOf(other, domain.NewID(), at, 0)
			if err := s.Messages.Create(ctx, &m); err != nil {
				return err
			}
		}
		return nil
	})
	for _, c := range []struct {
		filter domain.MessageFilter
		page   domain.Page
		total  int
		want   []int
	}{
		{domain.MessageFilter{}, domain.Page{}, 4, []int{3, 2, 1, 0}},
		{domain.MessageFilter{}, domain.Page{Limit: 2, Offset: 1}, 4, []int{2, 1}},
		{domain.MessageFilter{}, domain.Page{Limit: 2, After: made[2].ID}, 4, []int{1, 0}},
		{domain.MessageFilter{Direction: domain.Inbound}, domain.Page{}, 2, []int{3, 1}},
		{domain.MessageFilter{Status: domain.MessageSent}, domain.Page{Limit: 1}, 2, []int{2}},
		{domain.MessageFilter{Status: domain.MessageQueued}, domain.Page{}, 0, nil},
		{domain.MessageFilter{To: "+15005550100"}, domain.Page{}, 2, []int{3, 1}},
		{domain.MessageFilter{From: "+15005550100", Direction: domain.Outbound}, domain.Page{}, 2, []int{2, 0}},
		{domain.MessageFilter{CreatedMin: at.Add(time.Hour)}, domain.Page{}, 3, []int{3, 2, 1}},
		{domain.MessageFilter{CreatedMin: at.Add(time.Hour), CreatedMax: at.Add(2 * time.Hour)}, domain.Page{}, 1, []int{1}},
	} {
		b.read(func(ctx context.Context, s *domain.Stores) error {
			got, total, err := s.Messages.Find(ctx, in, c.filter, c.page)
			want := []domain.Message{}
			for _, n := range c.want {
				want = append(want, made[n])
			}
			b.same(got, want)
			b.same(total, c.total)
			return err
		})
	}
}

// messagesNamed proves that a carrier's name for a message is there once, that
// names of incoming messages are others, and that no name is no name.
func messagesNamed(_ *testing.T, b *bench) {
	in, others := scopes()
	out, back := messageOf(in, domain.NewID(), clock(), 0), messageOf(in, domain.NewID(), clock(), 1)
	out.CarrierID, back.CarrierID, back.Direction = "x", "x", domain.Inbound
	b.write(func(ctx context.Context, s *domain.Stores) error {
		for _, m := range []domain.Message{out, back} {
			if err := s.Messages.Create(ctx, &m); err != nil {
				return err
			}
		}
		for range 2 {
			nameless := messageOf(in, domain.NewID(), clock(), 0)
			nameless.CarrierID = ""
			if err := s.Messages.Create(ctx, &nameless); err != nil {
				return err
			}
		}
		return nil
	})
	b.wantCode(b.try(func(ctx context.Context, s *domain.Stores) error {
		twice := messageOf(in, domain.NewID(), clock(), 0)
		twice.CarrierID = "x"
		return s.Messages.Create(ctx, &twice)
	}), domain.CodeConflict, "Message")
	find := func(where domain.Scope, trunk domain.ID, d domain.Direction, name string) (found *domain.Message, err error) {
		err = b.store.View(b.Context(), func(ctx context.Context, s *domain.Stores) (err error) {
			found, err = s.Messages.ByCarrier(ctx, where, trunk, d, name)
			return err
		})
		return found, err
	}
	for _, want := range []domain.Message{out, back} {
		got, err := find(in, "trunk", want.Direction, "x")
		if err != nil {
			b.Fatal(err)
		}
		b.same(*got, want)
	}
	for _, c := range []struct {
		in          domain.Scope
		trunk, name string
	}{{others[0], "trunk", "x"}, {others[1], "trunk", "x"}, {in, "other", "x"}, {in, "trunk", "y"}, {in, "trunk", ""}} {
		_, err := find(c.in, domain.ID(c.trunk), domain.Outbound, c.name)
		b.wantCode(err, domain.CodeNotFound, "carrier")
	}
}

// messagesForgotten proves that a person's messages are found by contact and by
// number, and nobody else's.
func messagesForgotten(_ *testing.T, b *bench) {
	in, others := scopes()
	person := func(m *domain.Message, contact domain.ID, from, to string) *domain.Message {
		m.ContactID, m.From, m.To = contact, from, to
		return m
	}
	var kept, tellings []domain.ID // the messages and the payloads that stay
	var known []domain.Delivery
	b.write(func(ctx context.Context, s *domain.Stores) error {
		kept, known, tellings = nil, nil, nil
		for _, c := range []struct {
			in       domain.Scope
			contact  domain.ID
			from, to string
			stays    bool
		}{
			{in, "gone", "+15005550100", "+15005550199", false}, {in, "", "+15005550100", "+15005550101", false},
			{in, "", "+15005550101", "+15005550100", false}, {in, "other", "+15005550100", "+15005550102", true},
			{in, "", "+15005550100", "+15005550103", true}, {others[0], "gone", "+15005550101", "+15005550101", false},
		} {
			m := messageOf(c.in, domain.NewID(), clock(), 0)
			if err := s.Messages.Create(ctx, person(&m, c.contact, c.from, c.to)); err != nil {
				return err
			}
			told := domain.Delivery{ID: m.ID, WorkspaceID: c.in.Workspace, Mode: c.in.Mode, AboutID: m.ID, State: domain.DeliveryDelivered, CreatedAt: clock()}
			if err := errors.Join(
				s.Deliveries.Create(ctx, &told),
				s.Deliveries.Finish(ctx, domain.Tried{Delivery: told, Try: domain.Try{DeliveryID: m.ID, Number: 1, At: clock()}}),
			); err != nil {
				return err
			}
			known = append(known, told)
			if c.stays || c.in != in {
				tellings = append(tellings, m.ID)
			}
			if c.stays {
				kept = append([]domain.ID{m.ID}, kept...)
			}
		}
		return s.Erasure.ForgetMessages(ctx, in, "gone", []string{"+15005550101"})
	})
	b.read(func(ctx context.Context, s *domain.Stores) error {
		var left []domain.ID
		rows, err := s.Messages.List(ctx, in, domain.Page{})
		for _, m := range rows {
			left = append(left, m.ID)
		}
		b.same(left, kept)
		var told []domain.ID
		for _, d := range known {
			tries, err := s.Deliveries.Tries(ctx, d.ID)
			_, gone := s.Deliveries.Get(ctx, domain.Scope{Workspace: d.WorkspaceID, Mode: d.Mode}, d.ID)
			if (gone == nil) != (len(tries) == 1) || err != nil {
				b.Errorf("of the delivery %s there are %d tries (%v, %v)", d.ID, len(tries), err, gone)
			}
			if gone == nil {
				told = append(told, d.ID)
			}
		}
		b.same(told, tellings)
		n, countErr := s.Messages.Count(ctx, others[0])
		b.same(n, 1)
		if err == nil {
			err = countErr
		}
		return err
	})
}
