package dialer

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/queue"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/store"
)

// office is one run of the program: rules over the database of the test.
type office struct {
	*days
	*service.Service
	store  *store.DB
	buffer *store.Buffer
}

func (d *days) open() *office {
	d.Helper()
	db, err := store.Open(d.Context(), store.Options{Dir: d.dir, Logger: quiet})
	d.ok(err)
	o := &office{days: d, store: db, buffer: store.NewBuffer(db, quiet)}
	o.Service = service.New(service.Options{
		Store: db, Buffer: o.buffer, CheckFlow: func(raw []byte) ([]byte, error) { return raw, nil }, NoSamples: true, Logger: quiet,
	})
	return o
}

func (o *office) close() {
	o.Helper()
	o.Service.Close()
	o.ok(o.buffer.Close(context.Background()))
	o.ok(o.store.Close())
}

// session runs the program until there is nothing to do for a while, or it dies.
// It returns when to start it again; zero is never.
func (d *days) session() (next time.Time) {
	d.Helper()
	o := d.open()
	defer o.close()
	epoch, began := domain.NewID(), time.Now()
	d.ok(o.Join(d.Context(), domain.Node{Epoch: epoch}))
	_, err := o.Recover(d.Context(), epoch)
	d.ok(err)
	ctx, stop := context.WithCancel(d.Context())
	died := make(chan struct{})
	q := queue.New(queue.Options[service.Claimed]{
		Name: "attempts", Workers: 64, MaxIdle: 10 * time.Second, Handle: func(ctx context.Context, a service.Claimed) { o.carry(ctx, a, died) },
		Claim: func(ctx context.Context, now time.Time, limit int) ([]service.Claimed, time.Time, error) {
			return o.ClaimAttempts(ctx, epoch, now, 15*time.Second, limit)
		},
	})
	o.store.AfterCommit("attempts", q.Kick)
	planner := New(Options{Store: o.store, Rules: o.Outreach})
	var all sync.WaitGroup
	for _, run := range []func(context.Context) error{q.Run, planner.Run, func(ctx context.Context) error { return o.beat(ctx, epoch) }} {
		all.Go(func() {
			if err := run(ctx); err != nil {
				d.Error(err)
			}
		})
	}
	mortal, dead := d.roll(4) == 0 || d.crashes == 0, false
	for over := false; !over; {
		time.Sleep(5 * time.Second)
		o.act()
		if mortal && d.die() {
			close(died)
			over, dead, next = true, true, time.Now().Add(time.Minute)
			continue
		}
		next, over = o.idle()
		over = over || time.Since(began) > 3*time.Hour
	}
	stop()
	all.Wait()
	if !dead {
		d.ok(o.Leave(d.Context(), epoch))
	}
	o.compare()
	return next
}

func (o *office) beat(ctx context.Context, epoch domain.ID) error {
	for ctx.Err() == nil {
		if err := o.Beat(context.WithoutCancel(ctx), epoch); err != nil {
			return err
		}
		pause(ctx, 5*time.Second, nil)
	}
	return nil
}

// act pauses campaigns, and has them go on.
func (o *office) act() {
	o.Helper()
	become := func(c *outing, to domain.CampaignState) {
		_, err := o.UpdateCampaign(o.Context(), o.in, domain.KindCampaign, c.id, outreach.CampaignChange{State: &to})
		o.ok(err)
		o.mu.Lock()
		defer o.mu.Unlock()
		c.pausedAt = time.Time{}
		if to == domain.CampaignPaused {
			c.pausedAt = time.Now()
		}
	}
	for _, c := range o.outings {
		switch since := time.Since(c.starts); {
		case c.pauses > 0 && since >= c.pauses:
			c.pauses = 0
			become(c, domain.CampaignPaused)
		case c.pauses == 0 && c.resumes > 0 && since >= c.resumes:
			c.resumes = 0
			become(c, domain.CampaignActive)
		}
	}
}

// idle reports whether nothing is to be done for a while, and until when. What is
// due soon may wait for hours; a campaign goes on at its time.
func (o *office) idle() (next time.Time, idle bool) {
	o.Helper()
	due, next, err := o.DueCampaigns(o.Context(), 10)
	o.ok(err)
	idle = len(due) == 0 && o.talking() == 0 && (next.IsZero() || time.Until(next) > 3*time.Minute)
	if soon := time.Now().Add(time.Duration(rest+o.roll(rest)) * time.Minute); !next.IsZero() && soon.After(next) {
		next = soon
	}
	for _, c := range o.outings {
		if c.pauses == 0 && c.resumes > 0 {
			if again := c.starts.Add(c.resumes); next.IsZero() || again.Before(next) {
				next = again
			}
		}
	}
	return next, idle
}

