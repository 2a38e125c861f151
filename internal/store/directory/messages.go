package directory

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type messageRow struct {
	bun.BaseModel `bun:"table:messages"`
	head
	Direction     domain.Direction
	PhoneNumberID domain.ID
	TrunkID       domain.ID
	FromNumber    string
	ToNumber      string
	Text          string
	Status        domain.MessageStatus
	Encoding      domain.MessageEncoding
	Segments      int
	Error         string
	CarrierID     string
	CallID        domain.ID
	ContactID     domain.ID
	Extra         row.JSON[map[string]any]
	AskedAt       row.Micros
	SentAt        row.Micros
	DeliveredAt   row.Micros
}

var _ record[domain.Message] = (*messageRow)(nil)

func (r *messageRow) fill(m *domain.Message) {
	*r = messageRow{
		head: head{
			ID: m.ID, WorkspaceID: m.WorkspaceID, Mode: m.Mode, Version: m.Version,
			CreatedAt: row.At(m.CreatedAt), UpdatedAt: row.At(m.UpdatedAt),
		},
		Direction: m.Direction, PhoneNumberID: m.PhoneNumberID, TrunkID: m.TrunkID, FromNumber: m.From, ToNumber: m.To,
		Text: m.Text, Status: m.Status, Encoding: m.Encoding, Segments: m.Segments, Error: m.Error,
		CarrierID: m.CarrierID, CallID: m.CallID, ContactID: m.ContactID, Extra: row.JSON[map[string]any]{V: m.Extra},
		AskedAt: row.At(m.AskedAt), SentAt: row.At(m.SentAt), DeliveredAt: row.At(m.DeliveredAt),
	}
}

func (r *messageRow) domain() domain.Message {
	return domain.Message{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Version: r.Version,
		CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time(),
		Direction: r.Direction, PhoneNumberID: r.PhoneNumberID, TrunkID: r.TrunkID, From: r.FromNumber, To: r.ToNumber,
		Text: r.Text, Status: r.Status, Encoding: r.Encoding, Segments: r.Segments, Error: r.Error,
		CarrierID: r.CarrierID, CallID: r.CallID, ContactID: r.ContactID, Extra: r.Extra.V,
		AskedAt: r.AskedAt.Time(), SentAt: r.SentAt.Time(), DeliveredAt: r.DeliveredAt.Time(),
	}
}

type messages struct {
	*collection[domain.Message, messageRow, *messageRow]
}

// NewMessages keeps text messages.
func NewMessages(db bun.IDB) domain.Messages {
	return &messages{newCollection[domain.Message, messageRow](db, "Message")}
}

// Find returns a page of messages, newest first, and how many the filter has in
// all.
func (s *messages) Find(ctx context.Context, in domain.Scope, f domain.MessageFilter, page domain.Page) ([]domain.Message, int, error) {
	total, err := row.Count(ctx, messagesOf(s.db.NewSelect().Model((*messageRow)(nil)), in, f))
	if err != nil {
		return nil, 0, err
	}
	var rows []messageRow
	err = row.Cut(messagesOf(s.db.NewSelect().Model(&rows), in, f), page).Scan(ctx)
	return row.Map(rows, (*messageRow).domain), total, row.Error(err, "list messages")
}

func messagesOf(q *bun.SelectQuery, in domain.Scope, f domain.MessageFilter) *bun.SelectQuery {
	q = row.In(q, in)
	for _, equal := range []struct{ column, value string }{
		{"direction", string(f.Direction)}, {"status", string(f.Status)}, {"from_number", f.From}, {"to_number", f.To},
	} {
		if equal.value != "" {
			q = q.Where("? = ?", bun.Ident(equal.column), equal.value)
		}
	}
	if !f.CreatedMin.IsZero() {
		q = q.Where("created_at >= ?", row.At(f.CreatedMin))
	}
	if !f.CreatedMax.IsZero() {
		q = q.Where("created_at < ?", row.At(f.CreatedMax))
	}
	return q
}

// ByCarrier returns the message that a carrier has a name for.
func (s *messages) ByCarrier(ctx context.Context, in domain.Scope, trunk domain.ID, d domain.Direction, carrierID string) (*domain.Message, error) {
	r := new(messageRow)
	q := row.In(s.db.NewSelect().Model(r), in).Where("trunk_id = ?", trunk).Where("direction = ?", d).
		Where("carrier_id = ?", carrierID).Where("carrier_id <> ''") // the index is partial
	if err := row.ToRely(s.db, q).Scan(ctx); err != nil {
		return nil, row.Found(err, domain.Errorf(domain.CodeNotFound, "No message has the name %q at its carrier", carrierID))
	}
	m := r.domain()
	return &m, nil
}
