package trillet

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// recordsOnPage is how many calls of the history are on a page when the client
// does not say.
const recordsOnPage = 10

// Seconds is a time in an answer: Unix seconds, with a fraction where there is
// one; null for the zero time.
type Seconds time.Time

// MarshalJSON prints t.
func (t Seconds) MarshalJSON() ([]byte, error) {
	at := time.Time(t)
	if at.IsZero() {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(at.UnixMilli())/1000, 'f', -1, 64), nil
}

// Schema says number, or null.
func (Seconds) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeNumber, Nullable: true}
}

// Record is a call in the history's list.
type Record struct {
	Key             domain.ID        `json:"_id"`
	Timestamp       Seconds          `json:"timestamp" doc:"Of the request, Unix seconds."`
	CallID          domain.ID        `json:"callId"`
	RoomName        string           `json:"roomName"`
	FromPhoneNumber string           `json:"fromPhoneNumber"`
	ToPhoneNumber   string           `json:"toPhoneNumber"`
	Direction       domain.Direction `json:"direction"`
	CallType        string           `json:"callType" enum:"sip"`
	Duration        *int64           `json:"duration" doc:"Seconds from answer to end."`
	Agent           string           `json:"agent" doc:"The agent's name."`
	AgentID         *domain.ID       `json:"agentId"`
	Status          string           `json:"status" enum:"waiting,active,completed,failed"`
	EndReason       *string          `json:"endReason"`
	CallFlowID      *domain.ID       `json:"callFlowId"`
	CallFlowName    string           `json:"callFlowName"`
	BatchID         *domain.ID       `json:"batchId"`
	Cost            float64          `json:"cost"`
	RecordingURL    *string          `json:"recordingUrl" doc:"A signed link that works for at least a day."`
	Summary         string           `json:"summary"`
	AnalyzedData    map[string]any   `json:"analyzedData" doc:"What the call learned, and its sentiment."`
	Variables       map[string]any   `json:"variables"`
	Metadata        map[string]any   `json:"metadata"`
	Transcript      []Line           `json:"transcript"`
	StartTime       Seconds          `json:"startTime" doc:"Of the answer."`
	EndTime         Seconds          `json:"endTime"`
}

// Line is what one side said.
type Line struct {
	Role      string `json:"role" enum:"agent,user"`
	Content   string `json:"content"`
	StartMs   int64  `json:"startMs" doc:"Since the answer."`
	EndMs     int64  `json:"endMs"`
	Interrupt bool   `json:"interrupted"`
}

// Detail is a call of the history by itself: cost is an object here.
type Detail struct {
	Record
	WorkspaceID   domain.ID `json:"workspaceId"`
	Cost          Cost      `json:"cost"`
	FunctionCalls []any     `json:"functionCalls"`
	Notes         []string  `json:"notes" doc:"What a reader of this call should know."`
	CreatedAt     Stamp     `json:"createdAt"`
	UpdatedAt     Stamp     `json:"updatedAt"`
}

// Cost is what a call costs.
type Cost struct {
	CustomerCharge float64 `json:"customer_charge"`
}

// historysOwn are members of the history that a request for a call does not set.
var historysOwn = []string{
	"_id", "timestamp", "callId", "roomName", "fromPhoneNumber", "toPhoneNumber", "direction", "callType", "duration", "agent",
	"status", "endReason", "callFlowId", "callFlowName", "batchId", "cost", "recordingUrl", "summary", "analyzedData", "variables",
	"transcript", "startTime", "endTime", "workspaceId", "functionCalls", "notes", "createdAt", "updatedAt",
}

// states are what the dialect's status words mean.
var states = map[string][]domain.CallState{
	"": nil, "all": nil,
	"waiting": {domain.CallQueued}, "queued": {domain.CallQueued},
	"active": activeStates, "ongoing": activeStates, "in-progress": activeStates,
	"completed": {domain.CallCompleted}, "failed": {domain.CallFailed},
}

var activeStates = []domain.CallState{domain.CallDialing, domain.CallRinging, domain.CallInProgress}

func (f *face) historyRoutes(rt *wire.Router) {
	const path, one = Root + "/call-history", Root + "/call-history/{id}"
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: path, ID: "list-call-history", Scope: "calls:read", Stored: true, Summary: "List calls", Aliases: ways("/call-history")}, f.listHistory)
	wire.Handle(rt, wire.Route{Method: http.MethodGet, Path: one, ID: "get-call-history", Scope: "calls:read", Stored: true, Summary: "Get a call", Aliases: ways("/call-history/{id}")}, f.getHistory)
	wire.Handle(rt, wire.Route{
		Method: http.MethodPost, Path: path + "/export-csv", ID: "export-call-history", Scope: "calls:read",
		Summary: "Download calls as CSV", Aliases: ways("/call-history/export-csv"),
	}, f.exportHistory)
}

