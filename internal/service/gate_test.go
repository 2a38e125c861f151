package service_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/service/people"
)

// untilTuesday has it be a Tuesday, two in the afternoon UTC, when every rule
// allows calls there.
func (k *kit) untilTuesday() {
	now := k.now()
	noon := now.Truncate(24 * time.Hour).Add(14 * time.Hour)
	for noon.Weekday() != time.Tuesday || noon.Before(now) {
		noon = noon.Add(24 * time.Hour)
	}
	k.pass(noon.Sub(now))
}

// only returns the one contact of a campaign.
func (k *campaigning) only() domain.Recipient {
	k.Helper()
	rows, _, total, err := k.Recipients(k.Context(), k.test, domain.KindCampaign, k.id, domain.RecipientFilter{}, domain.Page{})
	k.ok(err)
	if total != 1 {
		k.Fatalf("%d contacts, want 1", total)
	}
	return rows[0]
}

// TestRegionsOfAWorkspace has the regions that are called follow the own
// numbers, and then the setting.
func TestRegionsOfAWorkspace(t *testing.T) {
	k := newKit(t)
	trunk, err := k.CreateTrunk(t.Context(), k.prod, service.TrunkChange{Name: new("T"), Host: new("192.0.2.1")}, nil)
	k.ok(err)
	flow, err := k.CreateFlow(t.Context(), k.prod, service.FlowChange{Name: new("F"), Status: new(domain.FlowPublished), Definition: []byte(`{"nodes":[]}`)}, nil)
	k.ok(err)
	agent, err := k.CreateAgent(t.Context(), k.prod, service.AgentChange{Name: new("A"), FlowID: &flow.ID}, nil)
	k.ok(err)
	own := func(number string) {
		t.Helper()
		_, err := k.CreateNumber(t.Context(), k.prod, service.NumberChange{Number: &number, TrunkID: &trunk.ID, AgentID: &agent.ID}, nil)
		k.ok(err)
	}
	name := func(regions ...string) {
		t.Helper()
		_, err := k.UpdateWorkspace(t.Context(), k.prod, k.prod.Workspace, service.WorkspaceChange{Regions: &regions})
		k.ok(err)
	}
	const american, canadian, jamaican, french, toll = "+12025550123", "+16135550123", "+18765550123", "+33123456789", "+80012345678"
	calls := func(when string, want ...string) {
		t.Helper()
		for _, to := range []string{american, canadian, jamaican, french, toll} {
			_, err := k.PlaceCall(t.Context(), k.prod, service.PlaceRequest{AgentID: agent.ID, To: to}, nil)
			known, _ := err.(*domain.Error) //nolint:errorlint // as it is returned
			switch allowed := slices.Contains(want, to); {
			case allowed && err != nil:
				t.Errorf("%s: %s is refused: %v", when, to, err)
			case !allowed && (known == nil || known.Code != domain.CodeForbidden || known.Reason != domain.ReasonRegionNotAllowed || !strings.Contains(known.Message, "regions")):
				t.Errorf("%s: %s answers %v", when, to, err)
			}
			answer, err := k.CheckDialing(t.Context(), k.prod, outreach.DialingQuestion{To: to})
			k.ok(err)
			if refused := answer.Reason == domain.ReasonRegionNotAllowed; refused && slices.Contains(want, to) {
				t.Errorf("%s: a check of %s tells %+v", when, to, answer)
			}
		}
	}
	own("+80087654321") // of no country
	calls("a number of no country")
	own("+12025550100")
	calls("a number of the USA", american)
	name("CA", "fr", "FR")
	calls("Canada and France", canadian, french)
	name("*")
	calls("any", american, canadian, jamaican, french, toll)
	name([]string{}...)
	calls("none")
	_, err = k.UpdateWorkspace(t.Context(), k.prod, k.prod.Workspace, service.WorkspaceChange{Regions: new([]string(nil))})
	k.ok(err)
	calls("the default again", american)
	for _, wrong := range [][]string{{"USA"}, {""}, {"+1"}, make([]string, 301)} {
		_, err = k.UpdateWorkspace(t.Context(), k.prod, k.prod.Workspace, service.WorkspaceChange{Regions: &wrong})
		k.code(err, domain.CodeInvalid)
	}
}

