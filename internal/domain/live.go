package domain

import (
	"context"
	"time"
)

// LiveCalls is how rules reach calls that are under way in this process.
type LiveCalls interface {
	// Hangup ends a call for reason. A call that is not live here is
	// CodeNotFound.
	Hangup(ctx context.Context, call ID, reason EndReason) error
	// Watch sends what happens in a call to the returned channel until the call
	// is over or ctx is done, then closes it. A slow reader loses interim texts,
	// never turns.
	Watch(ctx context.Context, call ID) (<-chan LiveEvent, error)
	// Draining reports whether this process is stopping: it takes no further
	// calls.
	Draining() bool
	// Hold puts the far end on hold, or takes it back.
	Hold(ctx context.Context, call ID, on bool) error
	// Press sends telephone keys to the far end: 0-9 * # A-D, and w or , for a
	// pause of half a second.
	Press(ctx context.Context, call ID, keys string) error
	// Say has the agent say a text, after what it is saying.
	Say(ctx context.Context, call ID, text string) error
	// Transfer hands a call over and returns when that has begun.
	Transfer(ctx context.Context, call ID, t Transfer) error
}

// TransferMode says how a call is handed over.
type TransferMode string

// The modes.
const (
	// TransferBridge dials the target on a second leg and relays the sound. It
	// works with every carrier, and the recording goes on.
	TransferBridge TransferMode = "bridge"
	// TransferRefer asks the far end to call the target itself (RFC 3515) and
	// leaves the call.
	TransferRefer TransferMode = "refer"
)

// Transfer is whom to hand a call over to, and how.
type Transfer struct {
	To   string        // E.164, or a SIP address at one of the workspace's trunks
	Mode TransferMode  // "" is TransferBridge
	Ring time.Duration // how long the target may ring; 0 is 30 s
}

// LiveEvent is one thing that happened in a live call.
type LiveEvent struct {
	State CallState // set when the state changed
	Turn  *Turn     // set when a turn ended
	Text  string    // what is being said, not final, with Role
	Role  Role
}
