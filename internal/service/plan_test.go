package service_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/service/people"
)

// newCrowd stores a campaign with n contacts who are planned at once: some are unknown,
// some are the workspace's contacts by number or id, some were called before, some
// too often, and some are on the do-not-call list.
func newCrowd(t *testing.T, n int) *campaigning {
	t.Helper()
	k := newCampaigning(t, n, func(c *outreach.CampaignChange) {
		c.EnforceRules, c.State, c.Budget = new(true), new(domain.CampaignPaused), new(new(domain.Money(1_000_000)))
		for i := range c.Contacts {
			c.Contacts[i].Timezone = "UTC"
		}
	})
	k.untilTuesday()
	err := k.store.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		w, err := st.Workspaces.Get(ctx, k.test.Workspace)
		if err != nil {
			return err
		}
		w.Plan, w.DailyBudget, w.PricePerMinute = domain.Enterprise, new(domain.Money(1_000_000)), 10
		if err := st.Workspaces.Update(ctx, w); err != nil {
			return err
		}
		trunks, err := st.Trunks.List(ctx, k.test, domain.Page{})
		if err != nil {
			return err
		}
		for i := range trunks {
			trunks[i].CallsPerSecond, trunks[i].MaxCalls = 0, 200
			if err := st.Trunks.Update(ctx, &trunks[i]); err != nil {
				return err
			}
			if err := st.Breakers.Put(ctx, domain.Breaker{TrunkID: trunks[i].ID, WorkspaceID: k.test.Workspace, Mode: k.test.Mode, AliveAt: k.now()}); err != nil {
				return err
			}
		}
		rows, _, err := st.Recipients.List(ctx, k.test, k.id, domain.RecipientFilter{}, domain.Page{})
		if err != nil {
			return err
		}
		for i := range rows {
			if err := k.past(ctx, st, i, rows[i].Phone); err != nil {
				return err
			}
		}
		return nil
	})
	k.ok(err)
	_, err = k.UpdateCampaign(t.Context(), k.test, domain.KindCampaign, k.id, outreach.CampaignChange{State: new(domain.CampaignActive)})
	k.ok(err)
	return k
}

// past gives a number what the workspace knows of it.
func (k *campaigning) past(ctx context.Context, st *domain.Stores, i int, number string) error {
	switch i % 8 {
	case 1:
		c := &domain.Contact{
			ID: domain.NewID(), WorkspaceID: k.test.Workspace, Mode: k.test.Mode, Phone: number, Phones: []domain.ContactPhone{{Number: number, Primary: true}},
			FirstName: "Ann", Version: 1, CreatedAt: k.now(), UpdatedAt: k.now(),
		}
		return st.Contacts.Create(ctx, c)
	case 2, 3:
		tries := i%8 - 1
		for try := range tries { // two of yesterday, or one
			a := domain.Attempt{
				ID: domain.NewID(), WorkspaceID: k.test.Workspace, Mode: k.test.Mode, CallID: domain.NewID(), Number: number, TryNumber: 1,
				State: domain.AttemptEnded, DialedAt: k.now().Add(-time.Duration(30*tries+try) * time.Minute), CreatedAt: k.now(),
			}
			if err := st.Attempts.Create(ctx, &a); err != nil {
				return err
			}
		}
	case 4:
		_, err := st.Suppressed.Add(ctx, k.test, k.SuppressionsOf(k.test, []string{number}, "", domain.SuppressedByAPI, "")...)
		return err
	}
	return nil
}

// TestPlanIsAFewStatements plans many contacts with as many statements as a few.
func TestPlanIsAFewStatements(t *testing.T) {
	took := make(map[int][]string)
	for _, n := range []int{8, 64} {
		k := newCrowd(t, n)
		k.mu.Lock()
		k.seen = func(statement string) {
			if word, _, _ := strings.Cut(statement, " "); slices.Contains([]string{"SELECT", "WITH", "INSERT", "UPDATE", "DELETE"}, word) {
				took[n] = append(took[n], statement)
			}
		}
		k.mu.Unlock()
		_, err := k.Plan(t.Context(), k.id)
		k.ok(err)
		k.mu.Lock()
		k.seen = nil
		k.mu.Unlock()
		// Of eight one is on the list, and one or two were called just now.
		k.stands(domain.CampaignActive, n/4, n-n/4-n/8, 0, n/8)
	}
	const most = 30
	if few, many := len(took[8]), len(took[64]); many > few || many > most {
		for _, statement := range took[64] {
			t.Log(statement[:min(len(statement), 200)])
		}
		t.Errorf("8 contacts were planned with %d statements, 64 with %d, which should be %d at most", few, many, most)
	}
}

// TestPlanStops deletes the contact that the third of a campaign is: the calls to
// those before it stay planned, the campaign is paused, and nothing is half done.
func TestPlanStops(t *testing.T) {
	k := newCampaigning(t, 2, func(c *outreach.CampaignChange) { c.State = new(domain.CampaignPaused) })
	contact, err := k.CreateContact(t.Context(), k.test, people.ContactChange{FirstName: new("Bo"), Phones: new([]people.PhoneChange{{Number: "+15005551900"}})}, nil)
	k.ok(err)
	_, err = k.AddContacts(t.Context(), k.test, k.id, outreach.AddRequest{ContactIDs: []domain.ID{contact.ID}}, nil)
	k.ok(err)
	_, err = k.AddContacts(t.Context(), k.test, k.id, outreach.AddRequest{Contacts: []outreach.NewRecipient{{Phone: "+15005551901"}}}, nil)
	k.ok(err)
	k.ok(k.DeleteContact(t.Context(), k.test, contact.ID, 0))
	_, err = k.UpdateCampaign(t.Context(), k.test, domain.KindCampaign, k.id, outreach.CampaignChange{State: new(domain.CampaignActive)})
	k.ok(err)
	_, err = k.Plan(t.Context(), k.id)
	k.ok(err)
	c := k.stands(domain.CampaignPaused, 2, 2, 0, 0)
	calls, total, err := k.Calls(t.Context(), k.test, domain.CallFilter{CampaignID: k.id}, domain.Page{})
	k.ok(err)
	if total != 2 || len(calls) != 2 {
		t.Fatalf("%d calls are planned, want 2", total)
	}
	attempts, _, err := k.ClaimAttempts(t.Context(), k.epoch, k.now(), time.Minute, 9)
	k.ok(err)
	rows, _, _, err := k.Recipients(t.Context(), k.test, domain.KindCampaign, k.id, domain.RecipientFilter{}, domain.Page{})
	k.ok(err)
	var got []string
	for _, r := range rows {
		for _, a := range attempts {
			if a.CallID == r.CallID && a.RecipientID == r.ID && a.Number == r.Phone && a.RecipientTry == r.Calls {
				got = append(got, fmt.Sprint(r.Line, r.State, r.Version))
			}
		}
	}
	if len(attempts) != 2 || len(got) != 2 || c.PauseReason != string(domain.CodeNotFound) {
		t.Errorf("%d attempts, of contacts %v; paused for %s", len(attempts), got, c.PauseReason)
	}
}