// TestBlockedIsNeverCalledAgain puts a number that refuses us as unwanted onto
// the do-not-call list, whoever called it.
func TestBlockedIsNeverCalledAgain(t *testing.T) {
	k := newCampaigning(t, 1, nil)
	d := k.dialed()[0]
	k.over(d, domain.EndBlocked, 0)
	k.stands(domain.CampaignActive, 0, 0, 0, 1)
	if r := k.only(); r.Result != domain.ResultBlocked || r.State != domain.RecipientFailed {
		t.Errorf("the contact is %+v", r)
	}
	single := k.claimed(k.epoch, "+15005550199")[0]
	refused, err := k.CommitIntent(t.Context(), single)
	if k.ok(err); refused != nil {
		t.Fatalf("refused: %+v", refused)
	}
	k.over(single, domain.EndBlocked, 0)
	for _, call := range []domain.Call{d.Call, single.Call} {
		entry, err := k.Suppression(t.Context(), k.test, call.To)
		k.ok(err)
		if entry.Source != domain.SuppressedByRefusal || entry.CallID != call.ID {
			t.Errorf("%s is listed as %+v", call.To, entry)
		}
	}
}

// TestMarketingNeedsConsent takes it from the campaign's list, or the contact
// with the number.
func TestMarketingNeedsConsent(t *testing.T) {
	given := &domain.Consent{Kind: "written", Source: "https://example.com/form"}
	for _, c := range []struct {
		name            string
		purpose         domain.Purpose
		listed, contact *domain.Consent
		kept            bool // a contact with the number is there
		want            int
		reason          string
	}{
		{"none", domain.PurposeMarketing, nil, nil, false, 0, domain.ReasonNoConsent},
		{"a contact without", domain.PurposeMarketing, nil, nil, true, 0, domain.ReasonNoConsent},
		{"in the list", domain.PurposeMarketing, given, nil, false, 1, ""},
		{"of the contact", domain.PurposeMarketing, nil, given, true, 1, ""},
		{"not needed", domain.PurposeInformational, nil, nil, false, 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newCampaigning(t, 1, func(req *outreach.CampaignChange) {
				req.Purpose, req.EnforceRules, req.Contacts[0].Consent = &c.purpose, new(true), c.listed
			})
			to := k.only().Phone
			if c.kept {
				_, err := k.CreateContact(t.Context(), k.test, people.ContactChange{Phone: &to, Consent: &c.contact}, nil)
				k.ok(err)
			}
			k.untilTuesday()
			dials := k.dialed()
			if len(dials) != c.want || k.only().Why != c.reason {
				t.Fatalf("%d calls, the contact is %+v", len(dials), k.only())
			}
			if c.want == 0 {
				k.stands(domain.CampaignCompleted, 0, 0, 0, 1)
				return
			}
			if basis := dials[0].Attempt.Basis; !strings.HasPrefix(basis, "rules 20") || !strings.HasSuffix(basis, "14:00 UTC") {
				t.Errorf("the dial was found to be allowed by %q", basis)
			}
		})
	}
}

// TestBudgetPauses spends a budget: what calls under way may cost is set aside,
// and the campaign pauses when nothing is left for another one. More money has it
// go on.
func TestBudgetPauses(t *testing.T) {
	k := newCampaigning(t, 5, func(c *outreach.CampaignChange) { c.Budget = new(new(3 * domain.Unit)) })
	k.spend(nil, domain.Unit) // a minute costs one
	first := k.dialed()
	if len(first) != 3 {
		t.Fatalf("%d calls at once for a budget of three minutes", len(first))
	}
	k.over(first[0], domain.EndFlow, 2*time.Minute) // takes longer than was set aside
	k.over(first[1], domain.EndFlow, 30*time.Second)
	if more := k.dialed(); len(more) != 0 {
		t.Fatalf("%d calls beyond the budget", len(more))
	}
	k.stands(domain.CampaignActive, 2, 1, 2, 0)
	k.over(first[2], domain.EndFlow, 15*time.Second)
	k.dialed()
	if c := k.stands(domain.CampaignPaused, 2, 0, 3, 0); c.PauseReason != domain.ReasonBudget {
		t.Errorf("it was paused for %q", c.PauseReason)
	}
	_, err := k.UpdateCampaign(t.Context(), k.test, domain.KindCampaign, k.id,
		outreach.CampaignChange{State: new(domain.CampaignActive), Budget: new(new(10 * domain.Unit))})
	k.ok(err)
	if more := k.dialed(); len(more) != 2 {
		t.Errorf("%d calls with more money, want 2", len(more))
	}
}

