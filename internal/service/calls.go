package service

import (
	"context"
	"encoding/json"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/service/people"
	"github.com/callwright/callwright/internal/service/rule"
)

// PlaceRequest asks for one outbound call.
type PlaceRequest struct {
	AgentID       domain.ID
	PhoneNumberID domain.ID // "" takes the agent's own number; in test mode also the sample number
	To            string    // E.164; "" calls the contact's primary number
	ContactID     domain.ID // whom it is with; "" finds the contact by the number
	Record        rule.Change[bool]
	Variables     map[string]any // over the agent's
	Extra         map[string]any // members that a dialect keeps
	Callback      *Callback      // nil for none

	callback                *domain.Callback
	campaignID, recipientID domain.ID
	recipientTry            int
}

// Callback asks for the events of one call to be told to a receiver of its own.
type Callback struct {
	Field   string // as which the client sent the URL
	URL     string
	Dialect string
}

// PlaceCall accepts a call: the call, its first attempt and the answer for an
// Idempotency-Key are committed together. The call is placed by whoever claims
// the attempt.
func (s *Service) PlaceCall(ctx context.Context, in domain.Scope, req PlaceRequest, once *rule.Once[domain.Call]) (*domain.Call, error) {
	if err := rule.First(required("agentId", string(req.AgentID)), req.whom(),
		rule.Variables("variables", req.Variables), rule.Variables("extra", req.Extra)); err != nil {
		return nil, err
	}
	callback, err := s.callback(ctx, req.Callback)
	if err != nil {
		return nil, err
	}
	if err := s.takesCalls(); err != nil {
		return nil, err
	}
	req.callback = callback
	return rule.Effect(ctx, &s.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*domain.Call, error) {
		return s.place(ctx, st, in, req)
	})
}

// place stores a call and its first attempt; it is where all outbound calls come
// from.
func (s *Service) place(ctx context.Context, st *domain.Stores, in domain.Scope, req PlaceRequest) (*domain.Call, error) {
	w, err := st.Workspaces.Get(ctx, in.Workspace)
	if err != nil {
		return nil, err
	}
	agent, err := st.Agents.Get(ctx, in, req.AgentID)
	if err != nil {
		return nil, err
	}
	from, trunk, flow, err := s.equipment(ctx, st, in, agent, req.PhoneNumberID)
	if err != nil {
		return nil, err
	}
	contact, err := acquaintance(ctx, st, in, req.ContactID, req.To)
	if err != nil {
		return nil, err
	}
	if err := req.address(contact); err != nil {
		return nil, err
	}
	if err := rule.First(destination(ctx, st, trunk, req.To), people.Callable(ctx, st, in, req.To), s.affords(ctx, st, in, w, req.recipientID == "")); err != nil {
		return nil, err
	}
	call := s.newCall(in, agent, flow, from, req)
	call.KeyID, call.Callback = keyOf(ctx), req.callback
	if err := acquaint(ctx, st, in, call, contact, agent.Variables, req.Variables); err != nil {
		return nil, err
	}
	if err := st.Calls.Create(ctx, call); err != nil {
		return nil, err
	}
	if err := s.countCall(ctx, st, call); err != nil {
		return nil, err
	}
	return call, st.Attempts.Create(ctx, &domain.Attempt{
		ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, CallID: call.ID,
		Number: call.To, TrunkID: trunk.ID, TryNumber: 1, State: domain.AttemptPlanned,
		RecipientID: call.RecipientID, RecipientTry: req.recipientTry,
		NextAt: call.CreatedAt, CreatedAt: call.CreatedAt,
	})
}

// equipment is what a call of an agent needs: a number to call from, its trunk,
// and what the agent talks by (nil for its prompt).
func (s *Service) equipment(ctx context.Context, st *domain.Stores, in domain.Scope, agent *domain.Agent, number domain.ID) (
	*domain.PhoneNumber, *domain.Trunk, *domain.Flow, error) {
	from, err := s.callerNumber(ctx, st, in, agent, number)
	if err != nil {
		return nil, nil, nil, err
	}
	flow, err := s.brain(ctx, st, in, agent)
	if err != nil {
		return nil, nil, nil, err
	}
	trunk, err := trunkOf(ctx, st, in, from)
	return from, trunk, flow, err
}

