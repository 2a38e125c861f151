package service

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// AllScopes lets a key do everything.
const AllScopes = "*"

// keyResources are the first path segments of the native API: what comes before
// ":read" and ":write" in a scope.
var keyResources = []string{
	"agents", "appointments", "batches", "calls", "campaigns", "contacts", "dialing", "do-not-call", "flows",
	"keys", "live", "messages", "notices", "phone-numbers", "recordings", "trunks", "usage", "webhooks", "workspaces",
}

// How keys behave over time.
const (
	keyStaleness  = time.Second // a key revoked by another process may work this long
	keyTouchEvery = time.Minute // how exact the time of last use is
	keyCacheMost  = 10_000      // keys remembered
	maxOverlap    = 7 * 24 * time.Hour
)

// Identity is whom a key string belongs to.
type Identity struct {
	Key       domain.Key
	Workspace domain.Workspace
}

// RequestsPerMinute is the key's rate: the plan's, or the key's own when that
// is lower. domain.Unlimited means none.
func (i *Identity) RequestsPerMinute() int {
	plan, own := i.Workspace.Plan.Limits().RequestsPerMinute, i.Key.RateLimit
	switch {
	case own == 0:
		return plan
	case plan == domain.Unlimited:
		return own
	}
	return min(plan, own)
}

// NewKey is the request for a key.
type NewKey struct {
	Workspace domain.ID
	Name      string
	Mode      domain.Mode // "" is live
	Scopes    []string    // none is all
	Allow     []string    // addresses or CIDRs; none is everywhere
	RateLimit int         // requests a minute; 0 is the plan's
	ExpiresAt time.Time   // zero is never
}

// CreateKey makes a key and returns its secret, which is kept nowhere.
func (s *Service) CreateKey(ctx context.Context, req NewKey) (key *domain.Key, secret string, err error) {
	if req.Mode == "" {
		req.Mode = domain.Live
	}
	if len(req.Scopes) == 0 {
		req.Scopes = []string{AllScopes}
	}
	allow, err := prefixes("allow", req.Allow)
	if err == nil {
		err = first(name("name", req.Name), scopes("scopes", req.Scopes),
			oneOf("mode", string(req.Mode), string(domain.Live), string(domain.Test)),
			within("rateLimit", req.RateLimit, 0, 1_000_000))
	}
	if err != nil {
		return nil, "", err
	}
	now := s.clock()
	if !req.ExpiresAt.IsZero() && !req.ExpiresAt.After(now) {
		return nil, "", domain.Invalid("expiresAt", "expiresAt must be in the future")
	}
	key = &domain.Key{
		WorkspaceID: req.Workspace, Mode: req.Mode, Name: req.Name, Scopes: req.Scopes, Allow: allow,
		RateLimit: req.RateLimit, ExpiresAt: req.ExpiresAt,
	}
	secret = s.seal(key)
	err = s.store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		if _, err := st.Workspaces.Get(ctx, req.Workspace); err != nil {
			return err
		}
		row := *key
		return st.Keys.Create(ctx, &row)
	})
	if err != nil {
		return nil, "", err
	}
	return key, secret, nil
}

// seal gives key a new id and secret.
func (s *Service) seal(key *domain.Key) (secret string) {
	key.ID = domain.NewID()
	secret = newKeyString(key.Mode, key.ID)
	sum := sha256.Sum256([]byte(secret))
	key.Hash, key.Prefix, key.CreatedAt = sum[:], secret[:keyShownLen], s.clock()
	return secret
}

// Keys lists a workspace's keys.
func (s *Service) Keys(ctx context.Context, workspace domain.ID) ([]domain.Key, error) {
	return view(ctx, s, func(ctx context.Context, st *domain.Stores) ([]domain.Key, error) {
		return st.Keys.List(ctx, workspace, "", domain.Page{})
	})
}

// RevokeKey ends a key at once.
func (s *Service) RevokeKey(ctx context.Context, workspace, id domain.ID) (*domain.Key, error) {
	return s.changeKey(ctx, workspace, id, func(k *domain.Key) error {
		if k.RevokedAt.IsZero() {
			k.RevokedAt = s.clock()
		}
		return nil
	})
}

// RotateKey makes a key that replaces the one named id, with the same name,
// mode, scopes, allowlist and rate, and lets the old one work for overlap, at
// most seven days.
func (s *Service) RotateKey(ctx context.Context, workspace, id domain.ID, overlap time.Duration) (key *domain.Key, secret string, err error) {
	if overlap < 0 || overlap > maxOverlap {
		return nil, "", domain.Invalid("overlap", "overlap must be from 0 to %s", maxOverlap)
	}
	now := s.clock()
	old, err := view(ctx, s, func(ctx context.Context, st *domain.Stores) (*domain.Key, error) {
		return keyIn(ctx, st, workspace, id)
	})
	if err != nil {
		return nil, "", err
	}
	if !old.Usable(now) {
		return nil, "", domain.Errorf(domain.CodeConflict, "the key is revoked or has expired; create a new one")
	}
	fresh := *old
	fresh.RotatedUntil, fresh.LastUsedAt = time.Time{}, time.Time{}
	secret = s.seal(&fresh)
	_, err = s.changeKey(ctx, workspace, id, func(k *domain.Key) error {
		k.RotatedUntil = now.Add(overlap)
		if k.ExpiresAt.IsZero() || k.RotatedUntil.Before(k.ExpiresAt) {
			k.ExpiresAt = k.RotatedUntil
		}
		return nil
	}, &fresh)
	if err != nil {
		return nil, "", err
	}
	return &fresh, secret, nil
}

