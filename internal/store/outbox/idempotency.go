package outbox

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type idempotentRow struct {
	bun.BaseModel `bun:"table:idempotency"`

	WorkspaceID domain.ID   `bun:",pk"`
	Mode        domain.Mode `bun:",pk"`
	KeyID       domain.ID   `bun:",pk"`
	Key         string      `bun:",pk"`
	RequestHash []byte
	Status      int
	Body        []byte
	CreatedAt   row.Micros
}

type idempotency struct{ db bun.IDB }

// NewIdempotency keeps answers for repeated requests.
func NewIdempotency(db bun.IDB) domain.Idempotency { return &idempotency{db} }

// Get returns the stored answer.
func (s *idempotency) Get(ctx context.Context, in domain.Scope, keyID domain.ID, key string) (*domain.Idempotent, error) {
	r := new(idempotentRow)
	err := row.In(s.db.NewSelect().Model(r), in).Where("key_id = ?", keyID).Where("key = ?", key).Scan(ctx)
	if err != nil {
		return nil, row.Found(err, domain.Errorf(domain.CodeNotFound, "No answer is stored for this Idempotency-Key"))
	}
	return &domain.Idempotent{
		WorkspaceID: r.WorkspaceID, Mode: r.Mode, KeyID: r.KeyID, Key: r.Key, RequestHash: r.RequestHash,
		Status: r.Status, Body: r.Body, CreatedAt: r.CreatedAt.Time(),
	}, nil
}

// Create stores an answer.
func (s *idempotency) Create(ctx context.Context, i *domain.Idempotent) error {
	_, err := s.db.NewInsert().Model(&idempotentRow{
		WorkspaceID: i.WorkspaceID, Mode: i.Mode, KeyID: i.KeyID, Key: i.Key, RequestHash: i.RequestHash,
		Status: i.Status, Body: i.Body, CreatedAt: row.At(i.CreatedAt),
	}).Exec(ctx)
	return row.Created(err, "An answer is already stored for this Idempotency-Key")
}

// Prune removes old answers.
func (s *idempotency) Prune(ctx context.Context, before time.Time) error {
	_, err := s.db.NewDelete().Model((*idempotentRow)(nil)).Where("created_at < ?", row.At(before)).Exec(ctx)
	return row.Error(err, "prune idempotency")
}
