// Package outreach holds the rules of campaigns and batches: whom they call,
// whether and when each contact may be dialed, and what becomes of it after a
// try.
package outreach

import (
	"context"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// Ring is how long a phone may ring; the hours must allow the call until then.
const Ring = 30 * time.Second

// Options are what the rules need of others. All are required.
type Options struct {
	// Ready returns the trunk over which an agent would place a call now, from the
	// number with the given id, or its own for "". The error says what it lacks.
	Ready func(ctx context.Context, st *domain.Stores, in domain.Scope, agent, number domain.ID) (*domain.Trunk, error)
	// Place stores a call and its attempt.
	Place func(ctx context.Context, st *domain.Stores, in domain.Scope, p Placing) (*domain.Call, error)
	// Watchers bounds who watches campaigns, beside who watches calls.
	Watchers *rule.Watchers
}

// Placing is one call of a campaign.
type Placing struct {
	Campaign  *domain.Campaign
	Recipient *domain.Recipient
	Variables map[string]any
	Try       int // 1 for the first call to the recipient
}

// Outreach is the rules over one store. Its methods may be called at once.
type Outreach struct {
	rule.Kit
	o     Options
	noted sync.Map // trunk to time.Time: when a sign of life was last written down
}

// New returns the rules.
func New(kit rule.Kit, o Options) *Outreach { return &Outreach{Kit: kit, o: o} }

// CampaignDetail is a campaign and how far it is.
type CampaignDetail struct {
	domain.Campaign
	Counts domain.CampaignCounts
	Lately domain.Tally // its answered calls of the last 30 days, if one was ever abandoned
	// ExpectedEndAt is when it will be over at the pace so far; zero while that is
	// not known.
	ExpectedEndAt time.Time
}
