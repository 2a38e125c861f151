package trillet

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/outreach"
)

// maxSheet is how many bytes a file of contacts may have here.
const maxSheet = 20 << 20

// BatchPlaced is the answer to a batch that was accepted.
type BatchPlaced struct {
	BatchID    domain.ID  `json:"batchId"`
	TotalCalls int        `json:"totalCalls" doc:"The numbers that are called, each once."`
	Status     string     `json:"status" enum:"queued"`
	Message    string     `json:"message"`
	Invalid    int        `json:"invalidRows" doc:"Rows that are not called."`
	Duplicates int        `json:"duplicateRows" doc:"Rows whose number an earlier row has."`
	Errors     []RowFault `json:"errors" doc:"What is wrong with the invalid rows: the first 1000."`
}

// CallbackConfig is smartCallbackConfig: how often those are tried who are not
// reached.
type CallbackConfig struct {
	Enabled     wire.Opt[bool]          `json:"enabled,omitzero"`
	MaxAttempts wire.Opt[int]           `json:"maxAttempts,omitzero"`
	Gaps        wire.Opt[[]CallbackGap] `json:"gaps,omitzero"`
}

// CallbackGap is how long to wait between two tries.
type CallbackGap struct {
	Days  wire.Opt[float64] `json:"days,omitzero"`
	Hours wire.Opt[float64] `json:"hours,omitzero"`
}

// usualTries is how often a contact is tried with a callback that does not say.
const usualTries = 5

// batchRoot is where the documents have batch calls.
const batchRoot = "/v1/api/batch-calls"

func batchRoute(method, path, id, summary string) wire.Route {
	right := "read"
	if method == http.MethodDelete || method == http.MethodPost && path == "" {
		right = "write"
	}
	path = strings.TrimSuffix(path, "/")
	return wire.Route{
		Method: method, Path: batchRoot + path, ID: id, Summary: summary, Scope: "batches:" + right, Shape: BatchShape,
		Aliases: []string{Root + "/batch-calls" + path, "/v2/api/batch-calls" + path, "/v1/batch-calls" + path},
	}
}

func (f *face) batchRoutes(rt *wire.Router) {
	f.sheetRoutes(rt)
	start := batchRoute(http.MethodPost, "", "start-batch", "Call the numbers of a CSV file")
	start.Form = &wire.Form{MaxFile: maxSheet, Fields: []wire.FormField{
		{Name: "agentId", Doc: "Who talks.", Required: true},
		{Name: "scheduledAt", Doc: "Nobody is called before: ISO 8601, in UTC when it names no zone. At once when not sent, or past."},
		{Name: "smartCallbackConfig", Doc: `JSON: {"enabled":true,"maxAttempts":3,"gaps":[{"days":0,"hours":2}]}. One try each when not sent.`},
	}}
	wire.Handle(rt, start, f.startBatch)
	wire.Handle(rt, batchRoute(http.MethodGet, "/{id}", "get-batch", "Get a batch"), f.getBatch)
	wire.Handle(rt, batchRoute(http.MethodGet, "/{id}/status", "get-batch-progress", "Get the progress of a batch"), f.getBatchProgress)
	wire.Handle(rt, batchRoute(http.MethodGet, "/{id}/calls", "list-batch-calls", "List the calls of a batch"), f.listBatchCalls)
	wire.Handle(rt, batchRoute(http.MethodGet, "/{id}/calls/{jobId}", "get-batch-call", "Get a call of a batch"), f.getBatchCall)
	wire.Handle(rt, batchRoute(http.MethodDelete, "/{id}", "cancel-batch", "Cancel a batch"), f.cancelBatch)
}

// BatchByID is the input of a route for one batch.
type BatchByID struct {
	ID domain.ID `path:"id" doc:"The batch's id."`
}

// batch is the id, which may be written batch_<id>.
func (in *BatchByID) batch() domain.ID { return bare(in.ID, "batch_") }

func (f *face) startBatch(ctx context.Context, _ *struct{}) (*object[BatchPlaced], error) {
	u := wire.UploadOf(ctx)
	file, err := u.File()
	if err != nil {
		return nil, err
	}
	req, err := batchOf(u)
	if err != nil {
		return nil, err
	}
	once := wire.Once(ctx, http.StatusOK, func(b *outreach.BatchStarted) any { return batchPlaced(b) })
	b, err := f.rules.StartBatch(ctx, wire.ScopeOf(ctx), req, file, once)
	if err != nil {
		return nil, err
	}
	return &object[BatchPlaced]{Body: batchPlaced(b)}, nil
}