// compare looks whether the counts of all campaigns are those of their contacts,
// whether who has come to an end stays there, and when the others are tried next.
func (o *office) compare() {
	o.Helper()
	for _, c := range o.outings {
		seen, err := o.Campaign(o.Context(), o.in, domain.KindCampaign, c.id)
		o.ok(err)
		rows, _, total, err := o.Recipients(o.Context(), o.in, domain.KindCampaign, c.id, domain.RecipientFilter{}, domain.Page{Limit: contacts})
		o.ok(err)
		tally := make(map[domain.RecipientState]int)
		for i := range rows {
			r := &rows[i]
			tally[r.State]++
			if was, ended := c.final[r.ID]; ended && was != r.State {
				o.Errorf("%s was %s and is %s", r.Phone, was, r.State)
			}
			if r.State == domain.RecipientCompleted || r.State == domain.RecipientFailed {
				c.final[r.ID] = r.State
			}
			o.redial(r)
		}
		n := seen.Counts
		if total != contacts || len(rows) != contacts || n.Total() != contacts || n.Waiting != tally[domain.RecipientWaiting] ||
			n.Active != tally[domain.RecipientActive] || n.Completed != tally[domain.RecipientCompleted] || n.Failed != tally[domain.RecipientFailed] {
			o.Errorf("%d contacts, the counts are %+v, counted are %v", total, n, tally)
		}
	}
}

// redial looks at when a contact is tried next, as long as only the result of
// its last try has decided that.
func (o *office) redial(r *domain.Recipient) {
	o.Helper()
	if r.State != domain.RecipientWaiting || len(r.Tries) == 0 || r.Why != string(r.Result) {
		return
	}
	last := r.Tries[len(r.Tries)-1]
	gap, otherDay, otherPart := time.Duration(0), false, false
	switch last.Result {
	case domain.ResultBusy:
		gap = 30 * time.Minute
	case domain.ResultNoAnswer, domain.ResultInterrupted:
		gap, otherPart = 2*time.Hour, true
	case domain.ResultVoicemail:
		otherDay, otherPart = true, true
	case domain.ResultDeclined:
		otherDay = true
	case domain.ResultCongestion:
		gap = time.Minute
	}
	if zones := o.where[r.Phone].zones; len(zones) > 1 && len(r.Tries) > 1 {
		otherPart = false // after some tries no part of the day is another one in all zones
	}
	wrong := r.NextAt.Before(last.At.Add(gap))
	for _, zone := range o.where[r.Phone].zones {
		then, _ := wall(o.T, last.At, zone)
		next, _ := wall(o.T, r.NextAt, zone)
		wrong = wrong || otherDay && then.Format(time.DateOnly) == next.Format(time.DateOnly) ||
			otherPart && partOf(o.T, last.At, zone) == partOf(o.T, r.NextAt, zone)
	}
	if wrong {
		o.Errorf("%s was tried at %s with the result %s and is tried again at %s", r.Phone, last.At, last.Result, r.NextAt)
	}
}

// check looks whether all came to their end.
func (d *days) check() {
	d.Helper()
	o := d.open()
	defer o.close()
	holiday := 0
	for _, c := range d.outings {
		seen, err := o.Campaign(d.Context(), d.in, domain.KindCampaign, c.id)
		d.ok(err)
		if seen.State != domain.CampaignCompleted || seen.EndedAt.IsZero() || len(c.final) != contacts || c.live != 0 {
			d.Errorf("a campaign is %s at the end (%s), with %d of its contacts", seen.State, seen.PauseReason, len(c.final))
		}
		rows, _, _, err := o.Recipients(d.Context(), d.in, domain.KindCampaign, c.id, domain.RecipientFilter{}, domain.Page{Limit: contacts})
		d.ok(err)
		for _, r := range rows {
			if _, listed := d.listed[r.Phone]; !listed && c.reached[r.Phone] != (r.State == domain.RecipientCompleted) {
				d.Errorf("%s was reached: %v, and is %s with %+v", r.Phone, c.reached[r.Phone], r.State, r.Tries)
			}
			charged := 0
			for _, try := range r.Tries {
				if try.Charged {
					charged++
				}
			}
			if charged != c.charged[r.Phone] {
				d.Errorf("%s has %d tries that count, want %d", r.Phone, charged, c.charged[r.Phone])
			}
		}
		holiday += c.dialed[veterans]
	}
	if d.calls < 2*contacts || d.crashes == 0 || d.lost == 0 || holiday == 0 || len(d.listed) == 0 {
		d.Errorf("%d calls, %d crashes with %d calls, %d calls on the holiday, %d who refused: it tried too little",
			d.calls, d.crashes, d.lost, holiday, len(d.listed))
	}
}

// remove takes the first value that equals v out of a list.
func remove(list []time.Time, v time.Time) []time.Time {
	if i := slices.IndexFunc(list, v.Equal); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}
