package trillet

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/outreach"
)

// BatchCall is a call of a batch.
type BatchCall struct {
	JobID       domain.ID      `json:"jobId"`
	Status      string         `json:"status" enum:"waiting,active,completed,failed"`
	PhoneNumber string         `json:"phone_number"`
	StartTime   *Millis        `json:"startTime,omitempty" doc:"When the number was called."`
	EndTime     *Millis        `json:"endTime,omitempty"`
	Duration    *int64         `json:"duration,omitempty" doc:"Seconds from answer to end."`
	Error       string         `json:"error,omitempty" doc:"Why it failed."`
	Metadata    map[string]any `json:"metadata" doc:"The columns of its row."`
	CallID      *domain.ID     `json:"callId,omitempty" doc:"The last call to the number, in the history of calls."`
}

// BatchCalls is a page of the calls of a batch.
type BatchCalls struct {
	Calls      []BatchCall       `json:"calls"`
	Pagination Pagination        `json:"pagination"`
	Summary    BatchCallsSummary `json:"summary"`
}

// Pagination says which part of a list a page is.
type Pagination struct {
	Page       int  `json:"page"`
	Limit      int  `json:"limit"`
	Total      int  `json:"total" doc:"Of the filter."`
	TotalPages int  `json:"totalPages"`
	HasNext    bool `json:"hasNext"`
	HasPrev    bool `json:"hasPrev"`
}

