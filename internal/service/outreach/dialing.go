package outreach

import (
	"cmp"
	"context"
	"time"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/rule"
)

// DialingQuestion asks whether a campaign in live mode may call a number.
type DialingQuestion struct {
	To         string
	At         time.Time      // the zero time is now
	Timezone   string         // the called party's, IANA; "" is what the number tells
	Purpose    domain.Purpose // "" is domain.PurposeUnspecified
	WindowOnly bool           // look at the hours only
}

// DialingAnswer is whether a number may be called, and why not.
type DialingAnswer struct {
	Allowed       bool
	Reason        string    // one of the domain's Reason words; "" when Allowed
	Why           string    // Reason for people
	NextAllowedAt time.Time // the first time at or after At; zero: not to be told, or never
	Zones         []*time.Location
	Rules         []compliance.Rule
	RulesVersion  string
}

// CheckDialing tells what a campaign in live mode would do with a number: is it
// one, is what it reaches allowed, is it in a region that the workspace calls,
// is it on the do-not-call list, has its owner agreed where the purpose needs it,
// do the hours of the called place allow the call, and was it not called too
// often. What a contact with the number tells is used as a campaign would.
func (o *Outreach) CheckDialing(ctx context.Context, in domain.Scope, q DialingQuestion) (*DialingAnswer, error) {
	if q.At.IsZero() {
		q.At = o.Clock()
	}
	if q.Timezone != "" {
		if _, err := phone.Zone(q.Timezone); err != nil {
			return nil, domain.Invalid("timezone", "timezone must be a time zone of the IANA database, such as America/New_York")
		}
	}
	if q.Purpose != "" {
		if err := checkPurpose(q.Purpose); err != nil {
			return nil, err
		}
	}
	if fault := phone.Exact(q.To); fault != nil {
		return &DialingAnswer{Reason: domain.ReasonInvalidNumber, Why: "to " + fault.Error()}, nil //nolint:nilerr // a refusal is an answer
	}
	return rule.View(ctx, &o.Kit, func(ctx context.Context, st *domain.Stores) (*DialingAnswer, error) {
		asked := &question{
			in: in, c: &domain.Campaign{Purpose: cmp.Or(q.Purpose, domain.PurposeUnspecified)}, r: &domain.Recipient{Phone: q.To}, at: q.At, real: true, enforced: true,
			zone: q.Timezone,
		}
		if err := asked.acquaint(ctx, st); err != nil {
			return nil, err
		}
		all := []evaluation{o.callable, o.consented, o.inHours, o.uncapped, o.affordable}
		if q.WindowOnly {
			all = []evaluation{o.inHours}
		}
		ruling, err := first(ctx, st, asked, all...)
		if err != nil {
			return nil, err
		}
		answer := &DialingAnswer{Allowed: ruling.Allowed, Reason: ruling.Reason, Why: cmp.Or(ruling.Why, explained[ruling.Reason]), NextAllowedAt: ruling.NextAt}
		switch {
		case ruling.Allowed:
			answer.NextAllowedAt = q.At
		case ruling.Vague:
			answer.NextAllowedAt = time.Time{}
		}
		return answer, o.tell(ctx, st, asked, answer)
	})
}

// tell adds what an answer was found by.
func (o *Outreach) tell(ctx context.Context, st *domain.Stores, q *question, answer *DialingAnswer) error {
	if answer.NextAllowedAt.IsZero() && answer.Reason != domain.ReasonOutsideWindow {
		return nil // no hours make it better
	}
	book, err := compliance.Current()
	if err != nil {
		return err
	}
	law, err := o.law(ctx, st, q)
	if err != nil {
		return err
	}
	answer.RulesVersion, answer.Zones, answer.Rules = book.Version, law.places, law.rules
	return nil
}

// explained are the refusals for people.
var explained = map[string]string{
	domain.ReasonInvalidNumber:   "no numbering plan has this number",
	domain.ReasonDoNotCall:       "the number is on the do-not-call list",
	domain.ReasonTimezoneUnknown: phone.ErrNoPlace.Error(),
	domain.ReasonOutsideWindow:   "the law of the called place does not allow such calls at this time",
	domain.ReasonNoConsent:       "marketing needs a consent that is recorded: send it with the contact",
	domain.ReasonBudget:          "the campaign has spent its budget",
	domain.ReasonDailyBudget:     "the workspace's budget of the day does not pay for another minute",
	domain.ReasonPaused:          "the campaign is paused",
	compliance.CapDay:            "the number was called as often as is allowed on one day",
	compliance.CapHours24:        "the number was called as often as is allowed in 24 hours",
	compliance.CapDays7:          "the number was called as often as is allowed in 7 days",
	compliance.CapDays30:         "the number was called as often as is allowed in 30 days",
	compliance.CapGap:            "the number was called a short time ago",
	compliance.CapAfterTalk:      "somebody has talked with us at this number a short time ago",
}
