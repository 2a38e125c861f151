package domain

import (
	"slices"
	"time"
)

// Key is an API key. The secret itself is never kept: Hash is SHA-256 of the
// whole key string.
type Key struct {
	ID           ID
	WorkspaceID  ID
	Mode         Mode
	Name         string
	Prefix       string // what may be shown: cw_live_<8 characters>
	Hash         []byte
	Scopes       []string // "calls:read" …; "*" is all
	Allow        []string // CIDRs; empty means everywhere
	RateLimit    int      // requests a minute; 0 means the plan's
	ExpiresAt    time.Time
	RevokedAt    time.Time
	LastUsedAt   time.Time
	CreatedAt    time.Time
	RotatedUntil time.Time // the old secret of a rotated key works until then
}

// Usable reports whether the key may be used at now.
func (k *Key) Usable(now time.Time) bool {
	if !k.RevokedAt.IsZero() && !now.Before(k.RevokedAt) {
		return false
	}
	return k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt)
}

// Can reports whether the key has scope, as "<resource>:read" or ":write".
func (k *Key) Can(scope string) bool {
	return slices.Contains(k.Scopes, "*") || slices.Contains(k.Scopes, scope)
}
