package service

import (
	"context"
	"slices"
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
// and do the hours of the called place allow the call.
func (s *Service) CheckDialing(ctx context.Context, in domain.Scope, q DialingQuestion) (*DialingAnswer, error) {
	if q.At.IsZero() {
		q.At = s.Clock()
	}
	if q.Timezone != "" {
		if _, err := phone.Zone(q.Timezone); err != nil {
			return nil, domain.Invalid("timezone", "timezone must be a time zone of the IANA database, such as America/New_York")
		}
	}
	if fault := phone.Valid(q.To); fault != nil {
		return refusedNumber(domain.ReasonInvalidNumber, "to "+fault.Error()), nil //nolint:nilerr // a refusal is an answer
	}
	n, err := phone.Parse(q.To)
	if err != nil {
		return nil, err
	}
	if !q.WindowOnly {
		if refused, err := s.forbidden(ctx, in, n); refused != nil || err != nil {
			return refused, err
		}
	}
	return s.hours(n, q)
}

func refusedNumber(reason, why string) *DialingAnswer {
	return &DialingAnswer{Reason: reason, Why: why}
}

// forbidden refuses numbers that may not be called at any time.
func (s *Service) forbidden(ctx context.Context, in domain.Scope, n phone.Number) (*DialingAnswer, error) {
	switch {
	case !n.Known:
		return refusedNumber(domain.ReasonInvalidNumber, "no numbering plan has this number"), nil
	case n.Class.Risky():
		return refusedNumber(domain.ReasonDestinationNotAllowed, "calls to "+string(n.Class)+" numbers are not allowed"), nil
	}
	switch _, err := s.Suppression(ctx, in, n.E164); domain.CodeOf(err) {
	case "":
		return refusedNumber(domain.ReasonDoNotCall, "the number is on the do-not-call list"), nil
	case domain.CodeNotFound:
	default:
		return nil, err
	}
	regions, err := s.callableRegions(ctx, in)
	if err != nil {
		return nil, err
	}
	if len(regions) > 0 && !slices.Contains(regions, n.Region) {
		return refusedNumber(domain.ReasonRegionNotAllowed,
			"the workspace calls the regions of its own numbers only, and has none of "+n.Region), nil
	}
	return nil, nil
}

// callableRegions are those of the workspace's own numbers.
func (s *Service) callableRegions(ctx context.Context, in domain.Scope) ([]string, error) {
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) ([]string, error) {
		var regions []string
		err := rule.Scan(ctx, st.Numbers, in, numberID, func(own *domain.PhoneNumber) error {
			if n, err := phone.Parse(own.Number); err == nil && n.Region != "" && !slices.Contains(regions, n.Region) {
				regions = append(regions, n.Region)
			}
			return nil
		})
		return regions, err
	})
}

// hours looks at the law of the called place.
func (s *Service) hours(n phone.Number, q DialingQuestion) (*DialingAnswer, error) {
	book, err := compliance.Current()
	if err != nil {
		return nil, err
	}
	zones := calledZones(n, q)
	if len(zones) == 0 {
		return refusedNumber(domain.ReasonTimezoneUnknown, phone.ErrNoPlace.Error()), nil
	}
	call := compliance.Call{Places: zones, Rules: book.For(n.Region, n.State())}
	answer := &DialingAnswer{Allowed: call.Allowed(q.At), Zones: zones, Rules: call.Rules, RulesVersion: book.Version}
	if next, ok := call.Next(q.At); ok {
		answer.NextAllowedAt = next
	}
	if !answer.Allowed {
		answer.Reason, answer.Why = domain.ReasonOutsideWindow, "the law of the called place does not allow sales calls at this time"
	}
	return answer, nil
}

// calledZones are where the called party may be: where it is said to be, else
// where its number may be; none when that cannot be told.
func calledZones(n phone.Number, q DialingQuestion) []*time.Location {
	if zone, err := phone.Zone(q.Timezone); err == nil {
		return []*time.Location{zone}
	}
	zones, err := phone.Places(n, q.At)
	if err != nil {
		return nil
	}
	return zones
}
