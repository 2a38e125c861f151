package domain

import (
	"context"
	"time"
)

// Tally is what happened on one day, or on several: of a campaign, or of all
// calls of a workspace.
type Tally struct {
	Answered  int   // calls of a campaign that a human answered
	Abandoned int   // of those, in which nobody spoke in time
	Spent     Money // by all calls of a workspace that ended
}

// Share is the part of the answered calls that was abandoned, from 0 to 1.
func (t Tally) Share() float64 {
	if t.Answered == 0 {
		return 0
	}
	return float64(t.Abandoned) / float64(t.Answered)
}

// Tallies keeps what happened on each day.
type Tallies interface {
	// Add adds to the tally of a day on account of a call: that of a campaign, or,
	// for "", of all calls in the scope.
	Add(ctx context.Context, in Scope, campaign ID, day Day, call ID, gain Tally) error
	// Since returns the sums over a day and all later ones of campaigns, or, for "",
	// of all calls in the scope; those that have none are left out.
	Since(ctx context.Context, in Scope, day Day, campaigns ...ID) (map[ID]Tally, error)
}

// DayIn returns the date of t by the wall clock of zone.
func DayIn(t time.Time, zone *time.Location) Day { return Day(t.In(zone).Format(time.DateOnly)) }
