package klen

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// CallItem is a call in a list. What is not known yet is null.
type CallItem struct {
	ID              domain.ID        `json:"id"`
	AgentID         *domain.ID       `json:"agent_id"`
	AgentName       *string          `json:"agent_name" doc:"null when the agent is gone."`
	Status          string           `json:"status" enum:"queued,in-progress,completed,failed"`
	Type            domain.Direction `json:"type" enum:"outbound,inbound"`
	PhoneNumber     string           `json:"phone_number" doc:"Of the far end."`
	StartedAt       wire.Instant     `json:"started_at" doc:"When it was dialed, or came in."`
	EndedAt         wire.Instant     `json:"ended_at"`
	DurationSeconds *int64           `json:"duration_seconds" doc:"From answer to end."`
	Summary         *string          `json:"summary"`
	RecordingURL    *string          `json:"recording_url" doc:"A signed link that works for at least a day."`
	Contact         *CallContact     `json:"contact" doc:"Whom the call is with; null when nobody is known."`
}

// CallContact is the contact of a call.
type CallContact struct {
	ID      domain.ID `json:"id"`
	Name    string    `json:"name"`
	Email   *string   `json:"email"`
	Company *string   `json:"company"`
}

// CallAgent is the agent of a call.
type CallAgent struct {
	ID          domain.ID `json:"id"`
	Name        *string   `json:"name" doc:"null when the agent is gone."`
	AssistantID domain.ID `json:"assistant_id" doc:"The same as id."`
}

// Call is a call by itself.
type Call struct {
	ID              domain.ID        `json:"id"`
	CallID          domain.ID        `json:"call_id" doc:"The same as id."`
	Agent           *CallAgent       `json:"agent"`
	Status          string           `json:"status" enum:"queued,in-progress,completed,failed"`
	Type            domain.Direction `json:"type" enum:"outbound,inbound"`
	PhoneNumber     string           `json:"phone_number" doc:"Of the far end."`
	StartedAt       wire.Instant     `json:"started_at" doc:"When it was dialed, or came in."`
	EndedAt         wire.Instant     `json:"ended_at"`
	DurationSeconds *int64           `json:"duration_seconds" doc:"From answer to end."`
	Summary         *string          `json:"summary"`
	Transcript      string           `json:"transcript" doc:"One line a turn, with its speaker."`
	RecordingURL    *string          `json:"recording_url" doc:"A signed link that works for at least a day."`
	Contact         *CallContact     `json:"contact" doc:"Whom the call is with; null when nobody is known."`
	Sentiment       *string          `json:"sentiment"`
	FailureReason   *string          `json:"failure_reason" doc:"Of a failed call."`
	EndReason       *string          `json:"end_reason" doc:"The engine's own word for why the call is over."`
	Variables       map[string]any   `json:"variables" doc:"The context variables, and over them what the call learned."`
	CreatedAt       wire.Instant     `json:"created_at"`
}

// PlacedCall is the answer to a request for a call.
type PlacedCall struct {
	ID             domain.ID        `json:"id"`
	CallID         domain.ID        `json:"call_id" doc:"The same as id."`
	Status         string           `json:"status"`
	Type           domain.Direction `json:"type"`
	PhoneNumber    string           `json:"phone_number"`
	Agent          CallAgent        `json:"agent"`
	CreatedAt      wire.Instant     `json:"created_at"`
	EstimatedStart wire.Instant     `json:"estimated_start"`
}

// Calls is a page of calls.
type Calls struct {
	Pages
	Calls      []CallItem `json:"calls"`
	NextCursor *domain.ID `json:"next_cursor" doc:"after_id of the next request; null at the end."`
}

// PlaceFields ask for a call.
type PlaceFields struct {
	PhoneNumber wire.Opt[string]         `json:"phone_number,omitzero" doc:"Required; E.164, such as +15551234567."`
	AgentID     wire.Opt[AnyID]          `json:"agent_id,omitzero" doc:"Required."`
	ContactID   wire.Opt[AnyID]          `json:"contact_id,omitzero" doc:"Whom the call is with; the contact with the number when not sent."`
	Variables   wire.Opt[map[string]any] `json:"variables,omitzero" doc:"Context variables; lists and objects arrive in {{variable_name}} as JSON."`
}

var callShape = naming(map[string]string{"to": "phone_number", "agentId": "agent_id"})

func (f *face) callRoutes(rt *wire.Router) {
	const path, one = Root + "/calls", Root + "/calls/{id}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-calls", Scope: "calls:read", Stored: true, Summary: "List calls", Shape: callShape}, f.listCalls)
	wire.Handle(rt, wire.Route{
		Method: http.MethodPost, Path: path, ID: "create-call", Scope: "calls:write", Status: http.StatusCreated, Summary: "Place a call", Shape: callShape,
	}, f.createCall)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-call", Scope: "calls:read", Stored: true, Summary: "Get a call", Shape: callShape}, f.getCall)
}

