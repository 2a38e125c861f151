package outbox

import (
	"context"
	"strings"
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

// secrets are what the answer may hold: a new key, the secret of an endpoint.
func (r *idempotentRow) secrets(text *string) row.Secret {
	*text = string(r.Body)
	return row.Secret{Column: "body", Text: text}
}

func (r *idempotentRow) place() string {
	return strings.Join([]string{string(r.WorkspaceID), string(r.Mode), string(r.KeyID), r.Key}, " ")
}

func (r *idempotentRow) close(seal *row.Seal) error {
	var body string
	err := seal.Close("idempotency", r.place(), r.secrets(&body))
	r.Body = []byte(body)
	return err
}

func (r *idempotentRow) open(seal *row.Seal) error {
	var body string
	err := seal.Open("idempotency", r.place(), r.secrets(&body))
	r.Body = []byte(body)
	return err
}

type idempotency struct {
	db   bun.IDB
	seal *row.Seal
}

// NewIdempotency keeps answers for repeated requests.
func NewIdempotency(db bun.IDB, seal *row.Seal) domain.Idempotency { return &idempotency{db, seal} }

// Get returns the stored answer.
func (s *idempotency) Get(ctx context.Context, in domain.Scope, keyID domain.ID, key string) (*domain.Idempotent, error) {
	r := new(idempotentRow)
	err := row.In(s.db.NewSelect().Model(r), in).Where("key_id = ?", keyID).Where("key = ?", key).Scan(ctx)
	if err != nil {
		return nil, row.Found(err, domain.Errorf(domain.CodeNotFound, "No answer is stored for this Idempotency-Key"))
	}
	if err := r.open(s.seal); err != nil {
		return nil, err
	}
	return &domain.Idempotent{
		WorkspaceID: r.WorkspaceID, Mode: r.Mode, KeyID: r.KeyID, Key: r.Key, RequestHash: r.RequestHash,
		Status: r.Status, Body: r.Body, CreatedAt: r.CreatedAt.Time(),
	}, nil
}

// Create stores an answer.
func (s *idempotency) Create(ctx context.Context, i *domain.Idempotent) error {
	r := &idempotentRow{
		WorkspaceID: i.WorkspaceID, Mode: i.Mode, KeyID: i.KeyID, Key: i.Key, RequestHash: i.RequestHash,
		Status: i.Status, Body: i.Body, CreatedAt: row.At(i.CreatedAt),
	}
	if err := r.close(s.seal); err != nil {
		return err
	}
	_, err := s.db.NewInsert().Model(r).Exec(ctx)
	return row.Created(err, "An answer is already stored for this Idempotency-Key")
}

// Prune removes old answers.
func (s *idempotency) Prune(ctx context.Context, before time.Time) error {
	_, err := s.db.NewDelete().Model((*idempotentRow)(nil)).Where("created_at < ?", row.At(before)).Exec(ctx)
	return row.Error(err, "prune idempotency")
}

// sealBatch is how many rows are sealed at once.
const sealBatch = 500

// SealAll seals what is kept as it is.
func SealAll(ctx context.Context, db bun.IDB, seal *row.Seal) error {
	for last := new(idempotentRow); ; {
		var rows []idempotentRow
		err := db.NewSelect().Model(&rows).Where("(workspace_id, mode, key_id, key) > (?, ?, ?, ?)", last.WorkspaceID, last.Mode, last.KeyID, last.Key).
			OrderExpr("workspace_id, mode, key_id, key").Limit(sealBatch).Scan(ctx)
		if err != nil {
			return row.Error(err, "read stored answers")
		}
		for i := range rows {
			last = &rows[i]
			if err := last.close(seal); err != nil {
				return err
			}
			if _, err := db.NewUpdate().Model(last).Column("body").WherePK().Exec(ctx); err != nil {
				return row.Error(err, "seal stored answers")
			}
		}
		if len(rows) < sealBatch {
			return nil
		}
	}
}
