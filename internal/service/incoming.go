package service

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/phone"
	"github.com/callwright/callwright/internal/service/rule"
)

// Anonymous stands for the number of a caller who does not show one.
const Anonymous = "anonymous"

// Incoming is a call that waits to be answered.
type Incoming struct {
	Trunks    []domain.Trunk // over which it may have come, the likeliest first
	Called    []string       // what the caller may have dialed, as it came, the likeliest first
	Caller    string         // as it came; "" when the caller does not show it
	SIPCallID string
	Epoch     domain.ID // the process run that has it
}

// Callee finds the workspace's own number that an incoming call is for, and the
// trunk that it came over. CodeNotFound when no trunk's workspace has it.
func (s *Service) Callee(ctx context.Context, in Incoming) (*domain.PhoneNumber, *domain.Trunk, error) {
	type found struct {
		number *domain.PhoneNumber
		trunk  domain.Trunk
	}
	f, err := rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (*found, error) {
		var seen []domain.Scope
		for _, t := range in.Trunks {
			scope := domain.Scope{Workspace: t.WorkspaceID, Mode: t.Mode}
			if slices.Contains(seen, scope) {
				continue
			}
			seen = append(seen, scope)
			n, err := dialed(ctx, st, scope, in.Called)
			if err != nil {
				return nil, err
			}
			if n != nil {
				return &found{n, cameOver(in.Trunks, scope, n)}, nil
			}
		}
		return nil, domain.Errorf(domain.CodeNotFound, "none of the numbers that were dialed belongs to a workspace that this trunk is of")
	})
	if err != nil {
		return nil, nil, err
	}
	return f.number, &f.trunk, nil
}

// cameOver chooses among the trunks of a scope: the number's own, else the first.
func cameOver(trunks []domain.Trunk, scope domain.Scope, n *domain.PhoneNumber) domain.Trunk {
	own := slices.IndexFunc(trunks, func(t domain.Trunk) bool { return t.ID == n.TrunkID })
	if own < 0 {
		own = slices.IndexFunc(trunks, func(t domain.Trunk) bool { return t.WorkspaceID == scope.Workspace && t.Mode == scope.Mode })
	}
	return trunks[own]
}

