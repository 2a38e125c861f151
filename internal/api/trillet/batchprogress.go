package trillet

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/outreach"
)

// Millis is a time in an answer: Unix milliseconds, null for the zero time.
type Millis time.Time

// MarshalJSON prints t.
func (t Millis) MarshalJSON() ([]byte, error) {
	at := time.Time(t)
	if at.IsZero() {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, at.UnixMilli(), 10), nil
}

// Schema says integer, or null.
func (Millis) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeInteger, Nullable: true}
}

// Batch is a batch and how far it is.
type Batch struct {
	ID          domain.ID     `json:"id"`
	Status      string        `json:"status" enum:"queued,processing,completed,cancelled,failed"`
	IsComplete  bool          `json:"isComplete" doc:"No call of it waits or is under way any more."`
	TotalCalls  int           `json:"totalCalls"`
	Progress    BatchProgress `json:"progress"`
	Timestamp   Millis        `json:"timestamp" doc:"Of the request for it."`
	Name        string        `json:"name" doc:"Of its file."`
	AgentID     domain.ID     `json:"agentId"`
	ScheduledAt Millis        `json:"scheduledAt" doc:"Nobody is called before."`
}

// BatchStatus is how far a batch is.
type BatchStatus struct {
	Status     string `json:"status" enum:"queued,processing,completed,cancelled,failed"`
	IsComplete bool   `json:"isComplete" doc:"No call of it waits or is under way any more."`
	BatchProgress
}

// BatchProgress counts the calls of a batch: the four states add up to the total at
// every moment.
type BatchProgress struct {
	Waiting         int          `json:"waiting"`
	Active          int          `json:"active"`
	Completed       int          `json:"completed"`
	Failed          int          `json:"failed"`
	Total           int          `json:"total"`
	StartTime       Millis       `json:"startTime" doc:"When the first number was called."`
	LastCompleted   Millis       `json:"lastCompletedTime" doc:"When the last call ended."`
	CompletedTime   Millis       `json:"completedTime" doc:"When the batch was over."`
	AverageDuration int64        `json:"averageCallDuration" doc:"Seconds of talk in a completed call."`
	Recent          []RecentCall `json:"recent_calls" doc:"Those that were finished last, at most ten, the last one first."`
}

// RecentCall is a call that was finished lately.
type RecentCall struct {
	JobID       domain.ID `json:"jobId"`
	Status      string    `json:"status" enum:"completed,failed"`
	PhoneNumber string    `json:"phone_number"`
	CompletedAt *Millis   `json:"completedAt,omitempty" doc:"Of one that is completed."`
	Duration    *int64    `json:"duration,omitempty" doc:"Seconds from answer to end."`
	FailedAt    *Millis   `json:"failedAt,omitempty" doc:"Of one that failed."`
	Error       string    `json:"error,omitempty" doc:"Why it failed."`
}

func (f *face) getBatch(ctx context.Context, in *BatchByID) (*object[Batch], error) {
	c, last, err := f.rules.CampaignProgress(ctx, wire.ScopeOf(ctx), domain.KindBatch, in.batch())
	if err != nil {
		return nil, batchMissing(err, in.batch())
	}
	return batchObject(c, Batch{
		ID: c.ID, Status: batchStatus(c), IsComplete: batchOver(c), TotalCalls: c.Counts.Total(), Progress: batchProgress(c, last),
		Timestamp: Millis(c.CreatedAt), Name: c.Name, AgentID: c.AgentID, ScheduledAt: Millis(c.StartAt),
	})
}

func (f *face) getBatchProgress(ctx context.Context, in *BatchByID) (*object[BatchStatus], error) {
	c, last, err := f.rules.CampaignProgress(ctx, wire.ScopeOf(ctx), domain.KindBatch, in.batch())
	if err != nil {
		return nil, batchMissing(err, in.batch())
	}
	return batchObject(c, BatchStatus{Status: batchStatus(c), IsComplete: batchOver(c), BatchProgress: batchProgress(c, last)})
}

// batchObject is a batch with its version: its calls change what is shown of it.
func batchObject[T any](c *outreach.CampaignDetail, body T) (*object[T], error) {
	raw, err := wire.Canonical(body)
	if err != nil {
		return nil, err
	}
	return &object[T]{ETag: wire.ETagOf(c.Version, string(raw)), Body: body}, nil
}

// hopeless are the reasons for which a batch that paused by itself does not go on
// unless somebody puts them right.
var hopeless = []string{
	domain.ReasonAgentInactive, domain.ReasonNoPhoneNumber, domain.ReasonNoFlow, domain.ReasonNoTrunk, domain.ReasonNoModel,
	string(domain.CodeNotFound), string(domain.CodeInvalid),
}

// batchStatus is the dialect's word for where a batch stands: queued until the first
// call was planned, failed when no call can be placed at all.
func batchStatus(c *outreach.CampaignDetail) string {
	switch {
	case c.State == domain.CampaignCancelled:
		return "cancelled"
	case c.State == domain.CampaignCompleted:
		return "completed"
	case c.State == domain.CampaignPaused && slices.Contains(hopeless, c.PauseReason):
		return "failed"
	case c.StartedAt.IsZero():
		return "queued"
	}
	return "processing"
}

func batchOver(c *outreach.CampaignDetail) bool {
	return c.State.Ended() && c.Counts.Waiting+c.Counts.Active == 0 || batchStatus(c) == "failed" && c.Counts.Active == 0
}

func batchProgress(c *outreach.CampaignDetail, last []outreach.Contacted) BatchProgress {
	n := &c.Counts
	out := BatchProgress{
		Waiting: n.Waiting, Active: n.Active, Completed: n.Completed, Failed: n.Failed, Total: n.Total(),
		StartTime: Millis(c.StartedAt), LastCompleted: Millis(n.LastAt), CompletedTime: Millis(c.EndedAt), Recent: make([]RecentCall, len(last)),
	}
	if n.Completed > 0 {
		out.AverageDuration = int64(n.Talk / time.Duration(n.Completed) / time.Second)
	}
	for i := range last {
		out.Recent[i] = recentCall(&last[i])
	}
	return out
}

func recentCall(r *outreach.Contacted) RecentCall {
	out := RecentCall{JobID: r.ID, Status: string(r.State), PhoneNumber: r.Phone}
	if r.State == domain.RecipientFailed {
		out.FailedAt, out.Error = new(Millis(r.EndedAt)), whyFailed(&r.Recipient)
		return out
	}
	out.CompletedAt = new(Millis(r.EndedAt))
	if r.Call != nil {
		out.Duration = new(int64(r.Call.Duration() / time.Second))
	}
	return out
}
