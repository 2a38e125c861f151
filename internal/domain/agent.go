package domain

import "time"

// Agent is a voice personality that handles calls. It talks by the published
// flow it names, else by its system prompt.
type Agent struct {
	ID              ID
	WorkspaceID     ID
	Mode            Mode
	Name            string
	IsActive        bool
	Voice           string // what the client said; any string is stored
	Language        string // BCP 47
	Model           string
	SystemPrompt    string
	FirstMessage    string
	FlowID          ID
	Record          bool
	Variables       map[string]any
	MaxCallDuration time.Duration
	Extra           map[string]any // members that a dialect keeps and gives back
	Version         int64          // row version, for ETag
	CreatedAt       time.Time
	UpdatedAt       time.Time
}
