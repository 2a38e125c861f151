package access

import (
	"cmp"
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// The bounds of what may be asked for of keys.
const (
	maxOverlap   = 7 * 24 * time.Hour
	maxRateLimit = 1_000_000
)

// NewKey is the request for a key.
type NewKey struct {
	Workspace domain.ID
	Name      string
	Mode      domain.Mode // "" is live, or that of Within
	Scopes    []string    // nil is all that By has
	Allow     []string    // addresses or CIDRs; none is everywhere
	RateLimit int         // requests a minute; 0 is the plan's
	ExpiresAt time.Time   // zero is never

	By     *domain.Key // who asks; nil is the operator, who may everything
	Within domain.Mode // the mode in which By asks
	Once   *rule.Once[domain.Key]
}

// CreateKey makes a key and returns its secret, which is kept nowhere. No key
// makes one that may do more than itself.
func (a *Access) CreateKey(ctx context.Context, req NewKey) (key *domain.Key, secret string, err error) {
	fresh, err := a.newKey(req)
	if err != nil {
		return nil, "", err
	}
	in := domain.Scope{Workspace: req.Workspace, Mode: req.Within}
	key, err = rule.Effect(ctx, &a.Kit, in, req.Once, func(ctx context.Context, st *domain.Stores) (*domain.Key, error) {
		if _, err := st.Workspaces.Get(ctx, req.Workspace); err != nil {
			return nil, err
		}
		row := *fresh
		secret = a.seal(&row)
		return &row, st.Keys.Create(ctx, &row)
	})
	if err != nil {
		return nil, "", err
	}
	return key, secret, nil
}

// newKey checks a request and returns the key that it asks for, not sealed yet.
func (a *Access) newKey(req NewKey) (*domain.Key, error) {
	if req.Mode == "" {
		req.Mode = cmp.Or(req.Within, domain.Live)
	}
	switch {
	case req.Scopes == nil && req.By != nil:
		req.Scopes = slices.Clone(req.By.Scopes)
	case req.Scopes == nil:
		req.Scopes = []string{AllScopes}
	}
	k := &domain.Key{WorkspaceID: req.Workspace, Mode: req.Mode, Version: 1}
	change := KeyChange{Name: &req.Name, Scopes: &req.Scopes, Allow: &req.Allow, RateLimit: &req.RateLimit, By: req.By}
	if !req.ExpiresAt.IsZero() {
		change.ExpiresAt = &req.ExpiresAt
	}
	if err := rule.OneOf("mode", string(req.Mode), string(domain.Live), string(domain.Test)); err != nil {
		return nil, err
	}
	if req.Within == domain.Test && req.Mode != domain.Test {
		return nil, domain.Errorf(domain.CodeForbidden, "in test mode only test keys can be made; ask in live mode for a live one")
	}
	return k, change.apply(k, a.Clock())
}

// KeyChange is what is to change in a key. Nil fields keep what is there.
type KeyChange struct {
	Name      rule.Change[string]
	Scopes    rule.Change[[]string]
	Allow     rule.Change[[]string]  // none is everywhere
	RateLimit rule.Change[int]       // 0 is the plan's
	ExpiresAt rule.Change[time.Time] // zero is never
	IfVersion int64                  // 0 for any
	By        *domain.Key            // who asks; nil is the operator
}

// apply puts the changes into k and checks them.
func (req KeyChange) apply(k *domain.Key, now time.Time) error {
	if req.Scopes != nil {
		granted, err := scopes("scopes", *req.Scopes)
		if err != nil {
			return err
		}
		if err := grant(req.By, granted); err != nil {
			return err
		}
		k.Scopes = granted
	}
	if req.Allow != nil {
		allow, err := allowlist("allow", *req.Allow)
		if err != nil {
			return err
		}
		k.Allow = allow
	}
	if req.ExpiresAt != nil && !req.ExpiresAt.IsZero() && !req.ExpiresAt.After(now) {
		return domain.Invalid("expiresAt", "expiresAt must be in the future")
	}
	rule.Set(&k.Name, req.Name)
	rule.Set(&k.RateLimit, req.RateLimit)
	rule.Set(&k.ExpiresAt, req.ExpiresAt)
	k.ExpiresAt = k.ExpiresAt.UTC().Truncate(time.Microsecond)
	return rule.First(rule.Name("name", k.Name), rule.Within("rateLimit", k.RateLimit, 0, maxRateLimit))
}

// seal gives key a new id and secret.
func (a *Access) seal(key *domain.Key) (secret string) {
	key.ID = domain.NewID()
	secret = newKeyString(key.Mode, key.ID)
	sum := sha256.Sum256([]byte(secret))
	key.Hash, key.Prefix, key.CreatedAt = sum[:], secret[:keyShownLen], a.Clock()
	return secret
}

// KeyDetail is a key with what is known of its use.
type KeyDetail struct {
	domain.Key
	domain.KeyTrace
}

// Keys returns a page of the keys that can be seen in a scope, newest first, and
// the number of all. Live mode sees the keys of both modes, test mode its own;
// no mode is the operator's, who sees all.
func (a *Access) Keys(ctx context.Context, in domain.Scope, page domain.Page) ([]domain.Key, int, error) {
	mode := in.Mode
	if mode == domain.Live {
		mode = ""
	}
	var total int
	rows, err := rule.View(ctx, &a.Kit, func(ctx context.Context, st *domain.Stores) ([]domain.Key, error) {
		var err error
		if total, err = st.Keys.Count(ctx, in.Workspace, mode); err != nil {
			return nil, err
		}
		return st.Keys.List(ctx, in.Workspace, mode, page)
	})
	return rows, total, err
}

// Key returns one key.
func (a *Access) Key(ctx context.Context, in domain.Scope, id domain.ID) (*KeyDetail, error) {
	return rule.View(ctx, &a.Kit, func(ctx context.Context, st *domain.Stores) (*KeyDetail, error) {
		k, err := keyIn(ctx, st, in, id)
		if err != nil {
			return nil, err
		}
		trace, err := st.KeyTraces.Of(ctx, id)
		if err != nil {
			return nil, err
		}
		return &KeyDetail{Key: *k, KeyTrace: *trace}, nil
	})
}

// UpdateKey changes the fields of a key that req names.
func (a *Access) UpdateKey(ctx context.Context, in domain.Scope, id domain.ID, req KeyChange) (*domain.Key, error) {
	return a.changeKey(ctx, in, id, nil, func(k *domain.Key) error {
		if err := rule.At(req.IfVersion, k.Version); err != nil {
			return err
		}
		return req.apply(k, a.Clock())
	})
}

// RevokeKey ends a key at once, as an operator does.
func (a *Access) RevokeKey(ctx context.Context, workspace, id domain.ID) (*domain.Key, error) {
	return a.RevokeKeyIn(ctx, domain.Scope{Workspace: workspace}, id, nil)
}

// RevokeKeyIn ends a key at once.
func (a *Access) RevokeKeyIn(ctx context.Context, in domain.Scope, id domain.ID, once *rule.Once[domain.Key]) (*domain.Key, error) {
	return a.changeKey(ctx, in, id, once, func(k *domain.Key) error {
		if k.RevokedAt.IsZero() {
			k.RevokedAt = a.Clock()
		}
		return nil
	})
}

// DeleteKey ends a key at once and forgets it; its usage stays.
func (a *Access) DeleteKey(ctx context.Context, in domain.Scope, id domain.ID, ifVersion int64) error {
	defer a.keys.forget(id)
	return a.Store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		k, err := keyIn(ctx, st, in, id)
		if err != nil {
			return err
		}
		if err := rule.At(ifVersion, k.Version); err != nil {
			return err
		}
		return st.Keys.Delete(ctx, in.Workspace, id)
	})
}

