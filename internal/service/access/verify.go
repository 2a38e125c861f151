package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/netip"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// How keys are remembered.
const (
	keyStaleness = time.Second // a key revoked by another process may work this long
	keyCacheMost = 10_000      // keys remembered
)

// Identity is whom a key string belongs to.
type Identity struct {
	Key       domain.Key
	Workspace domain.Workspace
}

// RequestsPerMinute is the key's rate: the least of the plan's, the key's own and
// most, as far as there are any. domain.Unlimited means none.
func (i *Identity) RequestsPerMinute(most int) int {
	least := domain.Unlimited
	for _, limit := range []int{i.Workspace.Plan.Limits().RequestsPerMinute, i.Key.RateLimit, most} {
		if limit > 0 && (least == domain.Unlimited || limit < least) {
			least = limit
		}
	}
	return least
}

// VerifyKey returns whom secret belongs to, or CodeUnauthorized. It takes the
// same way for an unknown key and a wrong secret. from is where the request came
// from, as far as that is known: a key that may no longer be used has it noted.
func (a *Access) VerifyKey(ctx context.Context, secret string, from netip.Addr) (*Identity, error) {
	id, ok := keyIDOf(secret)
	if !ok {
		return nil, unauthorized()
	}
	now := a.Clock()
	entry, cached := a.keys.get(id, now)
	if !cached {
		loaded, err := a.loadKey(ctx, id)
		if err != nil {
			return nil, err
		}
		entry = keyEntry{Identity: loaded, readAt: now}
		a.keys.put(id, entry, now)
	}
	sum := sha256.Sum256([]byte(secret))
	if subtle.ConstantTimeCompare(sum[:], entry.Key.Hash) != 1 {
		return nil, unauthorized()
	}
	if fault := entry.Key.Fault(now); fault != "" {
		a.uses.fail(id, fault, from, now)
		return nil, unauthorized()
	}
	return entry.Identity, nil
}

// KeyFault says why a key may not be used now, "" when it may.
func (a *Access) KeyFault(k *domain.Key) domain.KeyFault { return k.Fault(a.Clock()) }

// loadKey reads a key and its workspace. An unknown key is CodeUnauthorized.
func (a *Access) loadKey(ctx context.Context, id domain.ID) (*Identity, error) {
	found, err := rule.View(ctx, &a.Kit, func(ctx context.Context, st *domain.Stores) (*Identity, error) {
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

// keyCache remembers keys for keyStaleness, so that a busy client does not cost
// a query for each request.
type keyCache struct {
	mu      sync.Mutex
	entries map[domain.ID]keyEntry
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

// forgetAll makes changes of workspaces count at once.
func (c *keyCache) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.entries)
}

// ForgetKeys has all keys and workspaces read anew.
func (a *Access) ForgetKeys() { a.keys.forgetAll() }
