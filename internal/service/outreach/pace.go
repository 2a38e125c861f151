package outreach

import (
	"context"
	"errors"
	"time"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
)

// ahead is for how long calls are planned before they are dialed, at the rate of
// their trunk: enough that it never waits for the planner.
const ahead = 2 * time.Second

// window reports whether the campaign's own window is open, and when it opens.
func (p *plan) window(ctx context.Context, st *domain.Stores) (opens time.Time, open bool, err error) {
	w, err := p.windowOf(ctx, st, &p.c)
	if err != nil || w == nil {
		return time.Time{}, true, err
	}
	call := compliance.Call{Places: []*time.Location{w.Zone}, Window: w, Ring: Ring}
	next, found := call.Next(p.now)
	if !found {
		next = p.now.Add(never)
	}
	return next, found && !next.After(p.now), nil
}

// windowOf is the campaign's window in its zone, or nil for always.
func (o *Outreach) windowOf(ctx context.Context, st *domain.Stores, c *domain.Campaign) (*compliance.Window, error) {
	if c.Window == nil {
		return nil, nil
	}
	name := c.Timezone
	if name == "" {
		w, err := st.Workspaces.Get(ctx, c.WorkspaceID)
		if err != nil {
			return nil, err
		}
		name = w.Timezone
	}
	return &compliance.Window{Zone: phone.FirstZone(name), From: c.Window.From, To: c.Window.To}, nil
}

// many is room without a limit.
const many = 1 << 20

// room is how many more calls may be planned: of the campaign, the workspace and
// the trunk, each as far as it has a limit. Without any, until tells when to look
// again, if that is known. What it counts may change before the calls are dialed:
// it holds nobody up, and the gate is exact.
func (p *plan) room(ctx context.Context, st *domain.Stores, trunk *domain.Trunk) (room int, until time.Time, err error) {
	waiting, on, err := st.Dialing.Planned(ctx, p.in, trunk.ID)
	if err != nil {
		return 0, time.Time{}, err
	}
	if room, until, err = p.trust(ctx, st, trunk.ID, on, p.now); err != nil || room <= 0 {
		return room, until, err
	}
	if p.most > 0 {
		room = min(room, p.most-p.counts.Active)
	}
	if trunk.CallsPerSecond > 0 {
		room = min(room, max(1, trunk.CallsPerSecond*int(ahead/time.Second))-on)
	}
	w, err := st.Workspaces.Get(ctx, p.in.Workspace)
	if err != nil {
		return 0, time.Time{}, err
	}
	plan := w.Plan.Limits().ConcurrentCalls
	most, err := p.ramp(ctx, st, least(maxConcurrent, p.c.MaxConcurrent, plan, trunk.MaxCalls))
	if err != nil {
		return 0, time.Time{}, err
	}
	if room = min(room, most-p.counts.Active); room <= 0 {
		return 0, time.Time{}, nil
	}
	if plan != domain.Unlimited {
		active, err := st.Calls.Active(ctx, p.in, 0)
		if err != nil {
			return 0, time.Time{}, err
		}
		room = min(room, plan-active-waiting)
	}
	if trunk.MaxCalls > 0 {
		live, err := st.Attempts.LiveOn(ctx, trunk.ID, 0)
		if err != nil {
			return 0, time.Time{}, err
		}
		room = min(room, trunk.MaxCalls-live-on)
	}
	return room, time.Time{}, nil
}

// least is the smallest of some limits, of which those below 1 are none.
func least(limit int, others ...int) int {
	for _, other := range others {
		if other > 0 && other < limit {
			limit = other
		}
	}
	return limit
}

// asStop reports whether an error of placing a call is about all calls of a
// campaign.
func asStop(err error, known **domain.Error) bool {
	if !errors.As(err, known) {
		return false
	}
	switch (*known).Code {
	case domain.CodeInvalid, domain.CodeNotFound, domain.CodeForbidden, domain.CodeLimitReached, domain.CodePayment:
		return true
	}
	return false
}