type historyQuery struct {
	Paging
	AgentID   domain.ID `query:"agentId"`
	PathwayID domain.ID `query:"pathwayId" doc:"The flow."`
	BatchID   domain.ID `query:"batchId"`
	Status    string    `query:"status" doc:"waiting, active (ongoing, in-progress), completed or failed."`
	Direction string    `query:"direction" doc:"inbound or outbound."`
	CallType  string    `query:"callType" doc:"sip or web."`
	Search    string    `query:"search" doc:"A call's id or room, a called number, or a part of an agent's name."`
	CallIDs   string    `query:"callIds" doc:"A JSON array of ids of calls."`
	DateRange string    `query:"dateRange" doc:"JSON: {from, to}, ISO 8601 or Unix time, included."`
}

func (f *face) listHistory(ctx context.Context, in *historyQuery) (*list[Record], error) {
	page := in.rows(recordsOnPage)
	filter, possible, err := f.filter(ctx, in)
	if err != nil {
		return nil, err
	}
	if !possible {
		return listOf[service.CallRecord, Record](ctx, page, 0, nil, nil), nil
	}
	rows, total, err := f.rules.CallRecords(ctx, wire.ScopeOf(ctx), filter, page)
	if err != nil {
		return nil, err
	}
	return listOf(ctx, page, total, rows, func(r *service.CallRecord) Record { return f.record(ctx, r) }), nil
}

// filter reads the query; false means that nothing can match.
func (f *face) filter(ctx context.Context, q *historyQuery) (filter domain.CallFilter, possible bool, err error) {
	filter = domain.CallFilter{AgentID: q.AgentID, FlowID: q.PathwayID, CampaignID: q.BatchID, Direction: domain.Direction(q.Direction)}
	var known bool
	if filter.States, known = states[q.Status]; !known {
		return filter, false, domain.Invalid("status", "status must be one of: waiting, active, completed, failed")
	}
	if q.Direction != "" && filter.Direction != domain.Outbound && filter.Direction != domain.Inbound {
		return filter, false, domain.Invalid("direction", "direction must be outbound or inbound")
	}
	if q.CallType != "" && q.CallType != "sip" && q.CallType != "web" {
		return filter, false, domain.Invalid("callType", "callType must be sip or web")
	}
	if err := q.between(&filter); err != nil {
		return filter, false, err
	}
	if q.CallIDs != "" {
		var ids []string
		if err := json.Unmarshal([]byte(q.CallIDs), &ids); err != nil || len(ids) > wire.MaxLimit {
			return filter, false, domain.Invalid("callIds", "callIds must be a JSON array of at most %d ids", wire.MaxLimit)
		}
		for _, id := range ids {
			filter.IDs = append(filter.IDs, callOf(id))
		}
		possible = len(ids) > 0
	} else {
		possible = true
	}
	if possible && q.Search != "" {
		possible, err = f.search(ctx, strings.TrimSpace(q.Search), &filter)
	}
	return filter, possible && q.CallType != "web", err
}

// search narrows the filter to a call, to a called number, or to agents; false
// means that there are none.
func (f *face) search(ctx context.Context, words string, filter *domain.CallFilter) (bool, error) {
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -().", r) {
			return -1
		}
		return r
	}, words)
	switch {
	case callOf(words).Valid():
		id := callOf(words)
		found := len(filter.IDs) == 0
		for _, listed := range filter.IDs {
			found = found || listed == id
		}
		filter.IDs = []domain.ID{id}
		return found, nil
	case len(digits) > 4 && strings.Trim(strings.TrimPrefix(digits, "+"), "0123456789") == "":
		filter.To = "+" + strings.TrimPrefix(digits, "+")
		return true, nil
	}
	var err error
	filter.Agents, err = f.rules.AgentsNamed(ctx, wire.ScopeOf(ctx), words)
	return len(filter.Agents) > 0, err
}

// between reads dateRange.
func (q *historyQuery) between(filter *domain.CallFilter) error {
	if q.DateRange == "" {
		return nil
	}
	var span struct{ From, To json.RawMessage }
	if err := json.Unmarshal([]byte(q.DateRange), &span); err != nil {
		return domain.Invalid("dateRange", `dateRange must be JSON such as {"from":"2025-02-01","to":"2025-02-28"}`)
	}
	var err error
	if filter.CreatedMin, _, err = instant("dateRange.from", span.From); err != nil {
		return err
	}
	_, filter.CreatedMax, err = instant("dateRange.to", span.To)
	return err
}