// BatchCallsSummary counts all calls of a batch, whatever the filter.
type BatchCallsSummary struct {
	Total     int `json:"total"`
	Waiting   int `json:"waiting"`
	Active    int `json:"active"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
}

// BatchCallDetail is a call of a batch with what came of it.
type BatchCallDetail struct {
	JobID       domain.ID        `json:"jobId"`
	Status      string           `json:"status" enum:"waiting,active,completed,failed"`
	PhoneNumber string           `json:"phone_number"`
	StartTime   Millis           `json:"startTime" doc:"When the number was called."`
	EndTime     Millis           `json:"endTime"`
	Duration    *int64           `json:"duration" doc:"Seconds from answer to end."`
	Error       *string          `json:"error" doc:"Why it failed."`
	Result      *BatchCallResult `json:"result" doc:"Null before the number was called."`
	Metadata    map[string]any   `json:"metadata" doc:"The columns of its row."`
}

// BatchCallResult is what came of the last call.
type BatchCallResult struct {
	CallID     domain.ID      `json:"callId"`
	Transcript string         `json:"transcript" doc:"A line a turn."`
	Outcome    string         `json:"outcome" doc:"answered, voicemail, busy, no-answer, declined, invalid …; empty while the call is under way."`
	Metadata   map[string]any `json:"metadata" doc:"The columns of its row."`
}

// callsOnPage is how many calls of a batch are on a page when the client does not
// say, and mostOnPage at most.
const (
	callsOnPage = 20
	mostOnPage  = 100
)

func (f *face) listBatchCalls(ctx context.Context, in *struct {
	BatchByID
	Page   int    `query:"page" minimum:"0" doc:"Which page, from 1."`
	Limit  int    `query:"limit" minimum:"0" doc:"How many on a page: 20 when not sent, at most 100; more is taken as 100."`
	Status string `query:"status" doc:"all, waiting, active, completed or failed."`
}) (*object[BatchCalls], error) {
	page := Paging{Page: in.Page, Limit: min(in.Limit, mostOnPage)}.rows(callsOnPage)
	filter := domain.RecipientFilter{State: domain.RecipientState(strings.TrimPrefix(in.Status, "all"))}
	known := []domain.RecipientState{"", domain.RecipientWaiting, domain.RecipientActive, domain.RecipientCompleted, domain.RecipientFailed}
	if !slices.Contains(known, filter.State) {
		return nil, domain.Invalid("status", "status must be one of: all, waiting, active, completed, failed")
	}
	rows, c, total, err := f.rules.Contacted(ctx, wire.ScopeOf(ctx), domain.KindBatch, in.batch(), filter, page)
	if err != nil {
		return nil, batchMissing(err, in.batch())
	}
	n := c.Counts
	now, pages := page.Offset/page.Limit+1, (total+page.Limit-1)/page.Limit
	out := BatchCalls{
		Calls:      make([]BatchCall, len(rows)),
		Pagination: Pagination{Page: now, Limit: page.Limit, Total: total, TotalPages: pages, HasNext: now < pages, HasPrev: now > 1 && total > 0},
		Summary:    BatchCallsSummary{Total: n.Total(), Waiting: n.Waiting, Active: n.Active, Completed: n.Completed, Failed: n.Failed},
	}
	for i := range rows {
		out.Calls[i] = batchCall(&rows[i])
	}
	return &object[BatchCalls]{Body: out}, nil
}

// times are when the last call to a contact began and ended, as far as it is not
// one before the next.
func times(r *outreach.Contacted) (began, ended time.Time, talk *int64) {
	if r.Call == nil || r.State == domain.RecipientWaiting {
		return time.Time{}, r.EndedAt, nil
	}
	began, ended = r.Call.DialedAt, r.Call.EndedAt
	if r.Call.State.Ended() {
		talk = new(int64(r.Call.Duration() / time.Second))
	}
	return began, ended, talk
}

func batchCall(r *outreach.Contacted) BatchCall {
	out := BatchCall{
		JobID: r.ID, Status: string(r.State), PhoneNumber: r.Phone, Error: whyFailed(&r.Recipient), Metadata: columns(&r.Recipient),
		CallID: orNull(r.CallID),
	}
	began, ended, talk := times(r)
	if !began.IsZero() {
		out.StartTime = new(Millis(began))
	}
	if !ended.IsZero() {
		out.EndTime = new(Millis(ended))
	}
	out.Duration = talk
	return out
}

// columns are those of a contact's row.
func columns(r *domain.Recipient) map[string]any { return r.CallVariables() }

func (f *face) getBatchCall(ctx context.Context, in *struct {
	BatchByID
	JobID domain.ID `path:"jobId" doc:"The call's id in the batch."`
}) (*object[BatchCallDetail], error) {
	job := bare(in.JobID, "call_")
	r, err := f.rules.OneContacted(ctx, wire.ScopeOf(ctx), domain.KindBatch, in.batch(), job)
	if err != nil {
		return nil, batchMissing(err, in.batch())
	}
	began, ended, talk := times(r)
	out := BatchCallDetail{
		JobID: r.ID, Status: string(r.State), PhoneNumber: r.Phone, StartTime: Millis(began), EndTime: Millis(ended), Duration: talk,
		Error: orNull(whyFailed(&r.Recipient)), Metadata: columns(&r.Recipient),
	}
	if r.Call != nil {
		turns, err := f.rules.Call(ctx, wire.ScopeOf(ctx), r.CallID)
		if err != nil {
			return nil, err
		}
		lines := make([]string, len(turns.Turns))
		for i, t := range turns.Turns {
			lines[i] = transcriptLine(t)
		}
		out.Result = &BatchCallResult{
			CallID: r.CallID, Transcript: strings.Join(lines, "\n"), Outcome: outcome(&r.Recipient), Metadata: out.Metadata,
		}
	}
	return &object[BatchCallDetail]{Body: out}, nil
}

// outcome is how the last call ended.
func outcome(r *domain.Recipient) string {
	if r.Result == domain.ResultHuman {
		return "answered"
	}
	return string(r.Result)
}

// failures say why a contact was not reached, or not called.
var failures = map[string]string{
	string(domain.ResultBusy):        "Busy",
	string(domain.ResultNoAnswer):    "No answer",
	string(domain.ResultDeclined):    "Declined",
	string(domain.ResultBlocked):     "Blocked by the called party",
	string(domain.ResultInvalid):     "Invalid number",
	string(domain.ResultMoved):       "The number has changed",
	string(domain.ResultTrunk):       "The call could not be placed",
	string(domain.ResultCongestion):  "Network congestion",
	string(domain.ResultInterrupted): "Interrupted",
	string(domain.ResultOptOut):      "Asked not to be called again",
	string(domain.ResultDoNotCall):   "On the do-not-call list",
	string(domain.ResultDropped):     "Dropped",
	string(domain.ResultCanceled):    "Cancelled",

	domain.ReasonCancelled:             "Cancelled",
	domain.ReasonExpired:               "The batch ended before the call",
	domain.ReasonInvalidNumber:         "Invalid number",
	domain.ReasonDoNotCall:             "On the do-not-call list",
	domain.ReasonDestinationNotAllowed: "Calls to this kind of number are not allowed",
	domain.ReasonRegionNotAllowed:      "Calls to this region are not allowed",
	domain.ReasonTimezoneUnknown:       "The time zone of the number is not known",
	domain.ReasonNoConsent:             "No consent is recorded",
	domain.ReasonBudget:                "The budget is spent",
}

// whyFailed says why a contact failed, "" when it did not.
func whyFailed(r *domain.Recipient) string {
	if r.State != domain.RecipientFailed {
		return ""
	}
	if r.Why == domain.ReasonCancelled || r.Why == domain.ReasonExpired {
		return failures[r.Why]
	}
	return cmp.Or(failures[string(r.Result)], failures[r.Why], r.Why, "Failed")
}
