package domain

import (
	"net/netip"
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
	Version      int64
}

// Usable reports whether the key may be used at now.
func (k *Key) Usable(now time.Time) bool { return k.Fault(now) == "" }

// Can reports whether the key has scope, as "<resource>:read" or ":write".
func (k *Key) Can(scope string) bool {
	return slices.Contains(k.Scopes, "*") || slices.Contains(k.Scopes, scope)
}

// CanAll reports whether the key has all of scopes.
func (k *Key) CanAll(scopes []string) bool {
	return !slices.ContainsFunc(scopes, func(s string) bool { return !k.Can(s) })
}

// From reports whether the key may be used from addr: an empty list is
// everywhere, else addr must be in one of its networks. What is no address, or
// has a zone, is in none.
func (k *Key) From(addr netip.Addr) bool {
	if len(k.Allow) == 0 {
		return true
	}
	if !addr.IsValid() || addr.Zone() != "" {
		return false
	}
	addr = addr.Unmap()
	return slices.ContainsFunc(k.Allow, func(entry string) bool {
		p, ok := ParseNetwork(entry)
		return ok && p.Contains(addr)
	})
}

// KeyFault is why a key was refused that is a real one.
type KeyFault string

// The reasons.
const (
	FaultExpired KeyFault = "expired"
	FaultRevoked KeyFault = "revoked"
	FaultAddress KeyFault = "address" // not on its list
	FaultScope   KeyFault = "scope"   // which it has not
)

// MaxKeyAddresses is how many addresses are remembered of a key, the most recent
// ones.
const MaxKeyAddresses = 20

// Fault says why the key may not be used at now, "" when it may.
func (k *Key) Fault(now time.Time) KeyFault {
	switch {
	case !k.RevokedAt.IsZero() && !now.Before(k.RevokedAt):
		return FaultRevoked
	case !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt):
		return FaultExpired
	}
	return ""
}

// KeyAddress is from where a key was used.
type KeyAddress struct {
	KeyID   ID
	Address string
	FirstAt time.Time
	LastAt  time.Time
}

// KeyFailure counts how often a key was refused for one reason.
type KeyFailure struct {
	KeyID       ID
	Fault       KeyFault
	Count       int64
	LastAt      time.Time
	LastAddress string // "" when it was not known
}

// KeyTrace is what is known of a key's use.
type KeyTrace struct {
	Addresses []KeyAddress // the most recently used first, at most MaxKeyAddresses
	Failures  []KeyFailure // by reason
}