type callQuery struct {
	Paging
	AgentID domain.ID `query:"agent_id"`
	Status  string    `query:"status" doc:"queued, in-progress, completed or failed."`
	Type    string    `query:"type" doc:"inbound or outbound."`
}

// states are those of each status word.
var states = map[string][]domain.CallState{
	"queued":      {domain.CallQueued, domain.CallDialing, domain.CallRinging},
	"in-progress": {domain.CallInProgress},
	"completed":   {domain.CallCompleted},
	"failed":      {domain.CallFailed},
}

func (q *callQuery) filter() (domain.CallFilter, error) {
	filter := domain.CallFilter{AgentID: q.AgentID, Direction: domain.Direction(q.Type)}
	var known bool
	if filter.States, known = states[q.Status]; q.Status != "" && !known {
		return filter, domain.Invalid("status", "status must be one of: queued, in-progress, completed, failed")
	}
	if q.Type != "" && filter.Direction != domain.Outbound && filter.Direction != domain.Inbound {
		return filter, domain.Invalid("type", "type must be inbound or outbound")
	}
	return filter, nil
}

func (f *face) listCalls(ctx context.Context, in *callQuery) (*struct {
	PageHead
	Body Calls
}, error) {
	scope := wire.ScopeOf(ctx)
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	window, err := in.window(defaultLimit)
	if err != nil {
		return nil, err
	}
	rows, total, err := f.rules.Calls(ctx, scope, filter, window)
	if err != nil {
		return nil, err
	}
	rows, next := cut(rows, window, func(c *domain.Call) domain.ID { return c.ID })
	who, err := f.rules.Parties(ctx, scope, rows...)
	if err != nil {
		return nil, err
	}
	body := Calls{Pages: in.head(window.Limit-1, total), Calls: make([]CallItem, len(rows)), NextCursor: next}
	for i := range rows {
		body.Calls[i] = f.callItem(ctx, &rows[i], who)
	}
	return &struct {
		PageHead
		Body Calls
	}{in.headers(ctx, body.Pages, next), body}, nil
}

func (f *face) createCall(ctx context.Context, in *struct{ Body wire.Loose[PlaceFields] }) (*struct{ Body PlacedCall }, error) {
	b, scope := &in.Body.Value, wire.ScopeOf(ctx)
	switch {
	case b.PhoneNumber.Value == "":
		return nil, domain.Invalid("phone_number", "phone_number is required").For(missingPhoneNumber, "")
	case b.AgentID.Value == "":
		return nil, domain.Invalid("agent_id", "agent_id is required").For(missingAgentID, "")
	}
	a, err := f.rules.Agent(ctx, scope, domain.ID(b.AgentID.Value))
	if err != nil {
		return nil, err
	}
	render := func(c *domain.Call) any { return placed(c, a) }
	c, err := f.rules.PlaceCall(ctx, scope, service.PlaceRequest{
		AgentID: a.ID, To: b.PhoneNumber.Value, ContactID: domain.ID(b.ContactID.Value), Variables: b.Variables.Value,
	}, wire.Once(ctx, http.StatusCreated, render))
	if err != nil {
		return nil, err
	}
	return &struct{ Body PlacedCall }{placed(c, a)}, nil
}

func placed(c *domain.Call, a *domain.Agent) PlacedCall {
	return PlacedCall{
		ID: c.ID, CallID: c.ID, Status: status(c.State), Type: c.Direction, PhoneNumber: far(c),
		Agent:     CallAgent{ID: a.ID, Name: &a.Name, AssistantID: a.ID},
		CreatedAt: wire.Instant(c.CreatedAt), EstimatedStart: wire.Instant(c.CreatedAt),
	}
}

func (f *face) getCall(ctx context.Context, in *struct {
	ID domain.ID `path:"id" doc:"The call's id."`
}) (*struct{ Body Call }, error) {
	scope := wire.ScopeOf(ctx)
	c, err := f.rules.Call(ctx, scope, in.ID)
	if err != nil {
		return nil, err
	}
	who, err := f.rules.Parties(ctx, scope, c.Call)
	if err != nil {
		return nil, err
	}
	return &struct{ Body Call }{f.call(ctx, c, who)}, nil
}

