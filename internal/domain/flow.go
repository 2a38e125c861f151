package domain

import "time"

// FlowStatus says whether calls may use a flow.
type FlowStatus string

// The statuses of a flow.
const (
	FlowDraft     FlowStatus = "draft"
	FlowPublished FlowStatus = "published"
)

// Flow is a conversation's graph. Definition is the graph's canonical JSON as
// package flow reads and writes it; a call is pinned to one Version of it.
type Flow struct {
	ID          ID
	WorkspaceID ID
	Mode        Mode
	Name        string
	Status      FlowStatus
	Version     int64 // counts up with every saved definition; also the ETag
	Definition  []byte
	Extra       map[string]any // members that a dialect keeps and gives back
	CreatedAt   time.Time
	UpdatedAt   time.Time
}
