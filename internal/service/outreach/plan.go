package outreach

import (
	"cmp"
	"context"
	"time"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
)

// planned is how many contacts of a campaign one transaction plans.
const planned = 64

// lookAgain is how soon the dialer looks at a campaign again that has calls under
// way: contacts that are to be tried again come back meanwhile.
const lookAgain = 5 * time.Second

// DueCampaigns returns campaigns that are to be planned, and when the next one
// is due.
func (o *Outreach) DueCampaigns(ctx context.Context, limit int) (due []domain.ID, next time.Time, err error) {
	err = o.Store.View(ctx, func(ctx context.Context, st *domain.Stores) error {
		rows, at, err := st.Dialing.Due(ctx, o.Clock(), limit)
		if err != nil {
			return err
		}
		due, next = nil, at
		for i := range rows {
			due = append(due, rows[i].ID)
		}
		return nil
	})
	return due, next, err
}

// Plan places calls to contacts of a campaign that are due, as many as may be
// under way now. It reports whether more could be planned at once.
func (o *Outreach) Plan(ctx context.Context, id domain.ID) (more bool, err error) {
	err = o.Store.InTx(ctx, domain.LaneDial, func(ctx context.Context, st *domain.Stores) error {
		more = false
		c, err := st.Dialing.Plan(ctx, id)
		if err != nil {
			if domain.CodeOf(err) == domain.CodeNotFound {
				return nil // deleted meanwhile
			}
			return err
		}
		p := plan{Outreach: o, c: *c, in: domain.Scope{Workspace: c.WorkspaceID, Mode: c.Mode}, now: o.Clock()}
		more, err = p.run(ctx, st)
		return err
	})
	return more, err
}

// plan is one look at a campaign.
type plan struct {
	*Outreach
	c      domain.Campaign
	in     domain.Scope
	now    time.Time
	counts domain.CampaignCounts
	most   int // calls at once while too many are abandoned; 0 is no such bound
}

// until notes when the dialer looks at the campaign next.
func (p *plan) until(ctx context.Context, st *domain.Stores, at time.Time) (bool, error) {
	p.c.DueAt = at
	return false, st.Dialing.Note(ctx, &p.c)
}

func (p *plan) run(ctx context.Context, st *domain.Stores) (more bool, err error) {
	counts, err := st.Campaigns.Counts(ctx, p.c.ID)
	if err != nil {
		return false, err
	}
	p.counts = counts[p.c.ID]
	switch {
	case p.c.State.Ended():
		return p.expire(ctx, st)
	case p.c.State == domain.CampaignImporting:
		return p.lapse(ctx, st)
	case p.c.State != domain.CampaignActive:
		return p.until(ctx, st, time.Time{})
	case p.counts.Total() == 0:
		return p.until(ctx, st, p.now.Add(never))
	case p.counts.Waiting == 0 && p.counts.Active > 0:
		return false, nil // stays due: the end of the last call brings the next look
	case p.counts.Waiting == 0 && p.c.FedUntil.After(p.now):
		return p.until(ctx, st, p.c.FedUntil) // more come
	case p.counts.Waiting == 0:
		p.c.State, p.c.EndedAt = domain.CampaignCompleted, p.now
		return p.until(ctx, st, time.Time{})
	case p.c.StartAt.After(p.now):
		return p.until(ctx, st, p.c.StartAt)
	}
	if again, err := p.rejudge(ctx, st); again || err != nil {
		return again, err
	}
	if at, open, err := p.window(ctx, st); !open || err != nil {
		if err != nil {
			return false, err
		}
		return p.until(ctx, st, at)
	}
	return p.dial(ctx, st)
}

// lapse cancels a batch whose import has died: whoever asked for it was told of no
// batch.
func (p *plan) lapse(ctx context.Context, st *domain.Stores) (more bool, err error) {
	if p.c.DueAt.After(p.now) {
		return false, nil
	}
	p.Log.Warn("a batch was cancelled: its import did not come to its end", "batch", p.c.ID)
	p.c.State, p.c.EndedAt = domain.CampaignCancelled, p.now
	_, err = p.until(ctx, st, p.now)
	return true, err
}

// expire fails contacts of a campaign that is over, some at a time.
func (p *plan) expire(ctx context.Context, st *domain.Stores) (more bool, err error) {
	n, err := st.Recipients.Expire(ctx, p.c.ID, endWord(&p.c), p.c.EndedAt, sweep)
	if err != nil || n == sweep {
		return true, err
	}
	return p.until(ctx, st, time.Time{})
}

// putOff are the reasons for which a contact waits that other hours or rules may be
// the end of: one that was called too often waits for hours after that, too.
var putOff = []string{
	domain.ReasonOutsideWindow, domain.ReasonDailyBudget,
	compliance.CapGap, compliance.CapDay, compliance.CapHours24, compliance.CapDays7, compliance.CapDays30, compliance.CapAfterTalk,
}

// rejudge has contacts that the hours before a change have put off be due, some at a
// time. It reports whether there are more.
func (p *plan) rejudge(ctx context.Context, st *domain.Stores) (more bool, err error) {
	if p.c.RejudgeAt.IsZero() {
		return false, nil
	}
	n, err := st.Dialing.Rejudge(ctx, p.c.ID, putOff, p.c.RejudgeAt, sweep)
	if err != nil || n == sweep {
		return true, err
	}
	p.c.RejudgeAt = time.Time{}
	return false, st.Dialing.Note(ctx, &p.c)
}

