package domain

import "time"

// AgentUse is what the calls of an agent add up to.
type AgentUse struct {
	Calls  int
	Talked time.Duration // from answer to end, over all calls that ended
}

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
	// OptOutKey is the key by which who is called asks not to be called again,
	// while nothing else listens for keys; "" is none.
	OptOutKey string
	Extra     map[string]any // members that a dialect keeps and gives back
	Sample    bool           // came with the test mode; no plan counts it
	Version   int64          // row version, for ETag
	CreatedAt time.Time
	UpdatedAt time.Time
}
