package domain

import "time"

// TrunkState is how a trunk stands with its carrier.
type TrunkState string

// The states. Trunks that register are registered, unregistered or failed;
// others are up or down.
const (
	TrunkRegistered   TrunkState = "registered"
	TrunkUnregistered TrunkState = "unregistered" // not yet, or lost a moment ago
	TrunkFailed       TrunkState = "failed"       // the carrier refuses, or does not answer; tried again
	TrunkUp           TrunkState = "up"           // the carrier answers
	TrunkDown         TrunkState = "down"         // it has not, three times in a row
)

// TrunkStatus is how a trunk stands, since when, and why not better.
type TrunkStatus struct {
	State TrunkState
	Since time.Time
	Error string // in words; "" when all is well
}

// TrunkStates is how rules learn how trunks stand.
type TrunkStates interface {
	// TrunkStatus tells how a trunk stands as far as this process knows; false
	// when it does not: it looks after no such trunk, or has not heard yet.
	TrunkStatus(id ID) (TrunkStatus, bool)
}
