package service_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/service/people"
)

// campaigning is a kit with a campaign in test mode, and a node that dials it.
type campaigning struct {
	*kit
	epoch domain.ID
	id    domain.ID
}

// newCampaigning stores a campaign with n contacts.
func newCampaigning(t *testing.T, n int, edit func(*outreach.CampaignChange)) *campaigning {
	t.Helper()
	k := newKit(t)
	req := outreach.CampaignChange{Kind: domain.KindCampaign, Name: new("February"), AgentID: &k.agent(k.test).ID}
	for i := range n {
		req.Contacts = append(req.Contacts, outreach.NewRecipient{Phone: fmt.Sprintf("+1500555%04d", 1000+i)})
	}
	if edit != nil {
		edit(&req)
	}
	c, err := k.CreateCampaign(t.Context(), k.test, req, nil)
	k.ok(err)
	return &campaigning{kit: k, epoch: k.join(), id: c.ID}
}

// plan has the dialer look until nothing more can be planned.
func (k *campaigning) plan() {
	k.Helper()
	for range 100 {
		due, _, err := k.DueCampaigns(k.Context(), 10)
		k.ok(err)
		again := false
		for _, id := range due {
			more, err := k.Plan(k.Context(), id)
			k.ok(err)
			again = again || more
		}
		if !again {
			return
		}
	}
	k.Fatal("planning does not come to an end")
}

// dialed plans, claims and commits the intents of all that is due.
func (k *campaigning) dialed() (dials []*service.Dial) {
	k.Helper()
	k.plan()
	attempts, _, err := k.ClaimAttempts(k.Context(), k.epoch, k.now(), 15*time.Second, 100)
	k.ok(err)
	for _, a := range attempts {
		d := a.Dial
		k.ok(a.Err)
		refused, err := k.CommitIntent(k.Context(), d)
		k.ok(err)
		if refused == nil {
			dials = append(dials, d)
		}
	}
	return dials
}

// over ends a call.
func (k *campaigning) over(d *service.Dial, reason domain.EndReason, talk time.Duration) {
	k.Helper()
	if talk > 0 {
		d.Call.State, d.Call.RingingAt, d.Call.AnsweredAt = domain.CallInProgress, k.now(), k.now()
		d.Attempt.State = domain.AttemptAnswered
		k.Progress(d.Call, d.Attempt)
		k.SaveTurn(domain.Turn{CallID: d.Call.ID, Sequence: 1, Role: domain.RoleAgent, Text: "Hello.", StartMs: 50, EndMs: 800})
	}
	k.ok(k.FinishCall(k.Context(), service.Verdict{Call: d.Call.ID, Attempt: d.Attempt, Reason: reason, EndedAt: k.now().Add(talk)}))
}

// stands fails unless the campaign has this state and these counts.
func (k *campaigning) stands(state domain.CampaignState, waiting, active, completed, failed int) *outreach.CampaignDetail {
	k.Helper()
	c, err := k.Campaign(k.Context(), k.test, domain.KindCampaign, k.id)
	k.ok(err)
	got := [4]int{c.Counts.Waiting, c.Counts.Active, c.Counts.Completed, c.Counts.Failed}
	if want := [4]int{waiting, active, completed, failed}; c.State != state || got != want {
		k.Fatalf("the campaign is %s (%s) with %v, want %s with %v", c.State, c.PauseReason, got, state, want)
	}
	return c
}

// TestCampaign calls four contacts, two at once; one is busy and reached at the
// second try. It ends by itself.
func TestCampaign(t *testing.T) {
	k := newCampaigning(t, 4, func(c *outreach.CampaignChange) { c.MaxConcurrent = new(2) })
	first := k.dialed()
	if len(first) != 2 {
		t.Fatalf("%d calls at once, want 2", len(first))
	}
	k.stands(domain.CampaignActive, 2, 2, 0, 0)
	if more := k.dialed(); len(more) != 0 {
		t.Fatalf("%d calls beyond the limit", len(more))
	}
	k.over(first[0], domain.EndFlow, time.Minute)
	k.over(first[1], domain.EndBusy, 0)
	k.stands(domain.CampaignActive, 3, 0, 1, 0)
	for _, d := range k.dialed() {
		k.over(d, domain.EndCallerHangup, time.Minute)
	}
	k.stands(domain.CampaignActive, 1, 0, 3, 0)
	if early := k.dialed(); len(early) != 0 {
		t.Fatal("who was busy was called again at once")
	}
	for range 30 { // hours
		k.pass(time.Hour)
		for _, d := range k.dialed() {
			k.over(d, domain.EndFlow, time.Minute)
		}
	}
	c := k.stands(domain.CampaignCompleted, 0, 0, 4, 0)
	if c.EndedAt.IsZero() || c.StartedAt.IsZero() || c.Counts.Answered != 4 {
		t.Fatalf("%+v", c)
	}
	rows, _, total, err := k.Recipients(t.Context(), k.test, domain.KindCampaign, k.id, domain.RecipientFilter{}, domain.Page{})
	k.ok(err)
	tries := 0
	for _, r := range rows {
		tries += len(r.Tries)
	}
	if total != 4 || tries != 5 {
		t.Fatalf("%d contacts with %d tries, want 4 and 5", total, tries)
	}
}

