package outreach

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// A campaign that goes on has a tenth of its calls at once in the first minute,
// and a tenth more in each one after it.
const (
	rampSteps = 10
	rampStep  = time.Minute
)

// ramped is how many of most calls there may be at once at now, when calling went
// on at since; the zero time is that it always did. It is at least 1.
func ramped(most int, since, now time.Time) int {
	steps := int(max(now.Sub(since), 0)/rampStep) + 1
	if since.IsZero() || steps >= rampSteps {
		return most
	}
	return max(1, (most*steps+rampSteps-1)/rampSteps)
}

// ramp is how many of most calls at once the campaign may have, going on after
// somebody resumed it, its trunk took calls again, or all servers were away. All
// of that is stored, so that nobody who dies forgets it. Simulated phones need no
// such care.
func (p *plan) ramp(ctx context.Context, st *domain.Stores, most int) (int, error) {
	if p.c.StartedAt.IsZero() || p.c.Mode != domain.Live && !p.c.EnforceRules {
		return most, nil
	}
	nodes, err := st.Nodes.List(ctx)
	if err != nil {
		return 0, err
	}
	var up time.Time
	for i := range nodes {
		if at := nodes[i].StartedAt; up.IsZero() || at.Before(up) {
			up = at
		}
	}
	since := p.c.ResumedAt
	if up.After(p.c.StartedAt) && up.After(since) {
		since = up
	}
	return ramped(most, since, p.now), nil
}