// TestTheNextTimePassesEveryHindrance asks about a number that was called
// shortly before the hours end: the next time is after both.
func TestTheNextTimePassesEveryHindrance(t *testing.T) {
	k := newCampaigning(t, 1, func(c *outreach.CampaignChange) { c.EnforceRules = new(true) })
	k.untilTuesday()
	k.over(k.dialed()[0], domain.EndBusy, 0)
	to := k.only().Phone
	at := k.now().Add(90 * time.Minute)
	answer, err := k.CheckDialing(t.Context(), k.test, outreach.DialingQuestion{To: "+12025550123", Timezone: "UTC", At: at})
	k.ok(err)
	if !answer.Allowed {
		t.Fatalf("another number: %+v", answer)
	}
	again, err := k.CreateCampaign(t.Context(), k.test, outreach.CampaignChange{
		Kind: domain.KindCampaign, Name: new("again"), AgentID: &k.agent(k.test).ID, EnforceRules: new(true),
		Timezone: new("UTC"), Window: new(&domain.DayWindow{From: 14 * 60, To: 15 * 60}), Contacts: []outreach.NewRecipient{{Phone: to}},
	}, nil)
	k.ok(err)
	k.plan() // the gap of two hours binds, and the window is closed then
	rows, _, _, err := k.Recipients(t.Context(), k.test, domain.KindCampaign, again.ID, domain.RecipientFilter{}, domain.Page{})
	k.ok(err)
	if want := k.now().Add(24 * time.Hour); rows[0].Why != compliance.CapGap || !rows[0].NextAt.Equal(want) {
		t.Errorf("it waits for %s until %s, want %s", rows[0].Why, rows[0].NextAt, want)
	}
}

// TestOptOutByKey heeds the key as it heeds words.
func TestOptOutByKey(t *testing.T) {
	k := newKit(t)
	d := k.claimed(k.join(), "+15005550106")[0]
	_, err := k.CommitIntent(t.Context(), d)
	k.ok(err)
	k.SaveTurn(domain.Turn{CallID: d.Call.ID, Sequence: 1, Role: domain.RoleCaller, Text: "9"})
	k.SaveTurn(domain.Turn{CallID: d.Call.ID, Sequence: 2, Role: domain.RoleCaller, Text: "9", Note: domain.NoteOptOut})
	k.ok(k.FinishCall(t.Context(), service.Verdict{Call: d.Call.ID, Attempt: d.Attempt, Reason: domain.EndFlow, EndedAt: k.now()}))
	entry, err := k.Suppression(t.Context(), k.test, d.Call.To)
	k.ok(err)
	if entry.Source != domain.SuppressedByKey || entry.CallID != d.Call.ID {
		t.Errorf("%+v", entry)
	}
}

// TestListFile puts the numbers of a sheet onto the list, and tells the bad rows.
func TestListFile(t *testing.T) {
	k := newKit(t)
	var file strings.Builder
	file.WriteString("phone_number,note\n")
	for i := range 1200 {
		fmt.Fprintf(&file, "+1202555%04d,x\n", i%1100) // a hundred are there twice
	}
	file.WriteString("nonsense,x\n")
	done, err := k.SuppressSheet(t.Context(), k.test, strings.NewReader(file.String()), "asked by letter", nil)
	k.ok(err)
	if done.Rows != 1200 || done.Added != 1100 || done.Bad != 1 || len(done.Faults) != 1 || done.Faults[0].Line != 1202 {
		t.Errorf("%+v", done)
	}
	again, err := k.SuppressSheet(t.Context(), k.test, strings.NewReader(file.String()), "", nil)
	k.ok(err)
	if again.Added != 0 {
		t.Errorf("%d were added the second time", again.Added)
	}
	entry, err := k.Suppression(t.Context(), k.test, "+12025551099")
	k.ok(err)
	if entry.Source != domain.SuppressedByCSV || entry.Reason != "asked by letter" {
		t.Errorf("%+v", entry)
	}
	visited := 0
	k.ok(k.EachSuppression(t.Context(), k.test, func(rows []domain.Suppression) error { visited += len(rows); return nil }))
	if visited != 1100 {
		t.Errorf("the list has %d entries", visited)
	}
	_, err = k.SuppressSheet(t.Context(), k.test, strings.NewReader("a,b\n1,2\n"), "", nil)
	k.code(err, domain.CodeInvalid)
}
