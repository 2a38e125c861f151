package trillet

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
	"github.com/callwright/callwright/internal/sheet"
)

// maxExport is how many calls one CSV holds at most, and exportPage how many of
// them are read at once.
const (
	maxExport  = 10_000
	exportPage = 100
)

// ExportFields say which calls a CSV holds, newest first.
type ExportFields struct {
	AgentID     wire.Opt[domain.ID] `json:"agentId,omitzero" doc:"Only calls of this agent."`
	Transcripts wire.Opt[bool]      `json:"includeTranscripts,omitzero"`
	Analysis    wire.Opt[bool]      `json:"includePostAnalysis,omitzero"`
	Limit       wire.Opt[int]       `json:"limit,omitzero" doc:"How many, at most and by default 10000."`
}

var exportColumns = []sheet.Column{
	{Name: "Call ID"}, {Name: "Record ID"}, {Name: "From Phone Number", Kind: sheet.Phone}, {Name: "To Phone Number", Kind: sheet.Phone},
	{Name: "Direction"}, {Name: "Status"}, {Name: "Duration (s)", Kind: sheet.Number}, {Name: "Start Time (UTC)", Kind: sheet.Time},
	{Name: "End Time (UTC)", Kind: sheet.Time}, {Name: "Agent Name"}, {Name: "Call Flow Name"}, {Name: "Cost", Kind: sheet.Number},
	{Name: "Summary"}, {Name: "Recording Link"},
}

// export is a CSV that is being asked for.
type export struct {
	filter                domain.CallFilter
	transcripts, analysis bool
	left                  int
}

func (f *face) exportHistory(ctx context.Context, in *struct{ Body wire.Loose[ExportFields] }) (*huma.StreamResponse, error) {
	b := &in.Body.Value
	e := export{filter: domain.CallFilter{AgentID: b.AgentID.Value}, transcripts: b.Transcripts.Value, analysis: b.Analysis.Value, left: maxExport}
	if b.Limit.Sent && !b.Limit.Null {
		if b.Limit.Value < 0 {
			return nil, domain.Invalid("limit", "limit must not be negative")
		}
		e.left = min(b.Limit.Value, maxExport)
	}
	// The first page is read before the answer begins: what is wrong can be said.
	rows, err := f.exportRows(ctx, &e, "")
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "text/csv; charset=utf-8")
		hc.SetHeader("Content-Disposition", `attachment; filename="call-history.csv"`)
		if err := f.export(ctx, hc.BodyWriter(), &e, rows); err != nil {
			f.log.ErrorContext(ctx, "an export broke off", "request", wire.RequestOf(ctx).ID, "error", err)
			cut(hc)
		}
	}}, nil
}

// exportRows reads the next calls, after the one named.
func (f *face) exportRows(ctx context.Context, e *export, after domain.ID) ([]service.CallRecord, error) {
	if e.left == 0 {
		return nil, nil
	}
	page := domain.Page{Limit: min(exportPage, e.left), After: after}
	rows, _, err := f.rules.CallRecords(ctx, wire.ScopeOf(ctx), e.filter, page)
	e.left -= len(rows)
	return rows, err
}

// cut ends the connection, so that a client sees that an answer which has begun
// did not come to its end.
func cut(hc huma.Context) {
	_, w := humago.Unwrap(hc)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Unix(1, 0)) // a connection that cannot be cut is gone
}

// export writes rows and those that follow.
func (f *face) export(ctx context.Context, w io.Writer, e *export, rows []service.CallRecord) error {
	columns := slices.Clone(exportColumns)
	if e.analysis {
		columns = append(columns, sheet.Column{Name: "Analyzed Data (JSON)"})
	}
	if e.transcripts {
		columns = append(columns, sheet.Column{Name: "Transcript(s)"})
	}
	out := sheet.NewWriter(w, columns)
	for len(rows) > 0 {
		for i := range rows {
			if err := out.Write(f.exportLine(ctx, e, &rows[i])); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
		if len(rows) < exportPage {
			break
		}
		var err error
		if rows, err = f.exportRows(ctx, e, rows[len(rows)-1].ID); err != nil {
			return err
		}
	}
	return out.Flush()
}

func (f *face) exportLine(ctx context.Context, e *export, r *service.CallRecord) []string {
	rec := f.record(ctx, r)
	line := []string{
		string(rec.CallID), string(rec.Key), rec.FromPhoneNumber, rec.ToPhoneNumber, string(rec.Direction), rec.Status,
		strconv.FormatInt(int64(r.Duration()/time.Second), 10), exportTime(r.AnsweredAt), exportTime(r.EndedAt),
		rec.Agent, rec.CallFlowName, strconv.FormatFloat(rec.Cost, 'f', -1, 64), rec.Summary, "",
	}
	if rec.RecordingURL != nil {
		line[len(line)-1] = *rec.RecordingURL
	}
	if e.analysis {
		raw, err := json.Marshal(rec.AnalyzedData)
		if err != nil {
			raw = nil // values that came from JSON can be written as JSON
		}
		line = append(line, string(raw))
	}
	if e.transcripts {
		said := make([]string, len(r.Turns))
		for i, t := range r.Turns {
			said[i] = transcriptLine(t)
		}
		line = append(line, strings.Join(said, "\n"))
	}
	return line
}

func exportTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateTime)
}
