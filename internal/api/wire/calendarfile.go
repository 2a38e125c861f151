package wire

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/domain"
)

// CalendarFile adds a route that answers with the file for calendars of one
// appointment, which find looks up by the path's parameter id.
func CalendarFile(rt *Router, r Route, find func(ctx context.Context, id string) (*domain.Appointment, error)) {
	doc := &huma.Operation{
		Description: "Needs the scope `" + r.Scope + "`.",
		Parameters:  []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}},
		Responses: map[string]*huma.Response{
			"200": {Description: "iCalendar (RFC 5545), one event.",
				Content: map[string]*huma.MediaType{"text/calendar": {Schema: &huma.Schema{Type: huma.TypeString}}}},
		},
	}
	rt.Raw(r, doc, func(w http.ResponseWriter, req *http.Request) error {
		ctx := req.Context()
		if err := Allowed(ctx, r.Scope); err != nil {
			return err
		}
		a, err := find(ctx, req.PathValue("id"))
		if err != nil {
			return err
		}
		h := w.Header()
		h.Set("Content-Type", "text/calendar; charset=utf-8") // RFC 5545 section 8.1
		h.Set("Content-Disposition", `inline; filename="calendar.ics"`)
		h.Set("Cache-Control", "private, no-cache")
		_, err = w.Write(Calendar(a))
		return err
	})
}