// ready returns the trunk of a campaign whose agent can place a call.
func (s *Service) ready(ctx context.Context, st *domain.Stores, in domain.Scope, agent, number domain.ID) (*domain.Trunk, error) {
	a, err := st.Agents.Get(ctx, in, agent)
	if err != nil {
		return nil, err
	}
	_, trunk, _, err := s.equipment(ctx, st, in, a, number)
	return trunk, err
}

// placeFor stores the call of a campaign to one of its contacts.
func (s *Service) placeFor(ctx context.Context, st *domain.Stores, in domain.Scope, p outreach.Placing) (*domain.Call, error) {
	return s.place(ctx, st, in, PlaceRequest{
		AgentID: p.Campaign.AgentID, PhoneNumberID: p.Campaign.PhoneNumberID, To: p.Recipient.Phone, ContactID: p.Recipient.ContactID,
		Variables: rule.Merged(p.Campaign.Variables, p.Variables), campaignID: p.Campaign.ID, recipientID: p.Recipient.ID, recipientTry: p.Try,
	})
}

// callback is the receiver that a request names, with a secret of its own, which
// is told with the call.
func (s *Service) callback(ctx context.Context, req *Callback) (*domain.Callback, error) {
	if req == nil {
		return nil, nil
	}
	if err := s.receivers.Check(ctx, req.Field, req.URL); err != nil {
		return nil, err
	}
	return &domain.Callback{URL: req.URL, Dialect: req.Dialect, Secret: newHookSecret()}, nil
}

// newCall is the call that req asks for, not stored yet.
func (s *Service) newCall(in domain.Scope, agent *domain.Agent, flow *domain.Flow, from *domain.PhoneNumber, req PlaceRequest) *domain.Call {
	call := &domain.Call{
		ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode,
		Direction: domain.Outbound, State: domain.CallQueued,
		AgentID: agent.ID, PhoneNumberID: from.ID, From: from.Number, To: req.To,
		CampaignID: req.campaignID, RecipientID: req.recipientID,
		Record: agent.Record, MaxDuration: agent.MaxCallDuration,
		Extra: req.Extra, Version: 1, CreatedAt: s.Clock(),
	}
	rule.Set(&call.Record, req.Record)
	if call.MaxDuration <= 0 {
		call.MaxDuration = DefaultCallDuration
	}
	pin(call, flow)
	return call
}

// pin makes a call talk by the present version of a flow, nil for none, and as
// long as the flow says, if it does.
func pin(call *domain.Call, flow *domain.Flow) {
	if flow == nil {
		return
	}
	call.FlowID, call.FlowVersion = flow.ID, flow.Version
	var graph struct {
		Settings struct{ MaxCallSeconds int64 }
	}
	if json.Unmarshal(flow.Definition, &graph) != nil {
		return // the engine, which reads all of it, says what is wrong
	}
	if limit := time.Duration(graph.Settings.MaxCallSeconds) * time.Second; limit > 0 {
		call.MaxDuration = limit
	}
}

// brain returns the published flow that the agent talks by, or nil when its
// prompt does; an agent that can do neither is CodeInvalid.
func (s *Service) brain(ctx context.Context, st *domain.Stores, in domain.Scope, agent *domain.Agent) (*domain.Flow, error) {
	if !agent.IsActive {
		return nil, domain.Invalid("agentId", "%s is not active; set isActive to true first", rule.Label("agent", agent.Name, agent.ID)).
			For(domain.ReasonAgentInactive, "")
	}
	if agent.FlowID != "" {
		flow, err := st.Flows.Get(ctx, in, agent.FlowID)
		switch {
		case err == nil && flow.Status == domain.FlowPublished:
			return flow, nil
		case err != nil && domain.CodeOf(err) != domain.CodeNotFound:
			return nil, err
		}
	}
	switch {
	case agent.SystemPrompt != "" && s.hasLLM(in.Mode):
		return nil, nil
	case agent.SystemPrompt != "":
		return nil, domain.Invalid("agentId",
			"%s talks by its systemPrompt, and no language model is configured; configure one, or give the agent a published flow",
			rule.Label("agent", agent.Name, agent.ID)).For(domain.ReasonNoModel, "")
	case agent.FlowID != "":
		return nil, domain.Invalid("agentId", "the flow of %s is not published; set the flow's status to published first",
			rule.Label("agent", agent.Name, agent.ID)).For(domain.ReasonNoFlow, "")
	}
	return nil, domain.Invalid("agentId", "%s has neither a systemPrompt nor a flow", rule.Label("agent", agent.Name, agent.ID)).
		For(domain.ReasonNoFlow, "")
}

