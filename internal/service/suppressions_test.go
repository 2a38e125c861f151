package service_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/service/people"
)

// suppress puts numbers onto the list of test mode.
func (k *kit) suppress(numbers ...string) {
	k.Helper()
	_, err := k.Suppress(k.Context(), k.test, people.SuppressRequest{Numbers: numbers, Source: domain.SuppressedByAPI}, nil)
	k.ok(err)
}

// A listed number is refused when a call is placed, in its own mode only.
func TestSuppressedNumberIsRefused(t *testing.T) {
	k := newKit(t)
	a := k.agent(k.test)
	const to = "+15005550106"
	place := func() error {
		_, err := k.PlaceCall(t.Context(), k.test, service.PlaceRequest{AgentID: a.ID, To: to}, nil)
		return err
	}
	_, err := k.Suppress(t.Context(), k.prod, people.SuppressRequest{Numbers: []string{to}}, nil)
	k.ok(err)
	k.ok(place())
	k.suppress(to, " "+to+" ", "+15005550107")
	err = place()
	k.code(err, domain.CodeForbidden)
	if refused, ok := err.(*domain.Error); !ok || refused.Reason != domain.ReasonDoNotCall { //nolint:errorlint // as it is returned
		t.Errorf("%v", err)
	}
	_, total, err := k.Suppressions(t.Context(), k.test, domain.Page{Limit: 1})
	k.ok(err)
	if total != 2 {
		t.Errorf("%d entries", total)
	}
	k.ok(k.Unsuppress(t.Context(), k.test, to))
	k.code(k.Unsuppress(t.Context(), k.test, to), domain.CodeNotFound)
	k.ok(place())
}

// A number is taken in one form only: with the zero that is dialed within its
// country it would not be found in the list.
func TestListedNumberHasOneForm(t *testing.T) {
	k := newKit(t)
	a := k.agent(k.test)
	const own, other = "+442079460018", "+4402079460018"
	k.suppress(own)
	_, err := k.PlaceCall(t.Context(), k.test, service.PlaceRequest{AgentID: a.ID, To: own}, nil)
	k.code(err, domain.CodeForbidden)
	_, err = k.PlaceCall(t.Context(), k.test, service.PlaceRequest{AgentID: a.ID, To: other}, nil)
	k.code(err, domain.CodeInvalid)
	for _, numbers := range [][]string{{other}, {own, other}} {
		_, err = k.Suppress(t.Context(), k.test, people.SuppressRequest{Numbers: numbers}, nil)
		k.code(err, domain.CodeInvalid)
	}
}

// A call that was accepted before the opt-out is not dialed; it ends at its
// intent and says so.
func TestOptOutEndsWaitingCalls(t *testing.T) {
	k := newKit(t)
	_, err := k.CreateEndpoint(t.Context(), k.test, service.EndpointChange{URL: new("https://example.com"), Events: &[]string{domain.AllEvents}}, nil)
	k.ok(err)
	dials := k.claimed(k.join(), "+15005550106", "+15005550107")
	k.suppress(dials[0].Call.To)
	for i, d := range dials {
		refused, err := k.CommitIntent(t.Context(), d)
		k.ok(err)
		if i > 0 {
			if refused != nil {
				t.Errorf("another number is refused: %+v", refused)
			}
			continue
		}
		if refused == nil || refused.End != domain.EndDoNotCall {
			t.Fatalf("refused %+v", refused)
		}
		detail, err := k.Call(t.Context(), k.test, d.Call.ID)
		k.ok(err)
		if detail.State != domain.CallFailed || detail.EndReason != domain.EndDoNotCall || detail.EndedAt.IsZero() ||
			detail.Attempts[0].State != domain.AttemptEnded || detail.Attempts[0].EndReason != domain.EndDoNotCall {
			t.Errorf("%+v", detail)
		}
		k.ok(k.store.View(t.Context(), func(ctx context.Context, s *domain.Stores) error {
			deliveries, err := s.Deliveries.ByCall(ctx, k.test, d.Call.ID)
			if len(deliveries) != 1 || deliveries[0].EventType != domain.EventCallFailed {
				t.Errorf("told %+v", deliveries)
			}
			return err
		}))
	}
}

