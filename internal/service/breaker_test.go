package service_test

import (
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// refusing has a trunk refuse all calls that are dialed for d, and returns how
// many there were.
func (k *campaigning) refusing(d time.Duration, reason domain.EndReason) (invites int) {
	k.Helper()
	for end := k.now().Add(d); k.now().Before(end); k.pass(time.Second) {
		for _, call := range k.dialed() {
			invites++
			k.over(call, reason, 0)
		}
	}
	return invites
}

// answered notes that somebody answered a call, and waits until that is written.
func (k *campaigning) answered(d *service.Dial) {
	d.Call.State, d.Call.RingingAt, d.Call.AnsweredAt, d.Attempt.State = domain.CallInProgress, k.now(), k.now(), domain.AttemptAnswered
	k.Progress(d.Call, d.Attempt)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := k.Call(k.Context(), k.test, d.Call.ID)
		k.ok(err)
		if c.State == domain.CallInProgress {
			return
		}
		if time.Now().After(deadline) {
			k.Fatalf("the call is still %s", c.State)
		}
	}
}

// untouched fails when a contact was charged with a try.
func (k *campaigning) untouched() {
	k.Helper()
	rows, _, _, err := k.Recipients(k.Context(), k.test, domain.KindCampaign, k.id, domain.RecipientFilter{}, domain.Page{Limit: 200})
	k.ok(err)
	for _, r := range rows {
		for _, try := range r.Tries {
			if try.Charged {
				k.Fatalf("%s was charged with a try: %+v", r.Phone, try)
			}
		}
	}
}

// TestFailingTrunk keeps a campaign off a trunk that refuses all calls: after ten
// it waits, tries it with one call at a time, and goes on within a minute after
// the trunk does.
func TestFailingTrunk(t *testing.T) {
	k := newCampaigning(t, 60, nil)
	if n := k.refusing(14*time.Second, domain.EndCongestion); n != 10 {
		t.Fatalf("%d INVITEs before the campaign stopped, want 10", n)
	}
	if c := k.stands(domain.CampaignActive, 60, 0, 0, 0); c.PauseReason != domain.ReasonTrunkFailing {
		t.Fatalf("the campaign waits for %q", c.PauseReason)
	}
	if n := k.refusing(10*time.Minute, domain.EndCongestion); n < 20 || n > 40 {
		t.Fatalf("%d calls tried the trunk in ten minutes, want one each quarter of a minute", n)
	}
	k.untouched()
	notices, total, err := k.Notices(t.Context(), k.test, domain.Page{Limit: 10})
	k.ok(err)
	if total != 1 || notices[0].Kind != domain.NoticeTrunkFailing || notices[0].SubjectID != k.first.Trunk.ID {
		t.Fatalf("%d notices: %+v", total, notices)
	}
	back := k.now()
	talks := 0
	for ; talks < 60; k.pass(time.Second) {
		for _, d := range k.dialed() {
			k.over(d, domain.EndFlow, time.Second)
			if talks++; talks == 2 && k.now().Sub(back) > time.Minute {
				t.Fatalf("the campaign went on %s after the trunk did", k.now().Sub(back))
			}
		}
		if k.now().Sub(back) > time.Hour {
			t.Fatalf("only %d calls in an hour after the trunk came back", talks)
		}
	}
	k.plan()
	if c := k.stands(domain.CampaignCompleted, 0, 0, 60, 0); c.PauseReason != "" {
		t.Fatalf("it still waits for %q", c.PauseReason)
	}
}

// TestSilentTrunk sends ten INVITEs that nobody answers, and no more.
func TestSilentTrunk(t *testing.T) {
	k := newCampaigning(t, 60, nil)
	out := k.dialed()
	for range 29 {
		k.pass(time.Second)
		out = append(out, k.dialed()...)
	}
	if len(out) != 10 {
		t.Fatalf("%d INVITEs are under way, want 10", len(out))
	}
	k.beats()
	for _, d := range out {
		k.over(d, domain.EndUnreachable, 0)
	}
	if more := k.dialed(); len(more) != 0 {
		t.Fatalf("%d more INVITEs", len(more))
	}
	k.pass(15 * time.Second)
	probe := k.dialed()
	if len(probe) != 1 {
		t.Fatalf("%d calls try the trunk, want 1", len(probe))
	}
	k.pass(30 * time.Second)
	if more := k.dialed(); len(more) != 0 {
		t.Fatalf("%d calls beside the one that tries the trunk", len(more))
	}
	k.answered(probe[0])
	k.pass(5 * time.Second)
	if more := k.dialed(); len(more) < 10 {
		t.Fatalf("%d calls after the trunk was heard of", len(more))
	}
	k.untouched()
}

// TestRetryAfterOfTrunk waits as long as a trunk asks.
func TestRetryAfterOfTrunk(t *testing.T) {
	k := newCampaigning(t, 60, nil)
	for i, d := range k.dialed() {
		if i < 3 {
			k.ok(k.FinishCall(t.Context(), service.Verdict{
				Call: d.Call.ID, Attempt: d.Attempt, Reason: domain.EndCongestion, EndedAt: k.now(), RetryAfter: 5 * time.Minute,
			}))
		} else {
			k.over(d, domain.EndCanceled, 0) // tells nothing
		}
	}
	if n := k.refusing(4*time.Minute+59*time.Second, domain.EndCongestion); n != 0 {
		t.Fatalf("%d calls while the trunk had asked for none", n)
	}
	if n := k.refusing(10*time.Second, domain.EndCongestion); n != 1 {
		t.Fatalf("%d calls tried the trunk afterwards, want 1", n)
	}
}

// TestOccasionalFailures do not slow a trunk that is heard of.
func TestOccasionalFailures(t *testing.T) {
	k := newCampaigning(t, 200, nil)
	for range 20 {
		k.pass(time.Second)
		for i, d := range k.dialed() {
			if i%5 == 1 {
				k.over(d, domain.EndCongestion, 0)
			} else {
				k.over(d, domain.EndFlow, time.Second)
			}
		}
	}
	c, err := k.Campaign(t.Context(), k.test, domain.KindCampaign, k.id)
	k.ok(err)
	if c.Counts.Completed < 150 || c.PauseReason != "" {
		t.Fatalf("%+v %q", c.Counts, c.PauseReason)
	}
	if _, total, err := k.Notices(t.Context(), k.test, domain.Page{Limit: 10}); err != nil || total != 0 {
		t.Fatalf("%d notices, %v", total, err)
	}
}

// beats keeps the node of a campaign alive.
func (k *campaigning) beats() {
	k.Helper()
	k.ok(k.Beat(k.Context(), k.epoch))
}
