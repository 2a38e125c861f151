package native

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/sheet"
)

// SheetReport says what came of a CSV file.
type SheetReport struct {
	Rows    int        `json:"rows" doc:"Without the header and blank lines."`
	Invalid int        `json:"invalid" doc:"Rows that are not called."`
	Faults  int        `json:"faults" doc:"Of the invalid rows; errors has the first 1000."`
	Headers []string   `json:"headers"`
	Errors  []RowFault `json:"errors"`
}

// RowFault says what is wrong with a row of a file.
type RowFault struct {
	Row    int     `json:"row" doc:"The line of the file; the header is 1."`
	Column *string `json:"column" doc:"As the header has it; null when the whole row is at fault."`
	Reason string  `json:"reason"`
	Value  string  `json:"value" doc:"The cell, at most 64 bytes of it."`
}

// SheetCheck says what would come of a CSV file.
type SheetCheck struct {
	SheetReport
	Valid      bool                `json:"valid" doc:"There are rows, and each can be called."`
	Numbers    int                 `json:"numbers" doc:"That would be called, each once."`
	Duplicates int                 `json:"duplicates" doc:"Rows whose number an earlier row has."`
	Preview    []map[string]string `json:"preview" doc:"The first ten rows as they are written."`
}

// previewed is how many rows a check shows, and maxChecked how many bytes a file
// to check may have.
const (
	previewed  = 10
	maxChecked = 100 << 20
)

func (f *face) sheetRoutes(rt *wire.Router) {
	wire.Handle(rt, wire.Route{
		Method: http.MethodGet, Path: Root + "/batches/template", ID: "get-batch-template", Scope: "batches:read", Summary: "Download a CSV file to begin with",
	}, f.sheetTemplate)
	wire.Handle(rt, wire.Route{
		Method: http.MethodPost, Path: Root + "/batches/validate", ID: "validate-batch", Scope: "batches:read", Summary: "Check a CSV file",
		Form: &wire.Form{Bare: true, MaxFile: maxChecked},
	}, f.validateSheet)
}

func (f *face) sheetTemplate(context.Context, *nothing) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "text/csv; charset=utf-8")
		hc.SetHeader("Content-Disposition", `attachment; filename="contacts.csv"`)
		_, _ = hc.BodyWriter().Write(sheet.Template()) // a client that is gone needs no answer
	}}, nil
}

func (f *face) validateSheet(ctx context.Context, _ *nothing) (*object[SheetCheck], error) {
	u := wire.UploadOf(ctx)
	if err := u.Known(); err != nil {
		return nil, err
	}
	file, err := u.File()
	if err != nil {
		return nil, err
	}
	check, err := outreach.CheckSheet(file, wire.ScopeOf(ctx).Mode, previewed)
	if err != nil {
		return nil, err
	}
	return &object[SheetCheck]{Body: SheetCheck{
		SheetReport: *sheetReport(&check.ImportReport), Valid: check.Invalid == 0 && check.Added > 0, Numbers: check.Added,
		Duplicates: check.Duplicates, Preview: check.Preview,
	}}, nil
}

// importRecipients adds the contacts of a file to a campaign.
func (f *face) importRecipients(ctx context.Context, in ByID, u *wire.Upload) (*object[AddedContacts], error) {
	if err := u.Known(); err != nil {
		return nil, err
	}
	file, err := u.File()
	if err != nil {
		return nil, err
	}
	once := wire.Once(ctx, http.StatusOK, func(r *outreach.ImportReport) any { return addedFrom(r) })
	report, err := f.rules.ImportContacts(ctx, wire.ScopeOf(ctx), in.ID, file, once)
	if err != nil {
		return nil, err
	}
	return &object[AddedContacts]{Body: addedFrom(report)}, nil
}

func addedFrom(r *outreach.ImportReport) AddedContacts {
	return AddedContacts{Added: r.Added, Duplicates: r.Duplicates, Total: r.Total, Sheet: sheetReport(r)}
}

func sheetReport(r *outreach.ImportReport) *SheetReport {
	out := &SheetReport{Rows: r.Rows, Invalid: r.Invalid, Faults: r.Faults, Headers: r.Headers, Errors: make([]RowFault, len(r.Errors))}
	for i, fault := range r.Errors {
		out.Errors[i] = RowFault{Row: fault.Line, Column: orNull(fault.Column), Reason: fault.Reason, Value: fault.Value}
	}
	return out
}
