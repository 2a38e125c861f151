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
	Version      int64
}

func newKeyRow(k *domain.Key) *keyRow {
	return &keyRow{
		ID: k.ID, WorkspaceID: k.WorkspaceID, Mode: k.Mode, Name: k.Name, Prefix: k.Prefix, Hash: k.Hash,
		Scopes: row.JSON[[]string]{V: k.Scopes}, Allow: row.JSON[[]string]{V: k.Allow}, RateLimit: k.RateLimit,
		ExpiresAt: row.At(k.ExpiresAt), RevokedAt: row.At(k.RevokedAt), LastUsedAt: row.At(k.LastUsedAt),
		CreatedAt: row.At(k.CreatedAt), RotatedUntil: row.At(k.RotatedUntil), Version: max(k.Version, 1),
	}
}

func (r *keyRow) domain() domain.Key {
	return domain.Key{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Name: r.Name, Prefix: r.Prefix, Hash: r.Hash,
		Scopes: r.Scopes.V, Allow: r.Allow.V, RateLimit: r.RateLimit,
		ExpiresAt: r.ExpiresAt.Time(), RevokedAt: r.RevokedAt.Time(), LastUsedAt: r.LastUsedAt.Time(),
		CreatedAt: r.CreatedAt.Time(), RotatedUntil: r.RotatedUntil.Time(), Version: r.Version,
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

// List returns keys of a workspace, newest first.
func (k *keys) List(ctx context.Context, workspace domain.ID, mode domain.Mode, page domain.Page) ([]domain.Key, error) {
	var rows []keyRow
	err := row.Cut(ofWorkspace(k.db.NewSelect().Model(&rows), workspace, mode), page).Scan(ctx)
	return row.Map(rows, (*keyRow).domain), row.Error(err, "list keys")
}

// Count counts keys of a workspace.
func (k *keys) Count(ctx context.Context, workspace domain.ID, mode domain.Mode) (int, error) {
	return row.Count(ctx, ofWorkspace(k.db.NewSelect().Model((*keyRow)(nil)), workspace, mode))
}

// ofWorkspace binds a query to a workspace and a mode, or to both modes.
func ofWorkspace(q *bun.SelectQuery, workspace domain.ID, mode domain.Mode) *bun.SelectQuery {
	q = q.Where("workspace_id = ?", workspace)
	if mode != "" {
		q = q.Where("mode = ?", mode)
	}
	return q
}

// Update stores all of a key but its time of last use, which Touch keeps.
func (k *keys) Update(ctx context.Context, key *domain.Key) error {
	var version int64
	err := k.db.NewUpdate().Model(newKeyRow(key)).
		ExcludeColumn("id", "workspace_id", "mode", "created_at", "last_used_at").
		Value("version", "version + 1").
		Where("id = ?", key.ID).Where("workspace_id = ?", key.WorkspaceID).
		Returning("version").Scan(ctx, &version)
	if err != nil {
		return row.Found(err, domain.NotFound("Key", key.ID))
	}
	key.Version = version
	return nil
}

// Delete removes a key and its traces.
func (k *keys) Delete(ctx context.Context, workspace, id domain.ID) error {
	res, err := k.db.NewDelete().Model((*keyRow)(nil)).Where("id = ?", id).Where("workspace_id = ?", workspace).Exec(ctx)
	if err == nil && !row.Changed(res) {
		return domain.NotFound("Key", id)
	}
	if err == nil {
		_, err = k.db.NewDelete().Model((*keyAddressRow)(nil)).Where("key_id = ?", id).Exec(ctx)
	}
	if err == nil {
		_, err = k.db.NewDelete().Model((*keyFailureRow)(nil)).Where("key_id = ?", id).Exec(ctx)
	}
	return row.Error(err, "delete key")
}

// Touch notes when a key was last used; an earlier time than is known is not.
func (k *keys) Touch(ctx context.Context, id domain.ID, at time.Time) error {
	_, err := k.db.NewUpdate().Model((*keyRow)(nil)).Set("last_used_at = ?", row.At(at)).
		Where("id = ?", id).Where("last_used_at < ?", row.At(at)).Exec(ctx)
	return row.Error(err, "touch key")
}