// Rotation asks for a key that replaces another one.
type Rotation struct {
	Overlap time.Duration // how long the old one goes on to work, at most seven days
	By      *domain.Key   // who asks; nil is the operator
	Once    *rule.Once[domain.Key]
}

// RotateKey replaces a key, as an operator does.
func (a *Access) RotateKey(ctx context.Context, workspace, id domain.ID, overlap time.Duration) (key *domain.Key, secret string, err error) {
	return a.RotateKeyIn(ctx, domain.Scope{Workspace: workspace}, id, Rotation{Overlap: overlap})
}

// RotateKeyIn makes a key that replaces the one named id, with the same name,
// mode, scopes, allowlist, rate and expiry, and lets the old one work for the
// overlap.
func (a *Access) RotateKeyIn(ctx context.Context, in domain.Scope, id domain.ID, req Rotation) (key *domain.Key, secret string, err error) {
	if req.Overlap < 0 || req.Overlap > maxOverlap {
		return nil, "", domain.Invalid("overlap", "overlap must be from 0 to %d seconds (7 days)", maxOverlap/time.Second)
	}
	defer a.keys.forget(id)
	key, err = rule.Effect(ctx, &a.Kit, in, req.Once, func(ctx context.Context, st *domain.Stores) (*domain.Key, error) {
		now := a.Clock()
		old, err := keyIn(ctx, st, in, id)
		if err != nil {
			return nil, err
		}
		if err := grant(req.By, old.Scopes); err != nil {
			return nil, err
		}
		if !old.Usable(now) {
			return nil, domain.Errorf(domain.CodeConflict, "the key is revoked or has expired; create a new one")
		}
		fresh := *old
		fresh.RotatedUntil, fresh.LastUsedAt, fresh.Version = time.Time{}, time.Time{}, 1
		secret = a.seal(&fresh)
		old.RotatedUntil = now.Add(req.Overlap)
		if old.ExpiresAt.IsZero() || old.RotatedUntil.Before(old.ExpiresAt) {
			old.ExpiresAt = old.RotatedUntil
		}
		if err := st.Keys.Create(ctx, &fresh); err != nil {
			return nil, err
		}
		return &fresh, st.Keys.Update(ctx, old)
	})
	if err != nil {
		return nil, "", err
	}
	return key, secret, nil
}

// changeKey applies change to a key and stores it.
func (a *Access) changeKey(ctx context.Context, in domain.Scope, id domain.ID, once *rule.Once[domain.Key], change func(*domain.Key) error) (*domain.Key, error) {
	defer a.keys.forget(id)
	return rule.Effect(ctx, &a.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*domain.Key, error) {
		k, err := keyIn(ctx, st, in, id)
		if err != nil {
			return nil, err
		}
		if err := change(k); err != nil {
			return nil, err
		}
		return k, st.Keys.Update(ctx, k)
	})
}

// keyIn returns the key named id, if it can be seen in a scope.
func keyIn(ctx context.Context, st *domain.Stores, in domain.Scope, id domain.ID) (*domain.Key, error) {
	k, err := st.Keys.ByID(ctx, id)
	if err == nil && (k.WorkspaceID != in.Workspace || in.Mode == domain.Test && k.Mode != domain.Test) {
		return nil, domain.NotFound("Key", id)
	}
	return k, err
}
