package domain

import "time"

// CampaignKind says as what a campaign was asked for.
type CampaignKind string

// The kinds. A batch is a campaign that was made out of one sheet of contacts:
// it takes no more of them, and calls each once unless told otherwise.
const (
	KindCampaign CampaignKind = "campaign"
	KindBatch    CampaignKind = "batch"
)

// CampaignState is where a campaign stands.
type CampaignState string

// The states of a campaign.
const (
	CampaignImporting CampaignState = "importing" // its sheet is being read; nobody is dialed
	CampaignActive    CampaignState = "active"
	CampaignPaused    CampaignState = "paused"
	CampaignCompleted CampaignState = "completed"
	CampaignCancelled CampaignState = "cancelled"
)

// CampaignTransitions is the table of a campaign's life.
var CampaignTransitions = map[CampaignState][]CampaignState{
	CampaignImporting: {CampaignActive, CampaignCancelled},
	CampaignActive:    {CampaignPaused, CampaignCompleted, CampaignCancelled},
	CampaignPaused:    {CampaignActive, CampaignCompleted, CampaignCancelled},
	CampaignCompleted: {},
	CampaignCancelled: {},
}

// Ended reports whether nobody is dialed for a campaign any more.
func (s CampaignState) Ended() bool { return s == CampaignCompleted || s == CampaignCancelled }

// Purpose is what a campaign calls for: the law asks more of some purposes, and
// allows some more.
type Purpose string

// The purposes.
const (
	PurposeUnspecified   Purpose = "unspecified" // nobody said: as narrow as if it sold something, but for the consent
	PurposeInformational Purpose = "informational"
	PurposeMarketing     Purpose = "marketing" // needs a recorded consent
	PurposeSurvey        Purpose = "survey"
	PurposeDebt          Purpose = "debt"
	PurposeEmergency     Purpose = "emergency"
)

// Purposes are all of them.
var Purposes = []Purpose{PurposeUnspecified, PurposeInformational, PurposeMarketing, PurposeSurvey, PurposeDebt, PurposeEmergency}

// DayWindow is a part of the day in minutes of the wall clock: from From on and
// before To. One that ends before it begins goes over midnight.
type DayWindow struct{ From, To int }

// Retry says how often a contact is tried. The zero Retry is one try.
type Retry struct {
	MaxAttempts int             // tries that count; 0 is 1
	Gaps        []time.Duration // between them, the last one repeats; nil: by result
}

// Campaign calls a list of contacts.
type Campaign struct {
	ID            ID
	WorkspaceID   ID
	Mode          Mode
	Kind          CampaignKind
	Name          string
	State         CampaignState
	PauseReason   string // one of the Reason words, when it was paused by itself; else ""
	AgentID       ID
	PhoneNumberID ID        // "" is the agent's own number
	StartAt       time.Time // nobody is dialed before; zero: at once
	Timezone      string    // IANA; of Window. "" is the workspace's
	Window        *DayWindow
	MaxConcurrent int // calls at once; 0 is as many as the plan and trunk allow
	Purpose       Purpose
	EnforceRules  bool // test mode keeps the hours and caps of live mode too
	Retry         Retry
	Budget        *Money // nil is no limit
	Variables     map[string]any
	Extra         map[string]any // members that a dialect keeps
	KeyID         ID             // the API key that asked for it, or ""
	DueAt         time.Time      // when the dialer looks at it next; zero while nobody is to be dialed
	FedUntil      time.Time      // contacts are being added: it does not end before for want of them; zero: none are
	RejudgeAt     time.Time      // other hours hold since: contacts put off before are looked at again; zero: none are
	Version       int64          // counts changes by clients, not what the dialer notes
	CreatedAt     time.Time
	UpdatedAt     time.Time
	StartedAt     time.Time // when the first contact was dialed
	ResumedAt     time.Time // when it went on after it had not dialed for a reason; zero: it always did
	EndedAt       time.Time
}

// CampaignCounts is how far a campaign is. The four states add up to all of its
// contacts at every moment.
type CampaignCounts struct {
	Waiting   int
	Active    int
	Completed int
	Failed    int
	Answered  int // calls that a human answered
	Abandoned int // of those, in which nobody spoke in time
	Talk      time.Duration
	Spent     Money
	LastAt    time.Time // when the last call ended
}

// Total is the number of contacts.
func (c CampaignCounts) Total() int { return c.Waiting + c.Active + c.Completed + c.Failed }

// Add adds more to the counts.
func (c *CampaignCounts) Add(more CampaignCounts) {
	c.Waiting += more.Waiting
	c.Active += more.Active
	c.Completed += more.Completed
	c.Failed += more.Failed
	c.Answered += more.Answered
	c.Abandoned += more.Abandoned
	c.Talk += more.Talk
	c.Spent += more.Spent
	if more.LastAt.After(c.LastAt) {
		c.LastAt = more.LastAt
	}
}

// CampaignFilter narrows a list of campaigns; zero fields do not filter.
type CampaignFilter struct {
	Kind  CampaignKind
	State CampaignState
}
