package trillet

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/outreach"
	"github.com/callwright/callwright/internal/sheet"
)

// previewed is how many rows a preview shows when the client does not say, and
// mostPreviewed at most.
const (
	previewed     = 10
	mostPreviewed = 100
)

// SheetCheck says what a batch would make of a file.
type SheetCheck struct {
	Valid     bool                `json:"valid" doc:"There are rows, and each can be called."`
	TotalRows int                 `json:"totalRows" doc:"Without the header and blank lines."`
	ValidRows int                 `json:"validRows"`
	Invalid   int                 `json:"invalidRows"`
	Unique    int                 `json:"uniqueNumbers" doc:"Numbers that would be called, each once."`
	Headers   []string            `json:"headers"`
	Errors    []RowFault          `json:"errors" doc:"The first 1000."`
	Warnings  []string            `json:"warnings"`
	Preview   []map[string]string `json:"preview" doc:"The first rows."`
}

// SheetPreview is the beginning of a file.
type SheetPreview struct {
	Headers   []string            `json:"headers"`
	Rows      []map[string]string `json:"rows"`
	Preview   []map[string]string `json:"preview" doc:"The same as rows."`
	TotalRows int                 `json:"totalRows"`
}

func (f *face) sheetRoutes(rt *wire.Router) {
	wire.Handle(rt, batchRoute(http.MethodGet, "/template", "get-batch-template", "Download a CSV file to begin with"), f.sheetTemplate)
	validate := batchRoute(http.MethodPost, "/validate", "validate-batch", "Check a CSV file")
	validate.Form = &wire.Form{MaxFile: maxSheet, Fields: []wire.FormField{{Name: "agentId", Doc: "Is looked for, when sent."}}}
	wire.Handle(rt, validate, f.validateSheet)
	preview := batchRoute(http.MethodPost, "/preview", "preview-batch", "Show the first rows of a CSV file")
	preview.Form = &wire.Form{MaxFile: maxSheet, Fields: []wire.FormField{{Name: "limit", Doc: "How many rows: 10 when not sent, at most 100."}}}
	wire.Handle(rt, preview, f.previewSheet)
}

func (f *face) sheetTemplate(context.Context, *struct{}) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "text/csv; charset=utf-8")
		hc.SetHeader("Content-Disposition", `attachment; filename="batch-calls-template.csv"`)
		_, _ = hc.BodyWriter().Write(sheet.Template()) // a client that is gone needs no answer
	}}, nil
}

func (f *face) validateSheet(ctx context.Context, _ *struct{}) (*object[SheetCheck], error) {
	u := wire.UploadOf(ctx)
	file, err := u.File()
	if err != nil {
		return nil, err
	}
	if agent := domain.ID(u.Field("agentId")); agent != "" {
		if _, err := f.rules.Agent(ctx, wire.ScopeOf(ctx), agent); err != nil {
			return nil, err
		}
	}
	check, err := outreach.CheckSheet(file, wire.ScopeOf(ctx).Mode, previewed)
	if domain.CodeOf(err) == domain.CodeInvalid {
		// What is wrong with the file as a whole is what was asked for.
		return &object[SheetCheck]{Body: SheetCheck{
			Headers: []string{}, Warnings: []string{}, Preview: []map[string]string{},
			Errors: []RowFault{{Row: 1, Message: wire.Public(err).Message}},
		}}, nil
	}
	if err != nil {
		return nil, err
	}
	out := SheetCheck{
		Valid: check.Invalid == 0 && check.Added > 0, TotalRows: check.Rows, ValidRows: check.Added + check.Duplicates, Invalid: check.Invalid,
		Unique: check.Added, Headers: check.Headers, Errors: rowFaults(check.Errors), Warnings: []string{}, Preview: check.Preview,
	}
	if check.Duplicates > 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("Rows that repeat the number of an earlier row: %d. Each number is called once.", check.Duplicates))
	}
	if check.Rows == 0 {
		out.Errors = append(out.Errors, RowFault{Row: 1, Message: "The file has no rows below its header: add one for each number to call."})
	}
	return &object[SheetCheck]{Body: out}, nil
}

func (f *face) previewSheet(ctx context.Context, _ *struct{}) (*object[SheetPreview], error) {
	u := wire.UploadOf(ctx)
	file, err := u.File()
	if err != nil {
		return nil, err
	}
	limit := previewed
	if text := u.Field("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 0 {
			return nil, domain.Invalid("limit", "limit must be a whole number of rows, at most %d", mostPreviewed)
		}
	}
	check, err := outreach.CheckSheet(file, wire.ScopeOf(ctx).Mode, min(limit, mostPreviewed))
	if err != nil {
		return nil, err
	}
	return &object[SheetPreview]{Body: SheetPreview{Headers: check.Headers, Rows: check.Preview, Preview: check.Preview, TotalRows: check.Rows}}, nil
}
