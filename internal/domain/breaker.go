package domain

import (
	"context"
	"time"
)

// Breaker keeps campaigns off a trunk that takes no calls. The zero Breaker is
// that of a trunk of which nothing is known yet.
type Breaker struct {
	TrunkID     ID
	WorkspaceID ID
	Mode        Mode
	Failed      int       // INVITEs that the trunk did not take, since it last did
	AliveAt     time.Time // about when it was last heard of: a phone rang, or somebody could not be reached
	OpenedAt    time.Time // since when it is taken for failing; zero: it is not
	OpenUntil   time.Time // when one call may try it next
}

// Open reports whether the trunk is taken for failing.
func (b *Breaker) Open() bool { return !b.OpenedAt.IsZero() }

// Breakers keeps the breakers of trunks.
type Breakers interface {
	// Look returns the breaker of a trunk, the zero one when there is none.
	Look(ctx context.Context, trunk ID) (Breaker, error)
	// Hold is Look for one who may change it: nobody else does before the
	// transaction ends.
	Hold(ctx context.Context, trunk ID) (Breaker, error)
	// Put stores the breaker that is held.
	Put(ctx context.Context, b Breaker) error
	// Unheard counts INVITEs over a trunk that were sent, and of which nothing was
	// heard yet.
	Unheard(ctx context.Context, trunk ID) (int, error)
}
