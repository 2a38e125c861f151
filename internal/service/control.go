package service

import (
	"context"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// Bounds of what a live call is told.
const (
	maxKeys = 256
	maxRing = 120 * time.Second
)

// HoldCall puts the far end of a live call on hold, or takes it back.
func (s *Service) HoldCall(ctx context.Context, in domain.Scope, id domain.ID, on bool, once *rule.Once[domain.Call]) (*domain.Call, error) {
	return s.control(ctx, in, id, once, nil, func(live domain.LiveCalls) error { return live.Hold(ctx, id, on) })
}

// PressKeys sends telephone keys to the far end of a live call.
func (s *Service) PressKeys(ctx context.Context, in domain.Scope, id domain.ID, keys string, once *rule.Once[domain.Call]) (*domain.Call, error) {
	check := rule.First(required("digits", keys), rule.Text("digits", keys, maxKeys))
	if check == nil && strings.Trim(keys, "0123456789*#ABCDw,") != "" {
		check = domain.Invalid("digits", "digits may only have the keys 0-9 * # A-D, and w or , for a pause of half a second")
	}
	return s.control(ctx, in, id, once, check, func(live domain.LiveCalls) error { return live.Press(ctx, id, keys) })
}

// SayInCall has the agent of a live call say a text.
func (s *Service) SayInCall(ctx context.Context, in domain.Scope, id domain.ID, words string, once *rule.Once[domain.Call]) (*domain.Call, error) {
	check := rule.First(required("text", strings.TrimSpace(words)), rule.Text("text", words, rule.MaxText))
	return s.control(ctx, in, id, once, check, func(live domain.LiveCalls) error { return live.Say(ctx, id, words) })
}

// TransferCall hands a live call over. It returns when the target is about to be
// dialed, or the far end about to be asked to.
func (s *Service) TransferCall(ctx context.Context, in domain.Scope, id domain.ID, t domain.Transfer, once *rule.Once[domain.Call]) (*domain.Call, error) {
	check := required("to", t.To)
	if t.Mode == "" {
		t.Mode = domain.TransferBridge
	}
	if check == nil {
		check = rule.OneOf("mode", string(t.Mode), string(domain.TransferBridge), string(domain.TransferRefer))
	}
	if check == nil && (t.Ring < 0 || t.Ring > maxRing) {
		check = domain.Invalid("ringSeconds", "ringSeconds must be from 0 to %d", int(maxRing.Seconds()))
	}
	return s.control(ctx, in, id, once, check, func(live domain.LiveCalls) error { return live.Transfer(ctx, id, t) })
}

// control tells a live call what to do, unless the check of that failed, and
// keeps the answer.
func (s *Service) control(ctx context.Context, in domain.Scope, id domain.ID, once *rule.Once[domain.Call], check error, do func(domain.LiveCalls) error) (*domain.Call, error) {
	call, err := rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (*domain.Call, error) {
		return st.Calls.Get(ctx, in, id)
	})
	switch {
	case err != nil:
		return nil, err
	case check != nil:
		return nil, check
	case call.State.Ended():
		return nil, domain.Errorf(domain.CodeConflict, "the call is over (%s)", call.EndReason)
	case s.live == nil:
		return nil, errElsewhere
	}
	err = do(s.live)
	if domain.CodeOf(err) == domain.CodeNotFound && call.State != domain.CallInProgress {
		err = domain.Errorf(domain.CodeConflict, "the call is not answered yet")
	} else if domain.CodeOf(err) == domain.CodeNotFound {
		err = errElsewhere
	}
	if err != nil {
		return nil, err
	}
	return rule.Effect(ctx, &s.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*domain.Call, error) {
		return st.Calls.Get(ctx, in, id)
	})
}

// errElsewhere says that a call cannot be reached from here.
var errElsewhere = domain.Errorf(domain.CodeConflict, "the call is under way, but not in this process, or it is ending just now; read it again")
