package outreach

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
)

// How often a campaign that somebody watches is looked at: soon while its counts
// change, less often while they stand still.
const (
	watchSoon   = 250 * time.Millisecond
	watchSlowly = time.Second
	watchCalm   = 30 * time.Second // without a change, until it is looked at less often
)

// Watched is what of a campaign its watchers are told about when it changes.
type Watched struct {
	State   domain.CampaignState
	Counts  domain.CampaignCounts
	Version int64
}

// Watched returns how the campaign stands.
func (c *CampaignDetail) Watched() Watched {
	return Watched{State: c.State, Counts: c.Counts, Version: c.Version}
}

// Over reports whether nothing of the campaign changes by itself any more: it has
// ended, and so has its last call.
func (c *CampaignDetail) Over() bool {
	return c.State.Ended() && c.Counts.Waiting == 0 && c.Counts.Active == 0
}

// WatchCampaign tells how a campaign stands, and each time that this changes, at
// most four times a second, until the campaign and its last call are over or ctx
// is done; whichever process dials it. In between tell is called without a
// change, so that it may show that it is still there. An error of tell ends it.
// Too many watchers are CodeUnavailable, and so is a process that stops.
func (o *Outreach) WatchCampaign(ctx context.Context, in domain.Scope, kind domain.CampaignKind, id domain.ID,
	tell func(c *CampaignDetail, changed bool) error) error {
	c, err := o.Campaign(ctx, in, kind, id)
	if err != nil {
		return err
	}
	if err := o.o.Watchers.Enter(in.Workspace); err != nil {
		return err
	}
	defer o.o.Watchers.Leave(in.Workspace)
	var told Watched
	changedAt := o.Now()
	for {
		changed := c != nil && c.Watched() != told
		if changed {
			told, changedAt = c.Watched(), o.Now()
		}
		if err := tell(c, changed); err != nil || c != nil && c.Over() {
			return err
		}
		pause := watchSoon
		if o.Now().Sub(changedAt) > watchCalm {
			pause = watchSlowly
		}
		if err := o.o.Watchers.Wait(ctx, pause); err != nil {
			return err
		}
		// A database that is away does not end the watch: the calls go on too.
		if c, err = o.Campaign(ctx, in, kind, id); err != nil {
			if domain.CodeOf(err) != domain.CodeUnavailable {
				return err
			}
			c = nil
		}
	}
}

// farthest is how far ahead the end of a campaign is told.
const farthest = 2 * 365 * 24 * time.Hour

// expectedEnd is when a campaign will be over, if its contacts go on to be
// finished as fast as they were so far while its window was open. It is zero
// while that cannot be known.
func expectedEnd(c *domain.Campaign, n domain.CampaignCounts, w *compliance.Window, now time.Time) time.Time {
	done, left := n.Completed+n.Failed, n.Waiting+n.Active
	if c.State != domain.CampaignActive || c.StartedAt.IsZero() || done == 0 || left == 0 {
		return time.Time{}
	}
	took := max(openTime(w, c.StartedAt, now), time.Second)
	need := float64(took) / float64(done) * float64(left)
	if need > float64(farthest) {
		return time.Time{}
	}
	end := later(w, now, time.Duration(need))
	if end.IsZero() {
		return end
	}
	return end.Truncate(time.Minute).Add(time.Minute)
}

// openings calls visit with each time that a window is open from a moment on,
// until visit returns false or it is too far away. The edges are good enough to
// guess by: around changes of the clock they may be an hour off.
func openings(w *compliance.Window, from time.Time, visit func(opens, closes time.Time) bool) {
	y, m, d := from.In(w.Zone).Date()
	to := w.To
	if to <= w.From {
		to += 24 * 60
	}
	for day := -1; day < int(farthest/(24*time.Hour)); day++ {
		opens := time.Date(y, m, d+day, 0, w.From, 0, 0, w.Zone)
		closes := time.Date(y, m, d+day, 0, to, 0, 0, w.Zone)
		if opens.Before(from) {
			opens = from
		}
		if closes.After(opens) && !visit(opens, closes) {
			return
		}
	}
}

// openTime is for how long a window was open between two times; nil is always.
func openTime(w *compliance.Window, from, to time.Time) (sum time.Duration) {
	if w == nil {
		return to.Sub(from)
	}
	openings(w, from, func(opens, closes time.Time) bool {
		if opens.Before(to) {
			sum += minTime(closes, to).Sub(opens)
		}
		return closes.Before(to)
	})
	return sum
}

// later is when a window will have been open for need; zero is too far away.
func later(w *compliance.Window, now time.Time, need time.Duration) (end time.Time) {
	if w == nil {
		return now.Add(need)
	}
	openings(w, now, func(opens, closes time.Time) bool {
		if open := closes.Sub(opens); open < need {
			need -= open
			return true
		}
		end = opens.Add(need)
		return false
	})
	return end
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