// TestCampaignPausedAtTheGate refuses calls that were planned before a pause;
// their contacts wait, and nothing was charged.
func TestCampaignPausedAtTheGate(t *testing.T) {
	k := newCampaigning(t, 3, nil)
	k.plan()
	k.stands(domain.CampaignActive, 0, 3, 0, 0)
	_, err := k.UpdateCampaign(t.Context(), k.test, domain.KindCampaign, k.id, outreach.CampaignChange{State: new(domain.CampaignPaused)})
	k.ok(err)
	if d := k.dialed(); len(d) != 0 {
		t.Fatalf("%d calls were dialed for a campaign that is paused", len(d))
	}
	k.stands(domain.CampaignPaused, 3, 0, 0, 0)
	_, err = k.UpdateCampaign(t.Context(), k.test, domain.KindCampaign, k.id, outreach.CampaignChange{State: new(domain.CampaignActive)})
	k.ok(err)
	if d := k.dialed(); len(d) != 3 {
		t.Fatalf("%d calls after the pause, want 3", len(d))
	}
	_, err = k.UpdateCampaign(t.Context(), k.test, domain.KindCampaign, k.id, outreach.CampaignChange{State: new(domain.CampaignCancelled)})
	k.ok(err)
	k.stands(domain.CampaignCancelled, 0, 3, 0, 0)
	_, err = k.UpdateCampaign(t.Context(), k.test, domain.KindCampaign, k.id, outreach.CampaignChange{State: new(domain.CampaignActive)})
	k.code(err, domain.CodeInvalid)
}

// TestCampaignDeleted removes more contacts than are removed at once; one who is
// called is waited for.
func TestCampaignDeleted(t *testing.T) {
	k := newCampaigning(t, 4_321, func(c *outreach.CampaignChange) { c.MaxConcurrent = new(1) })
	d := k.dialed()
	k.code(k.DeleteCampaign(t.Context(), k.test, k.id, 0), domain.CodeConflict)
	k.over(d[0], domain.EndFlow, time.Minute)
	k.code(k.DeleteCampaign(t.Context(), k.test, k.id, 7), domain.CodePrecondition)
	k.code(k.DeleteCampaign(t.Context(), k.prod, k.id, 0), domain.CodeNotFound)
	k.ok(k.DeleteCampaign(t.Context(), k.test, k.id, 1))
	k.code(k.DeleteCampaign(t.Context(), k.test, k.id, 0), domain.CodeNotFound)
	if more := k.dialed(); len(more) > 0 {
		t.Errorf("%d calls of a campaign that was deleted", len(more))
	}
	if _, err := k.Call(t.Context(), k.test, d[0].Call.ID); err != nil {
		t.Errorf("its call: %v", err)
	}
}

// TestCampaignOfErased: who is erased is called by no campaign any more, though
// the call was planned, and is in none.
func TestCampaignOfErased(t *testing.T) {
	k := newCampaigning(t, 2, nil)
	c, err := k.CreateContact(t.Context(), k.test, people.ContactChange{Phone: new("+15005551000")}, nil)
	k.ok(err)
	k.plan()
	k.ok(k.EraseContact(t.Context(), k.test, c.ID, 0))
	if d := k.dialed(); len(d) != 1 || d[0].Call.To != "+15005551001" {
		t.Errorf("dialed %+v", d)
	}
	k.stands(domain.CampaignActive, 0, 1, 0, 0)
}
