package outreach

import (
	"context"
	"fmt"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// Figures of a trunk's breaker.
const (
	// trusted is how many calls of campaigns a trunk may get that it did not take,
	// or that it was not heard of yet: as many find out that it is away.
	trusted = 10
	// proof is for how long a sign of life lets more of them out at once.
	proof = 10 * time.Second
	// noteAgain is how often signs of life are written down.
	noteAgain = 3 * time.Second
	// fewFailures in a row are no reason to doubt a trunk that was just heard of.
	fewFailures = 3
	// probeAgain is when one call tries a failing trunk again after the last one
	// failed, and probeFor how long that one is waited for: longer than a phone may
	// ring, so that a trunk is tried once at a time. Both together are less than a
	// minute.
	probeAgain = 15 * time.Second
	probeFor   = 40 * time.Second
)

// proven reports whether a trunk takes calls, as far as is known.
func proven(b *domain.Breaker, now time.Time) bool {
	return !b.Open() && b.Failed < fewFailures && now.Sub(b.AliveAt) < proof
}

// Admit says, in the transaction of the intent and as the last question there,
// until when the call of a campaign has to wait for its trunk; the zero time when
// it may go. The one that may although the trunk fails tries it for all others.
func (o *Outreach) Admit(ctx context.Context, st *domain.Stores, trunk domain.ID, now time.Time) (time.Time, error) {
	b, err := st.Breakers.Look(ctx, trunk)
	if err != nil || proven(&b, now) {
		return time.Time{}, err
	}
	if b, err = st.Breakers.Hold(ctx, trunk); err != nil {
		return time.Time{}, err
	}
	switch {
	case b.Open() && now.Before(b.OpenUntil):
		return b.OpenUntil, nil
	case b.Open():
		b.OpenUntil = now.Add(probeFor)
		return time.Time{}, st.Breakers.Put(ctx, b)
	}
	unheard, err := st.Breakers.Unheard(ctx, trunk)
	if err != nil || unheard+b.Failed < trusted {
		return time.Time{}, err
	}
	return now.Add(time.Second), nil
}

// trust is how many more calls may be planned over a trunk of which planned wait
// to be dialed already, and until when none may.
func (o *Outreach) trust(ctx context.Context, st *domain.Stores, trunk domain.ID, planned int, now time.Time) (room int, until time.Time, err error) {
	b, err := st.Breakers.Look(ctx, trunk)
	switch {
	case err != nil:
		return 0, time.Time{}, err
	case proven(&b, now):
		return many, time.Time{}, nil
	case b.Open() && now.Before(b.OpenUntil):
		return 0, b.OpenUntil, nil
	case b.Open():
		return 1 - planned, time.Time{}, nil
	}
	unheard, err := st.Breakers.Unheard(ctx, trunk)
	return trusted - b.Failed - unheard - planned, time.Time{}, err
}

// Heard notes what a call that is under way, or over, tells of its trunk.
// retryAfter is for how long the far end asked not to be called.
func (o *Outreach) Heard(ctx context.Context, st *domain.Stores, call *domain.Call, a *domain.Attempt, retryAfter time.Duration) error {
	if a.TrunkID == "" || a.Kind != domain.AttemptDial || call.Direction != domain.Outbound || call.DialedAt.IsZero() {
		return nil
	}
	if !call.State.Ended() {
		return o.alive(ctx, st, a)
	}
	if call.Rang() {
		return nil // it was noted then
	}
	switch domain.ResultOf(call, nil) {
	case domain.ResultTrunk, domain.ResultCongestion:
		return o.failed(ctx, st, a, retryAfter)
	case domain.ResultCanceled, domain.ResultInterrupted, domain.ResultDoNotCall:
		return nil // it tells nothing
	}
	return o.alive(ctx, st, a)
}

// alive notes that a trunk takes calls.
func (o *Outreach) alive(ctx context.Context, st *domain.Stores, a *domain.Attempt) error {
	now := o.Clock()
	if v, known := o.noted.Load(a.TrunkID); known {
		if at, is := v.(time.Time); is && now.Sub(at) < noteAgain {
			return nil
		}
	}
	b, err := st.Breakers.Hold(ctx, a.TrunkID)
	if err != nil {
		return err
	}
	o.noted.Store(a.TrunkID, now)
	if b.Failed == 0 && now.Sub(b.AliveAt) < noteAgain {
		return nil // another process has noted it
	}
	if b.Open() {
		o.Log.Info("a trunk takes calls again", "trunk", a.TrunkID, "failed", now.Sub(b.OpenedAt).Round(time.Second))
	}
	return st.Breakers.Put(ctx, domain.Breaker{TrunkID: a.TrunkID, WorkspaceID: a.WorkspaceID, Mode: a.Mode, AliveAt: now})
}

// failed notes that a trunk did not take a call.
func (o *Outreach) failed(ctx context.Context, st *domain.Stores, a *domain.Attempt, retryAfter time.Duration) error {
	now := o.Clock()
	b, err := st.Breakers.Hold(ctx, a.TrunkID)
	if err != nil {
		return err
	}
	o.noted.Delete(a.TrunkID)
	b.TrunkID, b.WorkspaceID, b.Mode = a.TrunkID, a.WorkspaceID, a.Mode
	b.Failed++
	switch {
	case b.Open():
		b.OpenUntil = now.Add(max(probeAgain, retryAfter))
	case b.Failed >= trusted || retryAfter > 0 && b.Failed >= fewFailures:
		b.OpenedAt, b.OpenUntil = now, now.Add(max(probeAgain, retryAfter))
		if err := o.warn(ctx, st, &b); err != nil {
			return err
		}
	}
	return st.Breakers.Put(ctx, b)
}

// warn tells people that campaigns keep off a trunk.
func (o *Outreach) warn(ctx context.Context, st *domain.Stores, b *domain.Breaker) error {
	o.Log.Warn("a trunk takes no calls: campaigns wait, and one call at a time tries it", "trunk", b.TrunkID, "failed", b.Failed)
	return st.Notices.Create(ctx, &domain.Notice{
		ID: domain.NewID(), WorkspaceID: b.WorkspaceID, Mode: b.Mode, Kind: domain.NoticeTrunkFailing, SubjectID: b.TrunkID, Version: 1,
		CreatedAt: b.OpenedAt, UpdatedAt: b.OpenedAt,
		Text: fmt.Sprintf("The trunk %s took none of the last %d calls. Campaigns wait until it does; they try it with one call at a time, and go on by themselves. "+
			"No contact loses a try by it.", b.TrunkID, b.Failed),
	})
}
