package service_test

import (
	"testing"
	"time"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/service/people"
)

// TestPurposeChoosesTheRules asks about one number at one time for each purpose.
func TestPurposeChoosesTheRules(t *testing.T) {
	k := newKit(t)
	const alabama, india = "+12055550123", "+919812345678"
	_, err := k.UpdateWorkspace(t.Context(), k.prod, k.prod.Workspace, regions("US", "IN"))
	k.ok(err)
	contact, err := k.CreateContact(t.Context(), k.prod, people.ContactChange{Phone: new(alabama)}, nil)
	k.ok(err)
	consents := func(kind string) {
		t.Helper()
		_, err := k.UpdateContact(t.Context(), k.prod, contact.ID, people.ContactChange{Consent: new(&domain.Consent{Kind: kind})})
		k.ok(err)
	}
	sunday, monday := time.Date(2026, 11, 29, 19, 0, 0, 0, time.UTC), time.Date(2026, 11, 30, 19, 0, 0, 0, time.UTC) // 13:00 in Alabama
	night := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)                                                           // 3:00
	check := func(to string, at time.Time, purpose domain.Purpose, reason string, rules ...string) {
		t.Helper()
		answer, err := k.CheckDialing(t.Context(), k.prod, outreach.DialingQuestion{To: to, At: at, Purpose: purpose})
		k.ok(err)
		var ids []string
		for _, r := range answer.Rules {
			ids = append(ids, r.ID)
		}
		if answer.Allowed != (reason == "") || answer.Reason != reason || len(rules) > 0 && len(ids) != len(rules) {
			t.Errorf("%q to %s at %s: %t %q %q by %v", purpose, to, at, answer.Allowed, answer.Reason, answer.Why, ids)
			return
		}
		for i := range rules {
			if ids[i] != rules[i] {
				t.Errorf("%q to %s by %v, want %v", purpose, to, ids, rules)
			}
		}
	}
	check(alabama, sunday, "", domain.ReasonOutsideWindow, "us-federal", "us-al")
	check(alabama, sunday, domain.PurposeUnspecified, domain.ReasonOutsideWindow, "us-federal", "us-al")
	check(alabama, sunday, domain.PurposeInformational, "", "us-federal")
	check(alabama, sunday, domain.PurposeDebt, "", "us-federal", "us-debt")
	check(alabama, monday, domain.PurposeMarketing, domain.ReasonNoConsent)
	consents("express")
	check(alabama, monday, domain.PurposeMarketing, domain.ReasonNoConsent)
	consents("written")
	check(alabama, monday, domain.PurposeMarketing, "", "us-federal", "us-al")
	check(alabama, sunday, domain.PurposeMarketing, domain.ReasonOutsideWindow)
	check(alabama, night, domain.PurposeInformational, domain.ReasonOutsideWindow)
	check(alabama, night, domain.PurposeEmergency, "", "us-emergency")
	check(india, time.Date(2026, 11, 30, 4, 0, 0, 0, time.UTC), "", domain.ReasonOutsideWindow, "in-promotional") // 9:30
	check(india, time.Date(2026, 11, 30, 4, 0, 0, 0, time.UTC), domain.PurposeInformational, "", "in-service")
}

// TestSilenceAfterATalkAboutDebt has campaigns for debts leave a number alone for
// seven days after somebody talked with them, and not after a voicemail; others
// call it.
func TestSilenceAfterATalkAboutDebt(t *testing.T) {
	k := newCampaigning(t, 0, nil)
	k.untilTuesday()
	k.ok(k.Beat(t.Context(), k.epoch))
	agent := k.agent(k.test)
	// called has a new campaign call the numbers, and returns its contacts.
	called := func(purpose domain.Purpose, numbers []string, ends ...domain.EndReason) []domain.Recipient {
		t.Helper()
		req := outreach.CampaignChange{Kind: domain.KindCampaign, Name: new("C"), AgentID: &agent.ID, EnforceRules: new(true), Purpose: &purpose, Retry: &domain.Retry{MaxAttempts: 1}}
		for _, to := range numbers {
			req.Contacts = append(req.Contacts, outreach.NewRecipient{Phone: to, Timezone: "UTC"})
		}
		c, err := k.CreateCampaign(t.Context(), k.test, req, nil)
		k.ok(err)
		dials := k.dialed()
		if len(dials) != len(ends) {
			t.Fatalf("%d calls for %s, want %d", len(dials), purpose, len(ends))
		}
		for i, d := range dials {
			k.over(d, ends[i], time.Minute)
		}
		rows, _, _, err := k.Recipients(t.Context(), k.test, domain.KindCampaign, c.ID, domain.RecipientFilter{}, domain.Page{})
		k.ok(err)
		return rows
	}
	one, two := []string{"+14155550101"}, []string{"+14155550102"}
	called(domain.PurposeDebt, one, domain.EndFlow)
	called(domain.PurposeDebt, two, domain.EndVoicemail)
	talked := k.now().Add(time.Minute)
	k.pass(24 * time.Hour)
	k.ok(k.Beat(t.Context(), k.epoch))
	r := called(domain.PurposeDebt, one)[0]
	if want := talked.Add(7 * 24 * time.Hour); r.Why != compliance.CapAfterTalk || !r.NextAt.Equal(want) {
		t.Errorf("waits for %q until %s, want %s", r.Why, r.NextAt, want)
	}
	called(domain.PurposeDebt, two, domain.EndBusy)
	called(domain.PurposeInformational, one, domain.EndBusy)
	answer, err := k.CheckDialing(t.Context(), k.test, outreach.DialingQuestion{To: one[0], Timezone: "UTC", Purpose: domain.PurposeDebt, At: k.now().Add(4 * time.Hour)})
	k.ok(err)
	if want := talked.Add(7 * 24 * time.Hour); answer.Reason != compliance.CapAfterTalk || answer.Why == "" || !answer.NextAllowedAt.Equal(want) {
		t.Errorf("%+v", answer)
	}
}

// regions has a workspace call some.
func regions(names ...string) service.WorkspaceChange {
	return service.WorkspaceChange{Regions: &names}
}
