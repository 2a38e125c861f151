package messaging

import (
	"context"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/trunk"
)

// The bounds of what strangers send, in characters: what is longer is cut.
const (
	maxIncoming = 10_000 // far more than phones send
	maxSender   = 40
)

// Receipt notes what became of a message that the carrier of t took.
func (s *Messaging) Receipt(ctx context.Context, t domain.Trunk, r trunk.Receipt) error {
	in := domain.Scope{Workspace: t.WorkspaceID, Mode: t.Mode}
	return s.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
		m, err := st.Messages.ByCarrier(ctx, in, t.ID, domain.Outbound, r.CarrierID)
		if err != nil || m.Status != domain.MessageSent {
			return err // or it was told before
		}
		m.UpdatedAt = s.Clock()
		if r.Error != "" {
			m.Status, m.Error = domain.MessageFailed, cut(r.Error, maxIncoming)
			return s.change(ctx, st, m, domain.EventMessageFailed)
		}
		m.Status, m.DeliveredAt = domain.MessageDelivered, r.At.UTC().Truncate(time.Microsecond)
		return s.change(ctx, st, m, domain.EventMessageDelivered)
	})
}

// Incoming takes a message that came in over t to one of its workspace's own
// numbers. One that asks for no more calls and messages puts its sender onto the
// do-not-call list at once; the word START takes back what its sender asked for.
func (s *Messaging) Incoming(ctx context.Context, t domain.Trunk, r trunk.IncomingMessage) error {
	in := domain.Scope{Workspace: t.WorkspaceID, Mode: t.Mode}
	optedOut := false
	err := s.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
		optedOut = false
		if r.CarrierID != "" {
			_, err := st.Messages.ByCarrier(ctx, in, t.ID, domain.Inbound, r.CarrierID)
			if domain.CodeOf(err) != domain.CodeNotFound {
				return err // nil: it came before
			}
		}
		m, err := s.incoming(ctx, st, in, t, r)
		if err != nil {
			return err
		}
		if err := st.Messages.Create(ctx, m); err != nil {
			return err
		}
		if optedOut, err = s.heed(ctx, st, in, m); err != nil {
			return err
		}
		return s.announce(ctx, st, m, domain.EventMessageReceived)
	})
	if err != nil || !optedOut {
		return err
	}
	return s.o.StopRinging(ctx)
}

// incoming is a message that came in, not stored yet.
func (s *Messaging) incoming(ctx context.Context, st *domain.Stores, in domain.Scope, t domain.Trunk, r trunk.IncomingMessage) (*domain.Message, error) {
	own, err := st.Numbers.ByNumber(ctx, in, r.To)
	if err != nil {
		return nil, err
	}
	now := s.Clock()
	m := &domain.Message{
		ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Direction: domain.Inbound,
		PhoneNumberID: own.ID, TrunkID: t.ID, From: cut(r.From, maxSender), To: own.Number, Text: cut(r.Text, maxIncoming),
		Status: domain.MessageReceived, CarrierID: r.CarrierID, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	m.Encoding, m.Segments = Measure(m.Text)
	m.ContactID, err = contactOf(ctx, st, in, m.From)
	return m, err
}

// heed does what a message asks for; true when it opts out.
func (s *Messaging) heed(ctx context.Context, st *domain.Stores, in domain.Scope, m *domain.Message) (optedOut bool, err error) {
	switch {
	case phone.Valid(m.From) != nil:
		return false, nil //nolint:nilerr // a sender that has no number asks for nothing
	case compliance.TextOptsOut(m.Text):
		_, err = st.Suppressed.Add(ctx, in, domain.Suppression{
			ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Number: m.From,
			Reason: "asked in a text message not to be contacted again", Source: domain.SuppressedByWord, CreatedAt: m.CreatedAt,
		})
		return err == nil, err
	case !compliance.TextOptsIn(m.Text):
		return false, nil
	}
	listed, err := st.Suppressed.Among(ctx, in, []string{m.From})
	for _, entry := range listed {
		// Who was listed by others has not asked for it, and does not take it back.
		if entry.Source == domain.SuppressedByWord || entry.Source == domain.SuppressedByKey {
			_, err = st.Suppressed.Remove(ctx, in, m.From)
		}
	}
	return false, err
}

// cut keeps the first most characters of what a stranger sent.
func cut(text string, most int) string {
	text = strings.ToValidUTF8(text, "�")
	n := 0
	for i := range text {
		if n == most {
			return text[:i]
		}
		n++
	}
	return text
}

var _ trunk.Inbox = (*Messaging)(nil)
