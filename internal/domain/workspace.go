package domain

import "time"

// Plan names what a workspace has bought: request rate, agents, calls at once.
type Plan string

// The plans of the documents.
const (
	Starter      Plan = "starter"
	Professional Plan = "professional"
	Business     Plan = "business"
	Enterprise   Plan = "enterprise"
)

// Unlimited marks a limit that a plan does not have.
const Unlimited = 0

// PlanLimits are the figures of one plan; Unlimited means none.
type PlanLimits struct {
	RequestsPerMinute int
	Agents            int
	Endpoints         int
	ConcurrentCalls   int
}

var planLimits = map[Plan]PlanLimits{
	Starter:      {RequestsPerMinute: 60, Agents: 3, Endpoints: 2, ConcurrentCalls: 5},
	Professional: {RequestsPerMinute: 300, Agents: 25, Endpoints: 5, ConcurrentCalls: 25},
	Business:     {RequestsPerMinute: 600, Agents: 100, Endpoints: 20, ConcurrentCalls: 100},
	Enterprise:   {},
}

// Limits returns the plan's figures. An unknown plan has those of Professional.
func (p Plan) Limits() PlanLimits {
	if l, ok := planLimits[p]; ok {
		return l
	}
	return planLimits[Professional]
}

// Workspace is one business: the owner of keys, agents, numbers and calls.
type Workspace struct {
	ID       ID
	Name     string
	Plan     Plan
	Timezone string // IANA name
	// Credits is what the workspace may still spend; nil is no limit. Calls that
	// are under way when they run out bring it below zero.
	Credits *Money
	// DailyBudget is what the calls that end on one day, by the clock of Timezone,
	// may cost in each mode; nil is no limit. No call begins that might exceed it
	// within its first minute.
	DailyBudget    *Money
	PricePerMinute Money // of a call that was answered
	// Regions are those that it calls, ISO 3166-1 alpha-2 codes or AnyRegion; nil
	// is those of its own numbers.
	Regions   []string
	Version   int64 // counts changes, not charges
	CreatedAt time.Time
	UpdatedAt time.Time
}

// AnyRegion among the Regions of a workspace is all of them.
const AnyRegion = "*"

// Broke reports whether the workspace has credits and none are left.
func (w *Workspace) Broke() bool { return w.Credits != nil && *w.Credits <= 0 }

// Price is what a call of so long costs: each second that has begun is a
// sixtieth of a minute's price, and the sum is rounded up to a millionth.
func (w *Workspace) Price(talk time.Duration) (seconds int64, cost Money) {
	if talk <= 0 {
		return 0, 0
	}
	seconds = int64((talk + time.Second - 1) / time.Second)
	return seconds, (w.PricePerMinute*Money(seconds) + 59) / 60
}