func batchPlaced(b *outreach.BatchStarted) BatchPlaced {
	return BatchPlaced{
		BatchID: b.ID, TotalCalls: b.Import.Total, Status: "queued", Message: "Batch calls initiated successfully",
		Invalid: b.Import.Invalid, Duplicates: b.Import.Duplicates, Errors: rowFaults(b.Import.Errors),
	}
}

// batchOf reads what is asked of a batch beside its file.
func batchOf(u *wire.Upload) (outreach.CampaignChange, error) {
	agent := domain.ID(u.Field("agentId"))
	req := outreach.CampaignChange{Name: new(u.Base("Batch calls")), AgentID: &agent}
	if agent == "" {
		return req, domain.Invalid("agentId", "agentId is required: the agent that talks").For(domain.ReasonMissing, "")
	}
	if at := u.Field("scheduledAt"); at != "" {
		start, _, err := wire.ParseInstant("scheduledAt", at)
		if err != nil {
			return req, err
		}
		req.StartAt = &start
	}
	var err error
	req.Retry, err = callbacks(u.Field("smartCallbackConfig"))
	return req, err
}

// callbacks reads smartCallbackConfig; nil is one try.
func callbacks(text string) (*domain.Retry, error) {
	if text == "" || text == "null" {
		return nil, nil //nolint:nilnil // none was asked for, which is no error
	}
	const field = "smartCallbackConfig"
	var c wire.Loose[CallbackConfig]
	if wire.CheckJSON([]byte(text)) != nil || json.Unmarshal([]byte(text), &c) != nil {
		return nil, domain.Invalid(field, `%s must be JSON such as {"enabled":true,"maxAttempts":3,"gaps":[{"days":0,"hours":2}]}`, field)
	}
	v := &c.Value
	if v.Enabled.Sent && !v.Enabled.Value {
		return nil, nil //nolint:nilnil // it is switched off
	}
	r := &domain.Retry{MaxAttempts: usualTries}
	if n := v.MaxAttempts.Given(); n != nil {
		r.MaxAttempts = *n
	}
	if r.MaxAttempts < 1 || r.MaxAttempts > outreach.MaxTries {
		return nil, domain.Invalid(field, "%s.maxAttempts must be from 1 to %d", field, outreach.MaxTries)
	}
	for i, gap := range v.Gaps.Value {
		hours := gap.Days.Value*24 + gap.Hours.Value
		wait := time.Duration(hours * float64(time.Hour)).Round(time.Second)
		if !(hours >= 0 && hours <= outreach.MaxGapMinutes/60) || wait < time.Minute {
			return nil, domain.Invalid(field, "%s.gaps[%d] must be from one minute to 90 days", field, i)
		}
		r.Gaps = append(r.Gaps, wait)
	}
	return r, nil
}

// CancelledBatch is the answer to a cancel.
type CancelledBatch struct {
	BatchID domain.ID          `json:"batchId"`
	Status  string             `json:"status" enum:"cancelled"`
	Message string             `json:"message"`
	Details CancelledBatchCall `json:"details"`
}

// CancelledBatchCall counts the calls of a batch when it was cancelled.
type CancelledBatchCall struct {
	Completed int `json:"completedCalls"`
	Failed    int `json:"failedCalls"`
	Cancelled int `json:"cancelledCalls" doc:"Those that waited, and those under way, which go on."`
	Total     int `json:"totalCalls"`
}

func (f *face) cancelBatch(ctx context.Context, in *struct {
	BatchByID
	wire.IfMatch
}) (*object[CancelledBatch], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	c, err := f.rules.CancelBatch(ctx, wire.ScopeOf(ctx), in.batch(), version)
	if err != nil {
		return nil, batchMissing(err, in.batch())
	}
	return &object[CancelledBatch]{Body: CancelledBatch{
		BatchID: c.ID, Status: "cancelled", Message: "Batch cancelled successfully",
		Details: CancelledBatchCall{Completed: c.Completed, Failed: c.Failed, Cancelled: c.Stopped, Total: c.Counts.Total()},
	}}, nil
}
