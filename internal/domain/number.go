package domain

import "time"

// PhoneNumber is a number of the workspace's own: calls go out from it over its
// trunk, and calls that come in to it are answered by its agent.
type PhoneNumber struct {
	ID          ID
	WorkspaceID ID
	Mode        Mode
	Number      string // E.164
	TrunkID     ID
	AgentID     ID // "" when no agent answers it
	Hours       Hours
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}
