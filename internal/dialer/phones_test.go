package dialer

import (
	"context"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// outcome is how a call may end.
type outcome struct {
	reason  domain.EndReason
	ring    time.Duration // 0: the phone does not ring
	talk    time.Duration // 0: nobody answers
	charged bool
	share   int // of a hundred
}

var outcomes = []outcome{
	{reason: domain.EndFlow, ring: 2 * time.Second, talk: 3 * time.Second, charged: true, share: 24},
	{reason: domain.EndCallerHangup, ring: 2 * time.Second, talk: 2 * time.Second, charged: true, share: 5},
	{reason: domain.EndVoicemail, ring: 3 * time.Second, talk: 2 * time.Second, charged: true, share: 15},
	{reason: domain.EndNoAnswer, ring: 5 * time.Second, charged: true, share: 21},
	{reason: domain.EndBusy, charged: true, share: 15},
	{reason: domain.EndDeclined, ring: 2 * time.Second, charged: true, share: 6},
	{reason: domain.EndCongestion, share: 5},
	{reason: domain.EndInvalidNumber, charged: true, share: 3},
	{reason: domain.EndBlocked, ring: 2 * time.Second, charged: true, share: 6},
}

func (d *days) roll(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.chance.IntN(n)
}

// talking is how many calls are under way.
func (d *days) talking() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.live)
}

// die reports whether there is a call under way for a process to die with.
func (d *days) die() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.live) == 0 {
		return false
	}
	d.crashes++
	d.lost += len(d.live)
	return true
}

// carry dials a call as the engine does, and has it end by chance, or with the
// process.
func (o *office) carry(ctx context.Context, claimed service.Claimed, died <-chan struct{}) {
	call := claimed.Dial
	if claimed.Err != nil {
		o.Error(claimed.Err)
		return
	}
	refused, err := o.CommitIntent(ctx, call)
	if err != nil || refused != nil {
		if err != nil {
			o.Error(err)
		}
		return
	}
	c := o.dialed(&call.Call)
	what, draw := outcomes[0], o.roll(100)
	for _, what = range outcomes {
		if draw -= what.share; draw < 0 {
			break
		}
	}
	alive := true
	lasts := func(span time.Duration) {
		select {
		case <-died:
			alive = false
		case <-time.After(span):
		}
	}
	if what.ring > 0 {
		lasts(time.Second)
		call.Call.State, call.Call.RingingAt, call.Attempt.State = domain.CallRinging, time.Now(), domain.AttemptRinging
		o.Progress(call.Call, call.Attempt)
		lasts(what.ring)
	}
	if what.talk > 0 && alive {
		call.Call.State, call.Call.AnsweredAt, call.Attempt.State = domain.CallInProgress, time.Now(), domain.AttemptAnswered
		o.Progress(call.Call, call.Attempt)
		o.SaveTurn(domain.Turn{CallID: call.Call.ID, Sequence: 1, Role: domain.RoleAgent, Text: "Hello.", StartMs: 300, EndMs: 900})
		lasts(what.talk + time.Duration(o.roll(4))*time.Second)
	}
	o.ended(c, &call.Call, what, alive)
	if !alive {
		return
	}
	if err := o.FinishCall(ctx, service.Verdict{Call: call.Call.ID, Attempt: call.Attempt, Reason: what.reason, EndedAt: time.Now()}); err != nil {
		o.Error(err)
	}
	if what.reason == domain.EndBlocked {
		o.mu.Lock()
		o.listed[call.Call.To] = time.Now()
		o.mu.Unlock()
	}
}

// dialed judges a call whose INVITE is sent now.
func (d *days) dialed(call *domain.Call) *outing {
	d.mu.Lock()
	defer d.mu.Unlock()
	var c *outing
	for _, one := range d.outings {
		if one.id == call.CampaignID {
			c = one
		}
	}
	to, now, at := call.To, call.DialedAt, d.where[call.To]
	wrong := func(why string) { d.Errorf("%s is called at %s: %s", to, now.Format(time.RFC3339), why) }
	if why := ringable(d.T, at, c.window, now); why != "" {
		wrong(why)
	}
	if why := at.tooOften(d.T, d.tried[to], now); why != "" {
		wrong(why)
	}
	if d.live[to] {
		wrong("another call to it is under way")
	}
	if c.live >= c.most {
		wrong("the campaign has as many calls as it may")
	}
	if c.charged[to] >= 3 {
		wrong("it was tried three times in this campaign")
	}
	if _, over := c.final[call.RecipientID]; over {
		wrong("the campaign was through with it")
	}
	if now.Before(c.starts) || !c.pausedAt.IsZero() && now.After(c.pausedAt) {
		wrong("the campaign does not run")
	}
	if since, listed := d.listed[to]; listed && now.After(since) {
		wrong("it is on the do-not-call list")
	}
	d.calls++
	d.live[to] = true
	d.tried[to] = append(d.tried[to], now)
	c.live++
	c.charged[to]++
	c.dialed[now.Format(time.DateOnly)]++
	return c
}

// ended notes the end of a call, also of one whose process died: it may have
// rung, and counts.
func (d *days) ended(c *outing, call *domain.Call, what outcome, alive bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.live, call.To)
	c.live--
	switch {
	case alive && !what.charged:
		c.charged[call.To]--
		d.tried[call.To] = remove(d.tried[call.To], call.DialedAt)
	case alive && what.talk > 0:
		c.reached[call.To] = true
	}
}
