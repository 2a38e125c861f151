package service

import (
	"context"
	_ "embed" // the sample flow
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/callwright/callwright/internal/domain"
)

// SampleMethod is the analysis method of sample calls: nobody analysed them.
const SampleMethod = "sample"

//go:embed sample_flow.json
var sampleFlow []byte

// samples fills a new store's test mode with data to look at: an agent whose
// flow gets along with every simulated phone, on the sample number, contacts, and
// calls that it had over the last days. They are written as they are, so no webhook
// tells of them.
func (s *Service) samples(ctx context.Context, st *domain.Stores, made *FirstStart) error {
	graph, err := s.checkFlow(sampleFlow)
	if err != nil {
		return err
	}
	now, in := made.Workspace.CreatedAt, domain.Scope{Workspace: made.Workspace.ID, Mode: domain.Test}
	flow := &domain.Flow{
		ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Name: "Table booking (sample)", Status: domain.FlowPublished,
		Version: 1, Definition: graph, CreatedAt: now, UpdatedAt: now,
	}
	if err := st.Flows.Create(ctx, flow); err != nil {
		return err
	}
	made.Agent = &domain.Agent{
		ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, Name: "Ava (sample)", IsActive: true, Sample: true,
		Language: DefaultLanguage, FlowID: flow.ID, Record: true, MaxCallDuration: DefaultCallDuration, OptOutKey: DefaultOptOutKey,
		SystemPrompt: "You are Ava. You book tables at the Harbour Grill. Ask for the day and the number of people, and be brief.",
		Version:      1, CreatedAt: now, UpdatedAt: now,
	}
	if err := st.Agents.Create(ctx, made.Agent); err != nil {
		return err
	}
	made.Number.AgentID = made.Agent.ID
	if err := st.Numbers.Create(ctx, made.Number); err != nil {
		return err
	}
	known := make(map[string]domain.ID) // contacts by their numbers
	for i := range sampleContacts {
		c := sampleContacts[i]
		c.ID, c.WorkspaceID, c.Mode, c.Version, c.CreatedAt, c.UpdatedAt = domain.NewID(), in.Workspace, in.Mode, 1, now, now
		c.Phones = []domain.ContactPhone{{ID: domain.NewID(), Number: c.Phone, Type: "mobile", Primary: true}}
		if err := st.Contacts.Create(ctx, &c); err != nil {
			return err
		}
		known[c.Phone] = c.ID
	}
	for i := range sampleCalls {
		if err := sampleCalls[i].store(ctx, st, made, flow, known); err != nil {
			return err
		}
	}
	return nil
}

// sampleCall is one call of the sample data. "{day}" in its texts is the day
// after it, as it is spoken.
type sampleCall struct {
	ago       time.Duration // before the first start
	number    string        // of the far end
	inbound   bool
	reason    domain.EndReason
	party     int    // people of the booking, 0 for none
	talk      string // a line a turn, as in transcripts; "" was never answered
	summary   string
	sentiment string
}

// store writes the call with its attempt and its turns.
func (c *sampleCall) store(ctx context.Context, st *domain.Stores, made *FirstStart, flow *domain.Flow, known map[string]domain.ID) error {
	at := made.Workspace.CreatedAt.Add(-c.ago)
	day := at.AddDate(0, 0, 1)
	said := strings.NewReplacer("{day}", day.Format("Monday, January 2"))
	ring := 3 * time.Second
	call := &domain.Call{
		ID: domain.NewID(), WorkspaceID: made.Workspace.ID, Mode: domain.Test, Direction: domain.Outbound,
		State: domain.EndedState(c.talk != "", c.reason), EndReason: c.reason, AgentID: made.Agent.ID, FlowID: flow.ID, FlowVersion: flow.Version,
		PhoneNumberID: made.Number.ID, ContactID: known[c.number], From: made.Number.Number, To: c.number, MaxDuration: made.Agent.MaxCallDuration,
		Notes: []string{"This call is sample data: it was never placed."}, Version: 1, CreatedAt: at, DialedAt: at, EndedAt: at.Add(ring),
	}
	if c.inbound {
		call.Direction, call.From, call.To = domain.Inbound, c.number, made.Number.Number
	}
	var turns []domain.Turn
	if c.talk != "" {
		turns = sampleTurns(call.ID, said.Replace(c.talk))
		call.RingingAt, call.AnsweredAt = at.Add(time.Second), at.Add(ring)
		call.EndedAt = call.AnsweredAt.Add(time.Duration(turns[len(turns)-1].EndMs+600) * time.Millisecond)
		call.Analysis = &domain.Analysis{Summary: said.Replace(c.summary), Sentiment: c.sentiment, Method: SampleMethod}
	}
	if c.party > 0 {
		call.Captured = map[string]any{"party": c.party, "party_spoken": strconv.Itoa(c.party), "day": day.Format(time.DateOnly), "day_spoken": day.Format("Monday, January 2")}
	}
	if err := st.Calls.Create(ctx, call); err != nil {
		return err
	}
	attempt := &domain.Attempt{
		ID: domain.NewID(), WorkspaceID: call.WorkspaceID, Mode: call.Mode, CallID: call.ID, Number: c.number, TrunkID: made.Trunk.ID,
		TryNumber: 1, State: domain.AttemptEnded, EndReason: c.reason, NextAt: at, CreatedAt: at, EndedAt: call.EndedAt,
	}
	if c.inbound {
		attempt.Kind = domain.AttemptIncoming
	}
	if err := st.Attempts.Create(ctx, attempt); err != nil {
		return err
	}
	return st.Turns.Append(ctx, turns...)
}

// sampleTurns reads a talk. A character takes 55 ms to say, and half a second
// goes by between turns.
func sampleTurns(call domain.ID, talk string) []domain.Turn {
	const character, pause = 55, 500
	var turns []domain.Turn
	var clock int64
	for line := range strings.SplitSeq(strings.TrimSpace(talk), "\n") {
		who, text, _ := strings.Cut(line, ": ")
		role := domain.RoleCaller
		if who == "Agent" {
			role = domain.RoleAgent
		}
		end := clock + character*int64(utf8.RuneCountInString(text))
		turns = append(turns, domain.Turn{CallID: call, Sequence: len(turns) + 1, Role: role, Text: text, StartMs: clock, EndMs: end})
		clock = end + pause
	}
	return turns
}
