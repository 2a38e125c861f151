package domain

import "context"

// LiveCalls is how rules reach calls that are under way in this process.
type LiveCalls interface {
	// Hangup ends a call for reason. A call that is not live here is
	// CodeNotFound.
	Hangup(ctx context.Context, call ID, reason EndReason) error
	// Watch sends what happens in a call to the returned channel until the call
	// is over or ctx is done, then closes it. A slow reader loses interim texts,
	// never turns.
	Watch(ctx context.Context, call ID) (<-chan LiveEvent, error)
}

// LiveEvent is one thing that happened in a live call.
type LiveEvent struct {
	State CallState // set when the state changed
	Turn  *Turn     // set when a turn ended
	Text  string    // what is being said, not final, with Role
	Role  Role
}