// dialed finds the number of a scope that one of called stands for, or nil. A
// way of writing that fits two of its numbers stands for none.
func dialed(ctx context.Context, st *domain.Stores, in domain.Scope, called []string) (*domain.PhoneNumber, error) {
	for _, raw := range called {
		number := "+" + strings.TrimPrefix(raw, "+")
		if phone.Valid(number) != nil {
			continue
		}
		n, err := st.Numbers.ByNumber(ctx, in, number)
		if err == nil || domain.CodeOf(err) != domain.CodeNotFound {
			return n, err
		}
	}
	fits := make([]*domain.PhoneNumber, len(called))
	twice := make([]bool, len(called))
	err := rule.Scan(ctx, st.Numbers, in, numberID, func(n *domain.PhoneNumber) error {
		for i, raw := range called {
			if phone.Dials(raw, n.Number) {
				twice[i] = fits[i] != nil
				own := *n
				fits[i] = &own
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, n := range fits {
		if n != nil && !twice[i] {
			return n, nil
		}
	}
	return nil, nil
}

// Receive takes an incoming call to one of the workspace's own numbers: the call
// and its leg are stored as ringing, durably, with call.started. Errors say why
// the call is not taken: CodeNotFound, the number is gone; CodeConflict, nobody
// answers it now; CodeLimitReached, too many calls are under way;
// CodeUnavailable, the database is down or this process is stopping.
func (s *Service) Receive(ctx context.Context, in Incoming, number *domain.PhoneNumber, trunk *domain.Trunk) (*Dial, error) {
	if err := s.takesCalls(); err != nil {
		return nil, err
	}
	scope := domain.Scope{Workspace: number.WorkspaceID, Mode: number.Mode}
	var d *Dial
	err := s.Store.InTx(ctx, domain.LaneCall, func(ctx context.Context, st *domain.Stores) error {
		d = &Dial{Trunk: *trunk, Zone: time.UTC}
		// From here on until the commit nobody takes this process for dead.
		if err := st.Nodes.Hold(ctx, in.Epoch, NodeLease); err != nil {
			return domain.Unavailable(drainRetry, err, "this process may be taken for dead")
		}
		w, err := st.Workspaces.Get(ctx, scope.Workspace)
		if err != nil {
			return err
		}
		if err := roomFor(ctx, st, scope, w, trunk); err != nil {
			return err
		}
		n, err := st.Numbers.Get(ctx, scope, number.ID)
		if err != nil {
			return err
		}
		agent, flow, err := s.answerer(ctx, st, scope, w, n, d)
		if err != nil {
			return err
		}
		d.Call = *s.receivedCall(scope, in, n, agent, flow)
		if err := recognise(ctx, st, scope, &d.Call, agent); err != nil {
			return err
		}
		if err := st.Calls.Create(ctx, &d.Call); err != nil {
			return err
		}
		if err := s.countCall(ctx, st, &d.Call); err != nil {
			return err
		}
		d.Attempt = domain.Attempt{
			ID: domain.NewID(), WorkspaceID: scope.Workspace, Mode: scope.Mode, CallID: d.Call.ID, Kind: domain.AttemptIncoming,
			Number: d.Call.From, TrunkID: trunk.ID, TryNumber: 1, State: domain.AttemptRinging, Epoch: in.Epoch,
			SIPCallID: in.SIPCallID, NextAt: d.Call.CreatedAt, CreatedAt: d.Call.CreatedAt,
		}
		if err := st.Attempts.Create(ctx, &d.Attempt); err != nil {
			return err
		}
		if d.Message == "" || agent != nil {
			if err := s.cast(ctx, st, scope, d); err != nil {
				return err
			}
		}
		return s.emit(ctx, st, &d.Call, nil, domain.EventCallStarted)
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// roomFor refuses a call when the limits of calls at once are reached.
func roomFor(ctx context.Context, st *domain.Stores, in domain.Scope, w *domain.Workspace, t *domain.Trunk) error {
	if most := w.Plan.Limits().ConcurrentCalls; most != domain.Unlimited {
		if active, err := st.Calls.Active(ctx, in, most); err != nil || active >= most {
			return cmp.Or(err, error(domain.Errorf(domain.CodeLimitReached, "the plan's %d calls at once are in use", most)))
		}
	}
	return roomOn(ctx, st, t)
}

func roomOn(ctx context.Context, st *domain.Stores, t *domain.Trunk) error {
	if t.MaxCalls == 0 {
		return nil
	}
	on, err := st.Attempts.LiveOn(ctx, t.ID, t.MaxCalls)
	if err == nil && on >= t.MaxCalls {
		err = domain.Errorf(domain.CodeLimitReached, "the trunk's %d calls at once are in use", t.MaxCalls)
	}
	return err
}

// answerer returns who answers a number now, or nil when a message in d is all
// that the caller gets.
func (s *Service) answerer(ctx context.Context, st *domain.Stores, in domain.Scope, w *domain.Workspace, n *domain.PhoneNumber, d *Dial) (*domain.Agent, *domain.Flow, error) {
	id := n.AgentID
	if !n.Hours.Open(s.Clock(), phone.FirstZone(n.Hours.Timezone, w.Timezone)) {
		switch closed := n.Hours.Closed; closed.Action {
		case domain.ClosedMessage:
			d.Message = closed.Text
		case domain.ClosedAgent:
			id = closed.AgentID
		default:
			return nil, nil, domain.Errorf(domain.CodeConflict, "the number %s is called outside of its hours", n.Number)
		}
	}
	if id == "" {
		if d.Message != "" {
			return nil, nil, nil
		}
		return nil, nil, domain.Errorf(domain.CodeConflict, "the number %s has no agent", n.Number)
	}
	agent, err := st.Agents.Get(ctx, in, id)
	if err != nil {
		return nil, nil, unanswered(n, err)
	}
	if d.Message != "" {
		return agent, nil, nil
	}
	flow, err := s.brain(ctx, st, in, agent)
	return agent, flow, unanswered(n, err)
}

// unanswered says of a number whose agent cannot answer why.
func unanswered(n *domain.PhoneNumber, err error) error {
	switch domain.CodeOf(err) {
	case domain.CodeInvalid, domain.CodeNotFound:
		return domain.Errorf(domain.CodeConflict, "nobody can answer the number %s: %v", n.Number, err)
	}
	return err
}

// receivedCall is the call that came in, not stored yet.
func (s *Service) receivedCall(scope domain.Scope, in Incoming, n *domain.PhoneNumber, agent *domain.Agent, flow *domain.Flow) *domain.Call {
	now := s.Clock()
	call := &domain.Call{
		ID: domain.NewID(), WorkspaceID: scope.Workspace, Mode: scope.Mode,
		Direction: domain.Inbound, State: domain.CallRinging, PhoneNumberID: n.ID,
		From: callerShown(in.Caller, n.Number), To: n.Number, MaxDuration: DefaultCallDuration, Record: true,
		SIPCallID: in.SIPCallID, Version: 1, CreatedAt: now, DialedAt: now, RingingAt: now,
	}
	if agent != nil {
		call.AgentID, call.Record = agent.ID, agent.Record
		if agent.MaxCallDuration > 0 {
			call.MaxDuration = agent.MaxCallDuration
		}
	}
	pin(call, flow)
	return call
}

// maxCaller bounds what is kept of a caller that is no number, in characters.
const maxCaller = 64

// callerShown is the caller in E.164 when it is one number only, else what came,
// as far as it can be shown.
func callerShown(raw, called string) string {
	if number := phone.Normalize(raw, called); number != "" {
		return number
	}
	shown := make([]rune, 0, maxCaller)
	for _, r := range strings.ToValidUTF8(raw, "") {
		if len(shown) < maxCaller && unicode.IsPrint(r) {
			shown = append(shown, r)
		}
	}
	if text := strings.TrimSpace(string(shown)); text != "" && !strings.EqualFold(text, Anonymous) {
		return text
	}
	return Anonymous
}

// takesCalls refuses new calls while this process is stopping.
func (s *Service) takesCalls() error {
	if s.live != nil && s.live.Draining() {
		return domain.Unavailable(drainRetry, nil, "this server is stopping and takes no further calls; try again in a few seconds")
	}
	return nil
}

// drainRetry is when a server that is stopping is likely to be back.
const drainRetry = 10 * time.Second

// CallableTrunks returns the trunks over which calls may come in, of all
// workspaces, oldest first.
func (s *Service) CallableTrunks(ctx context.Context) ([]domain.Trunk, error) {
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) ([]domain.Trunk, error) {
		all, err := st.Trunks.All(ctx)
		return slices.DeleteFunc(all, func(t domain.Trunk) bool { return t.Carrier != domain.CarrierSIP }), err
	})
}