// instant reads a time as text in ISO 8601 or as Unix time, in seconds or
// milliseconds; absent, null and "" are no time.
func instant(field string, raw json.RawMessage) (start, end time.Time, err error) {
	var value any
	if len(raw) > 0 && json.Unmarshal(raw, &value) != nil {
		return start, end, domain.Invalid(field, "%s must be a date or time", field)
	}
	const milliseconds = 1e11 // as seconds, the year 5138
	switch v := value.(type) {
	case nil:
		return start, end, nil
	case string:
		if v == "" {
			return start, end, nil
		}
		return wire.ParseInstant(field, v)
	case float64:
		if v >= milliseconds {
			v /= 1000
		}
		if v >= 0 && v < milliseconds {
			start = time.UnixMilli(int64(v * 1000)).UTC()
			return start, start.Add(time.Second), nil
		}
	}
	return start, end, domain.Invalid(field, "%s must be a date or time in ISO 8601, or Unix time", field)
}

// callOf is the id of a call that is named by its id or by its room.
func callOf(name string) domain.ID {
	if i := strings.LastIndexByte(name, '-'); i >= 0 {
		name = name[i+1:]
	}
	return domain.ID(name)
}

func (f *face) getHistory(ctx context.Context, in *ByID) (*object[Open[Detail]], error) {
	r, err := f.rules.CallRecord(ctx, wire.ScopeOf(ctx), callOf(string(in.ID)))
	if err != nil {
		return nil, err
	}
	out := Detail{
		Record: f.record(ctx, r), WorkspaceID: r.WorkspaceID, FunctionCalls: []any{}, Notes: r.Notes,
		CreatedAt: Stamp(r.CreatedAt), UpdatedAt: Stamp(changed(&r.Call)),
	}
	if out.Notes == nil {
		out.Notes = []string{}
	}
	out.Cost.CustomerCharge = out.Record.Cost
	return &object[Open[Detail]]{Body: Open[Detail]{Own: out, Kept: r.Extra}}, nil
}

// changed is when something last happened to a call.
func changed(c *domain.Call) time.Time {
	last := c.CreatedAt
	for _, at := range []time.Time{c.DialedAt, c.RingingAt, c.AnsweredAt, c.EndedAt} {
		if at.After(last) {
			last = at
		}
	}
	return last
}

func (f *face) record(ctx context.Context, r *service.CallRecord) Record {
	c := &r.Call
	out := Record{
		Key: c.ID, Timestamp: Seconds(c.CreatedAt), CallID: c.ID, RoomName: roomName(c), FromPhoneNumber: c.From, ToPhoneNumber: c.To,
		Direction: c.Direction, CallType: "sip", Agent: r.AgentName, AgentID: orNull(c.AgentID), Status: statusOf(c.State),
		EndReason: orNull(string(c.EndReason)), CallFlowID: orNull(c.FlowID), CallFlowName: r.FlowName, BatchID: orNull(c.CampaignID),
		RecordingURL: f.recordingURL(ctx, c), AnalyzedData: map[string]any{}, Variables: c.Variables, Metadata: map[string]any{},
		Cost:       c.Cost.Units(),
		Transcript: make([]Line, len(r.Turns)), StartTime: Seconds(c.AnsweredAt), EndTime: Seconds(c.EndedAt),
	}
	maps.Copy(out.AnalyzedData, c.Captured)
	if a := c.Analysis; a != nil {
		out.Summary = a.Summary
		if _, taken := out.AnalyzedData["sentiment"]; !taken {
			out.AnalyzedData["sentiment"] = a.Sentiment
		}
	}
	if c.State.Ended() {
		seconds := int64(c.Duration() / time.Second)
		out.Duration = &seconds
	}
	if out.Variables == nil {
		out.Variables = map[string]any{}
	}
	if m, ok := c.Extra["metadata"].(map[string]any); ok {
		out.Metadata = m
	}
	for i, t := range r.Turns {
		out.Transcript[i] = Line{Role: "agent", Content: t.Text, StartMs: t.StartMs, EndMs: t.EndMs, Interrupt: t.Interrupted}
		if t.Role == domain.RoleCaller {
			out.Transcript[i].Role = "user"
		}
	}
	return out
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