// dial plans calls to contacts that are due.
func (p *plan) dial(ctx context.Context, st *domain.Stores) (more bool, err error) {
	if paused, err := p.guard(ctx, st); paused || err != nil {
		if err != nil {
			return false, err
		}
		return p.until(ctx, st, time.Time{})
	}
	st, memory := memorizing(st, p.c.ID, p.counts)
	trunk, err := p.o.Ready(ctx, st, p.in, p.c.AgentID, p.c.PhoneNumberID)
	if err != nil {
		return p.stopped(ctx, st, err)
	}
	room, until, err := p.room(ctx, st, trunk)
	switch {
	case err != nil:
		return false, err
	case !until.IsZero():
		p.c.PauseReason = domain.ReasonTrunkFailing
		return p.until(ctx, st, earlier(until, p.now.Add(lookAgain)))
	case room <= 0:
		return false, nil // stays due: a call that ends makes room
	}
	if calls, limited, err := p.funds(ctx, st); err != nil {
		return false, err
	} else if limited {
		if calls <= 0 {
			return p.broke(ctx, st)
		}
		room = min(room, calls)
	}
	switch calls, limited, until, err := p.purse(ctx, st); {
	case err != nil:
		return false, err
	case !until.IsZero():
		p.c.PauseReason = domain.ReasonDailyBudget
		return p.until(ctx, st, until)
	case limited && calls <= 0:
		return false, nil // stays due: the end of a call tells what is left
	case limited:
		room = min(room, calls)
	}
	if again, err := p.afford(ctx, st); again || err != nil {
		return again, err
	}
	limit := min(room, planned)
	rows, next, err := st.Recipients.Due(ctx, p.c.ID, p.now, limit)
	if err != nil {
		return false, err
	}
	if err := memory.foresee(ctx, &p.c, rows, p.now); err != nil {
		return false, err
	}
	stop := p.each(ctx, st, rows)
	if stop != nil && !asStop(stop, new(*domain.Error)) {
		return false, stop
	}
	if err := memory.store(ctx); err != nil {
		return false, err
	}
	if stop != nil { // what was planned before stays planned
		return p.stopped(ctx, st, stop)
	}
	if len(rows) == limit {
		return true, p.started(ctx, st)
	}
	switch again := p.now.Add(lookAgain); {
	case next.IsZero() && p.counts.Active > 0:
		return false, p.started(ctx, st) // stays due
	case next.IsZero() && len(rows) > 0:
		return true, p.started(ctx, st) // all were refused: it ends, or waits for them
	case next.IsZero():
		next = again // others hold what waits
	case p.counts.Active > 0 && next.After(again):
		next = again
	}
	p.start()
	return p.until(ctx, st, next)
}

func (p *plan) start() {
	if p.c.PauseReason == domain.ReasonTrunkFailing {
		p.c.ResumedAt = p.now
	}
	p.c.PauseReason = "" // it dials
	if p.c.StartedAt.IsZero() {
		p.c.StartedAt = p.now
	}
}

// earlier is the first of two times.
func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// started notes the first dial of a campaign, or that it goes on.
func (p *plan) started(ctx context.Context, st *domain.Stores) error {
	if !p.c.StartedAt.IsZero() && p.c.PauseReason == "" {
		return nil
	}
	p.start()
	return st.Dialing.Note(ctx, &p.c)
}

// stopped pauses a campaign that cannot place calls at all.
func (p *plan) stopped(ctx context.Context, st *domain.Stores, why error) (more bool, err error) {
	var known *domain.Error
	if !asStop(why, &known) {
		return false, why
	}
	p.Log.Warn("a campaign was paused: it cannot place calls", "campaign", p.c.ID, "err", why)
	p.c.State, p.c.PauseReason = domain.CampaignPaused, cmp.Or(known.Reason, string(known.Code))
	return p.until(ctx, st, time.Time{})
}

// each plans contacts, up to the first for whom no call can be placed.
func (p *plan) each(ctx context.Context, st *domain.Stores, rows []domain.Recipient) error {
	for i := range rows {
		if err := p.one(ctx, st, &rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// one plans one contact: it is dialed, waits, or is finished.
func (p *plan) one(ctx context.Context, st *domain.Stores, r *domain.Recipient) error {
	ruling, err := p.judge(ctx, st, &p.c, r, p.now)
	if err != nil {
		return err
	}
	r.UpdatedAt = p.now
	if !ruling.Allowed {
		ruling.put(r, p.now)
		return st.Recipients.Update(ctx, r, domain.RecipientWaiting, domain.CampaignCounts{LastAt: r.EndedAt})
	}
	call, err := p.o.Place(ctx, st, p.in, Placing{
		Campaign: &p.c, Recipient: r, Variables: r.CallVariables(), Try: r.Calls + 1,
	})
	if err != nil {
		return err
	}
	r.State, r.CallID, r.Why = domain.RecipientActive, call.ID, ""
	r.Calls++
	p.counts.Active++
	return st.Recipients.Update(ctx, r, domain.RecipientWaiting, domain.CampaignCounts{})
}
