package outreach

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/compliance"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/people"
)

// remembered is how far back tries of a number are looked at.
const remembered = 31 * 24 * time.Hour

// question asks whether somebody may be dialed at a time.
type question struct {
	in       domain.Scope
	c        *domain.Campaign
	r        *domain.Recipient
	at       time.Time
	real     bool // numbers have classes and regions; those of simulated phones do not
	enforced bool // the law's hours, consent and the caps are kept

	zone    string          // the called party's own, IANA; "" is not known
	consent *domain.Consent // of the called party; nil for none
	law     *law            // nil until it is asked for
}

// law is what is to be kept at a time where a contact may be.
type law struct {
	at     time.Time
	places []*time.Location // none when that cannot be told
	rules  []compliance.Rule
}

func ask(c *domain.Campaign, r *domain.Recipient, at time.Time) *question {
	return &question{
		in: domain.Scope{Workspace: c.WorkspaceID, Mode: c.Mode}, c: c, r: r, at: at,
		real: c.Mode == domain.Live, enforced: enforced(c),
		zone: r.Timezone, consent: r.Consent,
	}
}

// enforced reports whether a campaign keeps the law's hours, consent and the caps.
func enforced(c *domain.Campaign) bool { return c.Mode == domain.Live || c.EnforceRules }

// acquaint takes what the campaign's list does not say of the called party from
// the workspace's contact with the number.
func (q *question) acquaint(ctx context.Context, st *domain.Stores) error {
	book, err := compliance.Current()
	if err != nil || !q.enforced || q.zone != "" && (q.consent != nil || !book.Of(q.c.Purpose).AsksConsent()) {
		return err
	}
	var known *domain.Contact
	if q.r.ContactID != "" {
		known, err = st.Contacts.Get(ctx, q.in, q.r.ContactID)
	} else {
		known, err = st.Contacts.ByNumber(ctx, q.in, q.r.Phone)
	}
	switch {
	case domain.CodeOf(err) == domain.CodeNotFound:
		return nil
	case err != nil:
		return err
	}
	q.zone = cmp.Or(q.zone, known.Timezone)
	q.consent = cmp.Or(q.consent, known.Consent)
	return nil
}

// evaluation answers one side of a question; nil says that it is no hindrance.
type evaluation func(ctx context.Context, st *domain.Stores, q *question) (*Ruling, error)

// maxJumps is how often a time to call is put off by one side of a question
// after the other: each cap and the hours of eight days may take a turn.
const maxJumps = 32

// first returns the first hindrance, or that there is none. One that passes has
// the time at which all that pass are over.
func first(ctx context.Context, st *domain.Stores, q *question, all ...evaluation) (*Ruling, error) {
	one := func(q *question) (*Ruling, error) {
		for _, evaluate := range all {
			if ruling, err := evaluate(ctx, st, q); ruling != nil || err != nil {
				return ruling, err
			}
		}
		return nil, nil
	}
	ruling, err := one(q)
	if err != nil || ruling == nil {
		return &Ruling{Allowed: true}, err
	}
	later := *q
	for range maxJumps {
		if ruling.Vague || !ruling.NextAt.After(later.at) {
			return ruling, nil
		}
		later.at = ruling.NextAt
		next, err := one(&later)
		if err != nil || next == nil {
			return ruling, err
		}
		ruling.NextAt, ruling.Vague = next.NextAt, next.Vague
	}
	return ruling, nil
}

// callable refuses numbers that may not be called at any time.
func (o *Outreach) callable(ctx context.Context, st *domain.Stores, q *question) (*Ruling, error) {
	if q.real { // the simulated phones have no classes and no regions
		n, err := phone.Parse(q.r.Phone)
		if err != nil || !n.Known {
			return refused(domain.ReasonInvalidNumber, time.Time{}), nil //nolint:nilerr // a refusal is an answer
		}
		if ruling, err := asRuling(Reachable(ctx, st, q.in, q.r.Phone)); ruling != nil || err != nil {
			return ruling, err
		}
	}
	return asRuling(people.Callable(ctx, st, q.in, q.r.Phone))
}

// asRuling is an error that refuses a call as a ruling; any other stays one.
func asRuling(err error) (*Ruling, error) {
	var known *domain.Error
	if errors.As(err, &known) && known.Code == domain.CodeForbidden {
		return &Ruling{Reason: known.Reason, Why: known.Message}, nil
	}
	return nil, err
}

