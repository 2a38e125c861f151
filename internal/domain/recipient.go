package domain

import (
	"maps"
	"time"
)

// RecipientState is where a contact stands in a campaign.
type RecipientState string

// The states. One that was tried without success may wait again.
const (
	RecipientWaiting   RecipientState = "waiting"
	RecipientActive    RecipientState = "active" // a call to it is planned or under way
	RecipientCompleted RecipientState = "completed"
	RecipientFailed    RecipientState = "failed"
)

// Ended reports whether the contact is finished.
func (s RecipientState) Ended() bool { return s == RecipientCompleted || s == RecipientFailed }

// Recipient is one contact of one campaign. A number is in a campaign once.
type Recipient struct {
	ID          ID
	WorkspaceID ID
	Mode        Mode
	CampaignID  ID
	ContactID   ID     // of the workspace's contacts, or ""
	Line        int    // of the sheet it came from; 0 for none
	Phone       string // E.164
	FirstName   string
	LastName    string
	Email       string
	Company     string
	Timezone    string         // IANA, or ""
	Region      string         // state or province as the sheet has it, or ""
	Variables   map[string]any // of its calls
	Consent     *Consent       // nil for none
	State       RecipientState
	Result      Result // of the last try, "" before the first
	Why         string // one of the Reason words: why it waits or failed without a try; else ""
	NextAt      time.Time
	Tries       []RecipientTry // that are over, oldest first
	CallID      ID             // the last call, or ""
	Calls       int            // that were placed, also those that the gate refused
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
	EndedAt     time.Time
}

// RecipientTry is a try that is over.
type RecipientTry struct {
	CallID     ID
	At         time.Time // when it was dialed, or ended when it never was
	Result     Result
	Charged    bool          // it counts as a try of the contact
	Talk       time.Duration // from answer to end
	RetryAfter time.Duration
}

// Consent is why somebody may be called for marketing.
type Consent struct {
	Kind   string // express, written …
	At     time.Time
	Source string
	Text   string
}

// CallVariables are what a call to the recipient knows of it.
func (r *Recipient) CallVariables() map[string]any {
	all := make(map[string]any, len(r.Variables)+7)
	for name, value := range map[string]string{
		"phone_number": r.Phone, "first_name": r.FirstName, "last_name": r.LastName, "email": r.Email, "company": r.Company,
		"timezone": r.Timezone, "state": r.Region,
	} {
		if value != "" {
			all[name] = value
		}
	}
	maps.Copy(all, r.Variables)
	return all
}

// RecipientFilter narrows a list of recipients; zero fields do not filter.
type RecipientFilter struct {
	State RecipientState
	Phone string
}
