package native

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

func (f *face) recordingRoutes(rt *wire.Router) {
	text := func(name, doc string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	rt.Raw(wire.Route{
		Method: http.MethodGet, Path: Root + "/recordings/{callId}", ID: "get-recording", Scope: "recordings:read", Open: true,
		Summary: "Download the recording of a call",
	}, &huma.Operation{
		Description: "By the signed link that a call shows as recordingUrl, or with a key that has the scope `recordings:read`. Ranges are served.",
		Parameters: []*huma.Param{
			{Name: "callId", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}},
			text("expires", "When the link ends, Unix seconds."), text("signature", "HMAC-SHA256 of the link."),
		},
		Responses: map[string]*huma.Response{"200": {Description: "WAV, 16-bit PCM, caller left, agent right.",
			Content: map[string]*huma.MediaType{"audio/wav": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}},
	}, f.getRecording)
}

func (f *face) getRecording(w http.ResponseWriter, r *http.Request) error {
	rec, err := f.openRecording(r)
	if err != nil {
		return err
	}
	defer rec.Close() //nolint:errcheck // it was only read
	h := w.Header()
	h.Set("Content-Type", "audio/wav")
	h.Set("Cache-Control", "private, max-age=3600")
	h.Set("Content-Disposition", `inline; filename="`+string(rec.Call)+`.wav"`)
	h.Set("ETag", `"`+string(rec.Call)+`"`)
	http.ServeContent(w, r, "", rec.EndedAt, rec)
	return nil
}

// openRecording lets in who has a signed link, or a key.
func (f *face) openRecording(r *http.Request) (*service.Recording, error) {
	call := domain.ID(r.PathValue("callId"))
	if q := r.URL.Query(); q.Has("signature") {
		return f.rules.OpenSignedRecording(r.Context(), call, q.Get("expires"), q.Get("signature"))
	}
	if err := wire.Allowed(r.Context(), "recordings:read"); err != nil {
		return nil, err
	}
	return f.rules.OpenRecording(r.Context(), wire.ScopeOf(r.Context()), call)
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