// consented refuses calls to those who have not agreed to them as the law of the
// called place asks for the purpose.
func (o *Outreach) consented(_ context.Context, _ *domain.Stores, q *question) (*Ruling, error) {
	book, err := compliance.Current()
	if err != nil || !q.enforced {
		return nil, err
	}
	n, err := phone.Parse(q.r.Phone)
	if err != nil {
		return nil, err
	}
	asked := book.Of(q.c.Purpose).Consent(n.Region)
	switch {
	case asked == nil, q.consent != nil && asked.Given(q.consent.Kind):
		return nil, nil
	case q.consent != nil:
		return &Ruling{Reason: domain.ReasonNoConsent, Why: fmt.Sprintf("the consent that is recorded is %q; %s to this place needs one that is %s (%s)",
			q.consent.Kind, q.c.Purpose, asked.Kind, asked.Source)}, nil
	}
	return refused(domain.ReasonNoConsent, time.Time{}), nil
}

// inHours keeps the hours of the called place and the campaign's window.
func (o *Outreach) inHours(ctx context.Context, st *domain.Stores, q *question) (*Ruling, error) {
	window, err := o.windowOf(ctx, st, q.c)
	if err != nil {
		return nil, err
	}
	call := compliance.Call{Places: []*time.Location{time.UTC}, Window: window, Ring: Ring}
	if q.enforced {
		law, err := o.law(ctx, st, q)
		if err != nil {
			return nil, err
		}
		if len(law.places) == 0 {
			return refused(domain.ReasonTimezoneUnknown, time.Time{}), nil
		}
		call.Places, call.Rules = law.places, law.rules
	}
	if call.Allowed(q.at) {
		return nil, nil
	}
	next, found := call.Next(q.at)
	if !found {
		return &Ruling{Reason: domain.ReasonOutsideWindow, NextAt: q.at.Add(never), Vague: true}, nil
	}
	return refused(domain.ReasonOutsideWindow, next), nil
}

// law finds the law of a question, once for its time.
func (o *Outreach) law(ctx context.Context, st *domain.Stores, q *question) (*law, error) {
	if q.law != nil && q.law.at.Equal(q.at) {
		return q.law, nil
	}
	book, err := compliance.Current()
	if err != nil {
		return nil, err
	}
	n, err := phone.Parse(q.r.Phone)
	if err != nil {
		return nil, err
	}
	places, err := o.places(ctx, st, q)
	if err != nil {
		return nil, err
	}
	rules := book.Of(q.c.Purpose).Strictest(n.Region, n.State(), strings.ToUpper(strings.TrimSpace(q.r.Region)))
	q.law = &law{at: q.at, places: places, rules: rules}
	return q.law, nil
}

// places are the time zones that a contact may be in: its own, else those of its
// number, else, for simulated phones, the workspace's.
func (o *Outreach) places(ctx context.Context, st *domain.Stores, q *question) ([]*time.Location, error) {
	if zone, err := phone.Zone(q.zone); err == nil {
		return []*time.Location{zone}, nil
	}
	if !q.real {
		w, err := st.Workspaces.Get(ctx, q.in.Workspace)
		if err != nil {
			return nil, err
		}
		return []*time.Location{phone.FirstZone(w.Timezone)}, nil
	}
	n, err := phone.Parse(q.r.Phone)
	if err != nil {
		return nil, err
	}
	zones, err := phone.Places(n, q.at)
	if err != nil {
		return nil, nil //nolint:nilerr // nowhere is an answer
	}
	return zones, nil
}

// uncapped keeps how often a number may be tried.
func (o *Outreach) uncapped(ctx context.Context, st *domain.Stores, q *question) (*Ruling, error) {
	if !q.enforced {
		return nil, nil
	}
	tried, err := st.Tries.Tried(ctx, q.in, q.r.Phone, q.at.Add(-remembered))
	if err != nil || len(tried) == 0 {
		return nil, err
	}
	law, err := o.law(ctx, st, q)
	if err != nil {
		return nil, err
	}
	caps := compliance.DefaultCaps.In(law.rules)
	if next, limit := caps.Next(tried, law.places, q.at); limit != "" {
		return refused(limit, next), nil
	}
	if caps.AfterTalk == 0 {
		return nil, nil
	}
	talked, err := st.Tries.Talked(ctx, q.in, q.r.Phone, q.at.Add(-remembered))
	if next := talked.Add(caps.AfterTalk); err == nil && !talked.IsZero() && next.After(q.at) {
		return refused(compliance.CapAfterTalk, next), nil
	}
	return nil, err
}
