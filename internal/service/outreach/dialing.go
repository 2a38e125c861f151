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
	At         time.Time // the zero time is now
	Timezone   string    // the called party's, IANA; "" is what the number tells
	WindowOnly bool      // look at the hours only
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
// is it on the do-not-call list, do the hours of the called place allow the call,
// and was it not called too often.
func (o *Outreach) CheckDialing(ctx context.Context, in domain.Scope, q DialingQuestion) (*DialingAnswer, error) {
	if q.At.IsZero() {
		q.At = o.Clock()
	}
	if q.Timezone != "" {
		if _, err := phone.Zone(q.Timezone); err != nil {
			return nil, domain.Invalid("timezone", "timezone must be a time zone of the IANA database, such as America/New_York")
		}
	}
	if fault := phone.Exact(q.To); fault != nil {
		return &DialingAnswer{Reason: domain.ReasonInvalidNumber, Why: "to " + fault.Error()}, nil //nolint:nilerr // a refusal is an answer
	}
	return rule.View(ctx, &o.Kit, func(ctx context.Context, st *domain.Stores) (*DialingAnswer, error) {
		asked := &question{
			in: in, c: &domain.Campaign{}, r: &domain.Recipient{Phone: q.To, Timezone: q.Timezone}, at: q.At, real: true, enforced: true,
		}
		all := []evaluation{o.callable, o.inHours, o.uncapped}
		if q.WindowOnly {
			all = []evaluation{o.inHours}
		}
		ruling, err := first(ctx, st, asked, all...)
		if err != nil {
			return nil, err
		}
		answer := &DialingAnswer{Allowed: ruling.Allowed, Reason: ruling.Reason, Why: cmp.Or(ruling.Why, explained[ruling.Reason]), NextAllowedAt: ruling.NextAt}
		if ruling.Allowed {
			answer.NextAllowedAt = q.At
		}
		return answer, o.tell(ctx, st, asked, answer)
	})
}

// tell adds what an answer was found by.
func (o *Outreach) tell(ctx context.Context, st *domain.Stores, q *question, answer *DialingAnswer) error {
	switch answer.Reason {
	case "", domain.ReasonOutsideWindow:
	default:
		return nil
	}
	book, err := compliance.Current()
	if err != nil {
		return err
	}
	answer.RulesVersion = book.Version
	answer.Zones, answer.Rules, err = o.law(ctx, st, q)
	return err
}

// explained are the refusals for people.
var explained = map[string]string{
	domain.ReasonInvalidNumber:   "no numbering plan has this number",
	domain.ReasonDoNotCall:       "the number is on the do-not-call list",
	domain.ReasonTimezoneUnknown: phone.ErrNoPlace.Error(),
	domain.ReasonOutsideWindow:   "the law of the called place does not allow sales calls at this time",
}
