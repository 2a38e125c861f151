package domain

import "time"

// Node is one run of one process. Its Epoch dies with the process: what a dead
// epoch holds is recovered by the next.
type Node struct {
	Epoch     ID
	Address   string    // where live control of its calls is reached, or ""
	StartedAt time.Time // by the database's clock
	BeatAt    time.Time // last sign of life, by the database's clock
}
