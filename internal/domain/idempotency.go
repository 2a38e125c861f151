package domain

import "time"

// Idempotent is the stored answer to a POST that carried an Idempotency-Key. It
// is written in the transaction of its effect.
type Idempotent struct {
	WorkspaceID ID
	Mode        Mode
	KeyID       ID     // the API key that sent it
	Key         string // the header's value, at most 255 characters
	RequestHash []byte // SHA-256 of method, path and body
	Status      int
	Body        []byte
	CreatedAt   time.Time
}
