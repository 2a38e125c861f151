package directory

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type keyRow struct {
	bun.BaseModel `bun:"table:keys"`

	ID           domain.ID `bun:",pk"`
	WorkspaceID  domain.ID
	Mode         domain.Mode
	Name         string
	Prefix       string
	Hash         []byte
	Scopes       row.JSON[[]string]
	Allow        row.JSON[[]string]
	RateLimit    int
	ExpiresAt    row.Micros
	RevokedAt    row.Micros
	LastUsedAt   row.Micros
	CreatedAt    row.Micros
	RotatedUntil row.Micros
}

func newKeyRow(k *domain.Key) *keyRow {
	return &keyRow{
		ID: k.ID, WorkspaceID: k.WorkspaceID, Mode: k.Mode, Name: k.Name, Prefix: k.Prefix, Hash: k.Hash,
		Scopes: row.JSON[[]string]{V: k.Scopes}, Allow: row.JSON[[]string]{V: k.Allow}, RateLimit: k.RateLimit,
		ExpiresAt: row.At(k.ExpiresAt), RevokedAt: row.At(k.RevokedAt), LastUsedAt: row.At(k.LastUsedAt),
		CreatedAt: row.At(k.CreatedAt), RotatedUntil: row.At(k.RotatedUntil),
	}
}

func (r *keyRow) domain() domain.Key {
	return domain.Key{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Name: r.Name, Prefix: r.Prefix, Hash: r.Hash,
		Scopes: r.Scopes.V, Allow: r.Allow.V, RateLimit: r.RateLimit,
		ExpiresAt: r.ExpiresAt.Time(), RevokedAt: r.RevokedAt.Time(), LastUsedAt: r.LastUsedAt.Time(),
		CreatedAt: r.CreatedAt.Time(), RotatedUntil: r.RotatedUntil.Time(),
	}
}

type keys struct{ db bun.IDB }

// NewKeys keeps API keys.
func NewKeys(db bun.IDB) domain.Keys { return &keys{db} }

// Create stores a new key.
func (k *keys) Create(ctx context.Context, key *domain.Key) error {
	_, err := k.db.NewInsert().Model(newKeyRow(key)).Exec(ctx)
	return row.Created(err, "Key with id "+string(key.ID)+" already exists")
}

// ByID finds a key in any workspace.
func (k *keys) ByID(ctx context.Context, id domain.ID) (*domain.Key, error) {
	r := new(keyRow)
	if err := row.ToChange(k.db, k.db.NewSelect().Model(r).Where("id = ?", id)).Scan(ctx); err != nil {
		return nil, row.Found(err, domain.NotFound("Key", id))
	}
	key := r.domain()
	return &key, nil
}

// List returns the keys of a workspace in both modes, newest first.
func (k *keys) List(ctx context.Context, workspace domain.ID) ([]domain.Key, error) {
	var rows []keyRow
	err := k.db.NewSelect().Model(&rows).Where("workspace_id = ?", workspace).OrderExpr("id DESC").Scan(ctx)
	return row.Map(rows, (*keyRow).domain), row.Error(err, "list keys")
}

// Update stores all of a key but its time of last use, which Touch keeps.
func (k *keys) Update(ctx context.Context, key *domain.Key) error {
	res, err := k.db.NewUpdate().Model(newKeyRow(key)).
		ExcludeColumn("id", "workspace_id", "mode", "created_at", "last_used_at").
		Where("id = ?", key.ID).Where("workspace_id = ?", key.WorkspaceID).Exec(ctx)
	if err == nil && !row.Changed(res) {
		return domain.NotFound("Key", key.ID)
	}
	return row.Error(err, "update key")
}

// Touch notes when a key was last used; an earlier time than is known is not.
func (k *keys) Touch(ctx context.Context, id domain.ID, at time.Time) error {
	_, err := k.db.NewUpdate().Model((*keyRow)(nil)).Set("last_used_at = ?", row.At(at)).
		Where("id = ?", id).Where("last_used_at < ?", row.At(at)).Exec(ctx)
	return row.Error(err, "touch key")
}
