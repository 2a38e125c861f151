package domain

import (
	"context"
	"time"
)

// Tries tells how often numbers were called.
type Tries interface {
	// Tried returns when the number was dialed after since, as far as it counts;
	// oldest first.
	Tried(ctx context.Context, in Scope, number string, since time.Time) ([]time.Time, error)
	// Among is Tried for many numbers, by number; those that were not dialed are
	// missing.
	Among(ctx context.Context, in Scope, numbers []string, since time.Time) (map[string][]time.Time, error)
	// Talked returns when the last call ended that was dialed to the number after
	// since, and that somebody took who is no answering machine; zero for none.
	Talked(ctx context.Context, in Scope, number string, since time.Time) (time.Time, error)
}