// callItem renders a call, which is of one of who.
func (f *face) callItem(ctx context.Context, c *domain.Call, who service.Parties) CallItem {
	item := CallItem{
		ID: c.ID, AgentID: orNull(c.AgentID), Status: status(c.State), Type: c.Direction, PhoneNumber: far(c),
		StartedAt: wire.Instant(began(c)), EndedAt: wire.Instant(c.EndedAt), DurationSeconds: seconds(c),
		RecordingURL: f.recordingURL(ctx, c), Contact: callContact(who.Contacts[c.ContactID]),
	}
	if a := who.Agents[c.AgentID]; a != nil {
		item.AgentName = &a.Name
	}
	if c.Analysis != nil {
		item.Summary = orNull(c.Analysis.Summary)
	}
	return item
}

func (f *face) call(ctx context.Context, c *service.CallDetail, who service.Parties) Call {
	item := f.callItem(ctx, &c.Call, who)
	out := Call{
		ID: c.ID, CallID: c.ID, Status: item.Status, Type: item.Type, PhoneNumber: item.PhoneNumber,
		StartedAt: item.StartedAt, EndedAt: item.EndedAt, DurationSeconds: item.DurationSeconds, Summary: item.Summary,
		RecordingURL: item.RecordingURL, Contact: item.Contact, EndReason: orNull(string(c.EndReason)), Variables: variables(&c.Call), CreatedAt: wire.Instant(c.CreatedAt),
	}
	if c.AgentID != "" {
		out.Agent = &CallAgent{ID: c.AgentID, Name: item.AgentName, AssistantID: c.AgentID}
	}
	lines := make([]string, len(c.Turns))
	for i := range c.Turns {
		lines[i] = line(&c.Turns[i])
	}
	out.Transcript = strings.Join(lines, "\n")
	if c.Analysis != nil {
		out.Sentiment = orNull(c.Analysis.Sentiment)
	}
	if c.State == domain.CallFailed {
		out.FailureReason = orNull(failure(c.EndReason))
	}
	return out
}

// callContact renders the contact of a call, nil for none.
func callContact(c *domain.Contact) *CallContact {
	if c == nil {
		return nil
	}
	return &CallContact{ID: c.ID, Name: c.FullName(), Email: orNull(c.Email), Company: orNull(c.Company)}
}

// recordingURL is the link to a call's recording as the client reaches us, or
// nil.
func (f *face) recordingURL(ctx context.Context, c *domain.Call) *string {
	link := f.rules.RecordingURL(c)
	if strings.HasPrefix(link, "/") {
		link = wire.RequestOf(ctx).PublicURL + link
	}
	return orNull(link)
}

// status is the dialect's word for a state.
func status(s domain.CallState) string {
	switch s {
	case domain.CallInProgress:
		return "in-progress"
	case domain.CallCompleted:
		return "completed"
	case domain.CallFailed:
		return "failed"
	}
	return "queued"
}

// far is the number at the far end.
func far(c *domain.Call) string {
	if c.Direction == domain.Inbound {
		return c.From
	}
	return c.To
}

// began is when a call was dialed, or came in; zero for one that waits.
func began(c *domain.Call) time.Time {
	switch {
	case !c.DialedAt.IsZero():
		return c.DialedAt
	case c.Direction == domain.Inbound:
		return c.CreatedAt
	}
	return time.Time{}
}

// seconds is how long a call took that is over.
func seconds(c *domain.Call) *int64 {
	if !c.State.Ended() {
		return nil
	}
	n := int64(c.Duration() / time.Second)
	return &n
}

// line is a turn in a transcript.
func line(t *domain.Turn) string {
	if t.Role == domain.RoleAgent {
		return "Agent: " + t.Text
	}
	return "Caller: " + t.Text
}

// variables is what a call was given and what it learned, in one object.
func variables(c *domain.Call) map[string]any {
	all := make(map[string]any, len(c.Variables)+len(c.Captured))
	for name, value := range c.Variables {
		all[name] = value
	}
	for name, value := range c.Captured {
		all[name] = value
	}
	return all
}

// failures are the dialect's words for why a call failed.
var failures = map[domain.EndReason]string{
	domain.EndBusy:           "busy",
	domain.EndNoAnswer:       "no-answer",
	domain.EndInvalidNumber:  "invalid-number",
	domain.EndDeclined:       "rejected",
	domain.EndBlocked:        "rejected",
	domain.EndDoNotCall:      "rejected",
	domain.EndCanceled:       "canceled",
	domain.EndInterrupted:    "disconnected",
	domain.EndUnreachable:    "twilio-failed-to-connect-call",
	domain.EndTrunkError:     "twilio-failed-to-connect-call",
	domain.EndCongestion:     "twilio-failed-to-connect-call",
	domain.EndMoved:          "invalid-number",
	domain.EndMediaNotAgreed: "twilio-failed-to-connect-call",
}

// failure is the dialect's word for why a call failed.
func failure(r domain.EndReason) string {
	if word, ok := failures[r]; ok {
		return word
	}
	return "failed"
}