// A call that rings is hung up, one that was answered is not.
func TestOptOutStopsRinging(t *testing.T) {
	k := newKit(t)
	dials := k.claimed(k.join(), "+15005550106", "+15005550107", "+15005550108")
	for i, d := range dials {
		_, err := k.CommitIntent(t.Context(), d)
		k.ok(err)
		if i == 1 {
			k.change(d.Call.ID, func(c *domain.Call, a *domain.Attempt) {
				c.State, a.State = domain.CallInProgress, domain.AttemptAnswered
			})
		}
	}
	k.suppress(dials[0].Call.To, dials[1].Call.To)
	if want := map[domain.ID]domain.EndReason{dials[0].Call.ID: domain.EndDoNotCall}; len(k.live.ends) != 1 || k.live.ends[dials[0].Call.ID] != want[dials[0].Call.ID] {
		t.Errorf("hung up %v, want %v", k.live.ends, want)
	}
}

// TestOptOutElsewhereStopsRinging has one process dial a number, and another one
// answer the opt-out.
func TestOptOutElsewhereStopsRinging(t *testing.T) {
	k := newKit(t)
	dials := k.claimed(k.join(), "+15005550106", "+15005550107")
	for _, d := range dials {
		_, err := k.CommitIntent(t.Context(), d)
		k.ok(err)
	}
	k.store.AfterCommit("suppressions", k.Listed)
	k.ok(k.store.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		_, err := st.Suppressed.Add(ctx, k.test, k.SuppressionsOf(k.test, []string{dials[1].Call.To, "+15005550199"}, "asked", domain.SuppressedByAPI, "")...)
		return err
	}))
	hungUp := func() map[domain.ID]domain.EndReason {
		k.live.mu.Lock()
		defer k.live.mu.Unlock()
		return maps.Clone(k.live.ends)
	}
	for deadline := time.Now().Add(10 * time.Second); len(hungUp()) == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if ends := hungUp(); len(ends) != 1 || ends[dials[1].Call.ID] != domain.EndDoNotCall {
		t.Errorf("hung up %v, want %v", ends, dials[1].Call.ID)
	}
}

// What a caller says ends up on the list, of calls in both directions; what the
// agent says, or who shows no number, does not.
func TestCallersAreHeeded(t *testing.T) {
	b := newSwitchboard(t)
	own := b.number("+12025550100", service.NumberChange{AgentID: &b.agent.ID})
	for i, c := range []struct {
		from string
		role domain.Role
		says string
		want bool
	}{
		{"+12025550111", domain.RoleCaller, "Take me off your list!", true},
		{"+12025550112", domain.RoleAgent, "Take me off your list!", false},
		{"+12025550113", domain.RoleCaller, "Please call me again tomorrow.", false},
		{"", domain.RoleCaller, "Never call me again", false},
	} {
		d, err := b.ring(own, c.from)
		b.ok(err)
		if !b.SaveTurn(domain.Turn{CallID: d.Call.ID, Sequence: 1, Role: c.role, Text: c.says}) {
			t.Fatal("the turn was lost")
		}
		b.ok(b.FinishCall(t.Context(), service.Verdict{Call: d.Call.ID, Attempt: d.Attempt, Reason: domain.EndCallerHangup, EndedAt: b.now()}))
		rows, _, err := b.Suppressions(t.Context(), b.prod, domain.Page{})
		b.ok(err)
		listed := slices.ContainsFunc(rows, func(s domain.Suppression) bool {
			return s.Number == c.from && s.Source == domain.SuppressedByWord && s.CallID == d.Call.ID
		})
		if listed != c.want || len(rows) != 1 {
			t.Errorf("case %d: listed %v of %+v", i, listed, rows)
		}
	}
}
