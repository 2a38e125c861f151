package native

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/people"
	"github.com/callwright/callwright/internal/sheet"
)

// ListFault is a bad row of a sheet.
type ListFault struct {
	Row    int    `json:"row" doc:"Of the file, 1 is the first."`
	Column string `json:"column"`
	Value  string `json:"value"`
	Reason string `json:"reason"`
}

// listed is the answer to a sheet of numbers.
func listed(done *people.Listing) Suppressing {
	out := Suppressing{Added: done.Added, AlreadyListed: done.Rows - done.Added, Invalid: done.Bad}
	for _, f := range done.Faults {
		out.Errors = append(out.Errors, ListFault{Row: f.Line, Column: f.Column, Value: f.Value, Reason: f.Reason})
	}
	return out
}

// addListFile takes a sheet of numbers that must not be called.
func (f *face) addListFile(ctx context.Context, u *wire.Upload) (*object[Suppressing], error) {
	if err := u.Known("reason"); err != nil {
		return nil, err
	}
	file, err := u.File()
	if err != nil {
		return nil, err
	}
	render := func(done *people.Listing) any { return listed(done) }
	done, err := f.rules.SuppressSheet(ctx, wire.ScopeOf(ctx), file, u.Field("reason"), wire.Once(ctx, http.StatusCreated, render))
	if err != nil {
		return nil, err
	}
	return &object[Suppressing]{Body: listed(done)}, nil
}

func (f *face) doNotCallFileRoutes(rt *wire.Router) {
	rt.Raw(wire.Route{
		Method: http.MethodGet, Path: Root + "/do-not-call/export", ID: "export-do-not-call", Scope: "do-not-call:read",
		Summary: "Download the do-not-call list",
	}, &huma.Operation{
		Description: "CSV with the columns phone_number, reason, source, call_id and created_at, newest first; it can be sent to POST /do-not-call " +
			"again. Cells that a spreadsheet would take for a formula begin with an apostrophe. Needs the scope `do-not-call:read`.",
		Responses: map[string]*huma.Response{"200": {Description: "The list.",
			Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}}},
	}, f.exportDoNotCall)
}

func (f *face) exportDoNotCall(w http.ResponseWriter, r *http.Request) error {
	if err := wire.Allowed(r.Context(), "do-not-call:read"); err != nil {
		return err
	}
	return wire.Download(w, r, "do-not-call.csv", func(part func()) error { //nolint:contextcheck // the request's
		sink := sheet.NewWriter(w, []sheet.Column{
			{Name: "phone_number", Kind: sheet.Phone}, {Name: "reason"}, {Name: "source"}, {Name: "call_id"}, {Name: "created_at", Kind: sheet.Time},
		})
		err := f.rules.EachSuppression(r.Context(), wire.ScopeOf(r.Context()), func(rows []domain.Suppression) error {
			part()
			for i := range rows {
				s := &rows[i]
				if err := sink.Write([]string{s.Number, s.Reason, string(s.Source), string(s.CallID), s.CreatedAt.Format(time.RFC3339)}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		return sink.Flush()
	})
}