// callerNumber returns the number that the call goes out from.
func (s *Service) callerNumber(ctx context.Context, st *domain.Stores, in domain.Scope, agent *domain.Agent, explicit domain.ID) (*domain.PhoneNumber, error) {
	if explicit != "" {
		return st.Numbers.Get(ctx, in, explicit)
	}
	own, err := agentNumber(ctx, st, in, agent.ID)
	if own != nil || err != nil {
		return own, err
	}
	if in.Mode == domain.Test {
		sample, err := st.Numbers.ByNumber(ctx, in, SampleNumber)
		if domain.CodeOf(err) != domain.CodeNotFound {
			return sample, err
		}
	}
	return nil, domain.Invalid("phoneNumberId",
		"phoneNumberId is required: %s has no phone number of its own to call from", rule.Label("agent", agent.Name, agent.ID)).
		For(domain.ReasonNoPhoneNumber, "")
}

// agentNumber returns the oldest number that belongs to an agent, or nil.
func agentNumber(ctx context.Context, st *domain.Stores, in domain.Scope, agent domain.ID) (*domain.PhoneNumber, error) {
	var own *domain.PhoneNumber
	err := rule.Scan(ctx, st.Numbers, in, numberID, func(n *domain.PhoneNumber) error {
		if n.AgentID == agent {
			found := *n
			own = &found
		}
		return nil
	})
	return own, err
}

// trunkOf returns the trunk that a number's calls go over.
func trunkOf(ctx context.Context, st *domain.Stores, in domain.Scope, from *domain.PhoneNumber) (*domain.Trunk, error) {
	if from.TrunkID == "" {
		return nil, domain.Invalid("phoneNumberId", "the phone number %s has no trunk; set its trunkId first", from.Number).
			For(domain.ReasonNoTrunk, "")
	}
	trunk, err := st.Trunks.Get(ctx, in, from.TrunkID)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return nil, domain.Invalid("phoneNumberId", "the trunk of the phone number %s is gone; set its trunkId to another", from.Number).
			For(domain.ReasonNoTrunk, "")
	}
	return trunk, err
}

// destination refuses numbers that a call must never reach. The simulated phones
// have no such numbers.
func destination(ctx context.Context, st *domain.Stores, trunk *domain.Trunk, to string) error {
	if trunk.Carrier == domain.CarrierSandbox {
		return nil
	}
	return outreach.Reachable(ctx, st, domain.Scope{Workspace: trunk.WorkspaceID, Mode: trunk.Mode}, to)
}

func required(field, value string) error {
	if value == "" {
		return domain.Invalid(field, "%s is required", field)
	}
	return nil
}

// CallDetail is a call with all that is known of it.
type CallDetail struct {
	domain.Call
	Turns    []domain.Turn
	Attempts []domain.Attempt
}

// Call returns one call in detail.
func (s *Service) Call(ctx context.Context, in domain.Scope, id domain.ID) (*CallDetail, error) {
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (*CallDetail, error) {
		call, err := st.Calls.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		detail := &CallDetail{Call: *call}
		if detail.Turns, err = st.Turns.ByCall(ctx, id); err != nil {
			return nil, err
		}
		detail.Attempts, err = st.Attempts.ByCall(ctx, id)
		return detail, err
	})
}

// Calls returns a page of calls, newest first, and the number of all that the
// filter lets through.
func (s *Service) Calls(ctx context.Context, in domain.Scope, f domain.CallFilter, page domain.Page) ([]domain.Call, int, error) {
	var total int
	rows, err := rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) ([]domain.Call, error) {
		rows, n, err := st.Calls.List(ctx, in, f, page)
		total = n
		return rows, err
	})
	return rows, total, err
}