// changeKey applies change to a key and stores it, with any keys to add, in one
// transaction.
func (s *Service) changeKey(ctx context.Context, workspace, id domain.ID, change func(*domain.Key) error, add ...*domain.Key) (*domain.Key, error) {
	var changed *domain.Key
	err := s.store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		var err error
		if changed, err = keyIn(ctx, st, workspace, id); err != nil {
			return err
		}
		if err := change(changed); err != nil {
			return err
		}
		for _, k := range add {
			row := *k
			if err := st.Keys.Create(ctx, &row); err != nil {
				return err
			}
		}
		return st.Keys.Update(ctx, changed)
	})
	s.keys.forget(id)
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// keyIn returns the key named id of workspace.
func keyIn(ctx context.Context, st *domain.Stores, workspace, id domain.ID) (*domain.Key, error) {
	k, err := st.Keys.ByID(ctx, id)
	if err == nil && k.WorkspaceID != workspace {
		return nil, domain.NotFound("Key", id)
	}
	return k, err
}

// VerifyKey returns whom secret belongs to, or CodeUnauthorized. It takes the
// same way for an unknown key and a wrong secret.
func (s *Service) VerifyKey(ctx context.Context, secret string) (*Identity, error) {
	id, ok := keyIDOf(secret)
	if !ok {
		return nil, unauthorized()
	}
	now := s.clock()
	entry, cached := s.keys.get(id, now)
	if !cached {
		loaded, err := s.loadKey(ctx, id)
		if err != nil {
			return nil, err
		}
		entry = keyEntry{Identity: loaded, readAt: now}
		s.keys.put(id, entry, now)
	}
	sum := sha256.Sum256([]byte(secret))
	if subtle.ConstantTimeCompare(sum[:], entry.Key.Hash) != 1 || !entry.Key.Usable(now) {
		return nil, unauthorized()
	}
	s.touchKey(ctx, entry, now)
	return entry.Identity, nil
}

// loadKey reads a key and its workspace. An unknown key is CodeUnauthorized.
func (s *Service) loadKey(ctx context.Context, id domain.ID) (*Identity, error) {
	found, err := view(ctx, s, func(ctx context.Context, st *domain.Stores) (*Identity, error) {
		k, err := st.Keys.ByID(ctx, id)
		if err != nil {
			return nil, err
		}
		w, err := st.Workspaces.Get(ctx, k.WorkspaceID)
		if err != nil {
			return nil, err
		}
		return &Identity{Key: *k, Workspace: *w}, nil
	})
	if domain.CodeOf(err) == domain.CodeNotFound {
		return nil, unauthorized()
	}
	return found, err
}

func unauthorized() error {
	return domain.Errorf(domain.CodeUnauthorized,
		"the API key is missing, unknown, expired or revoked; send a valid one as Authorization: Bearer YOUR_API_KEY")
}

// touchKey notes that a key is used, at most once a minute and without making
// the request wait.
func (s *Service) touchKey(ctx context.Context, entry keyEntry, now time.Time) {
	id := entry.Key.ID
	if now.Sub(entry.Key.LastUsedAt) < keyTouchEvery || !s.keys.claimTouch(id, now) {
		return
	}
	s.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err := s.store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, st *domain.Stores) error {
			return st.Keys.Touch(ctx, id, now)
		})
		if err != nil {
			s.log.Warn("could not note the use of a key", "key", id, "error", err)
		}
	})
}

// keyCache remembers keys for keyStaleness, so that a busy client does not cost
// a query for each request.
type keyCache struct {
	mu      sync.Mutex
	entries map[domain.ID]keyEntry
	touched map[domain.ID]time.Time
}

type keyEntry struct {
	*Identity
	readAt time.Time
}

func (c *keyCache) get(id domain.ID, now time.Time) (keyEntry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[id]
	age := now.Sub(e.readAt)
	return e, ok && age >= 0 && age < keyStaleness
}

func (c *keyCache) put(id domain.ID, e keyEntry, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= keyCacheMost {
		for old, e := range c.entries {
			if now.Sub(e.readAt) >= keyStaleness {
				delete(c.entries, old)
			}
		}
		if len(c.entries) >= keyCacheMost {
			clear(c.entries)
		}
	}
	c.entries[id] = e
}

func (c *keyCache) forget(id domain.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, id)
}

// claimTouch reports whether the caller is the one to note the use of id.
func (c *keyCache) claimTouch(id domain.ID, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.touched[id]) < keyTouchEvery {
		return false
	}
	if c.touched == nil || len(c.touched) >= keyCacheMost {
		c.touched = make(map[domain.ID]time.Time)
	}
	c.touched[id] = now
	return true
}

// scopes checks the words of a key's scopes.
func scopes(field string, list []string) error {
	for _, scope := range list {
		resource, right, _ := strings.Cut(scope, ":")
		if scope != AllScopes && (!slices.Contains(keyResources, resource) || right != "read" && right != "write") {
			return domain.Invalid(field, "%s: %q is not a scope; use <resource>:read or <resource>:write with one of %s, or *",
				field, scope, strings.Join(keyResources, ", "))
		}
	}
	return nil
}

// prefixes reads addresses and CIDRs into CIDRs.
func prefixes(field string, list []string) ([]string, error) {
	var out []string
	for i, word := range list {
		p, err := netip.ParsePrefix(word)
		if err != nil {
			addr, err := netip.ParseAddr(word)
			if err != nil || addr.Zone() != "" {
				return nil, domain.Invalid(field, "%s: entry %d is neither an IP address nor a CIDR such as 203.0.113.0/24", field, i+1)
			}
			p = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen())
		}
		out = append(out, p.Masked().String())
	}
	return out, nil
}
