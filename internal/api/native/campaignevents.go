package native

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/http"
	"reflect"
	"regexp"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/outreach"
)

// eventProgress is the name of the event of a campaign that stands otherwise.
const eventProgress = "progress"

func (f *face) campaignEventRoutes(rt *wire.Router) {
	rt.Raw(wire.Route{
		Method: http.MethodGet, Path: Root + "/campaigns/{id}/events", ID: "stream-campaign-events", Scope: "campaigns:read",
		Summary: "Follow a campaign as it goes on",
	}, &huma.Operation{
		Description: "Server-Sent Events: the campaign as it stands, again each time that its status or counts change (at most four times a second), " +
			"and at the end, when its last call is over too. A stream lasts up to 15 minutes; go on with the header Last-Event-ID, as browsers do. " +
			"After the last event the answer is 204. Needs the scope `campaigns:read`.",
		Parameters: wire.StreamParams("The campaign's id."),
		Responses: map[string]*huma.Response{
			"200": wire.EventsOf(rt, "Events until the campaign is over.", map[string]reflect.Type{
				eventProgress: reflect.TypeFor[Campaign](), eventEnd: reflect.TypeFor[Campaign](),
			}),
			"204": {Description: "The campaign is over, and all was told."},
		},
	}, f.streamCampaignEvents)
}

// aStanding is the form of the ids of these events.
var aStanding = regexp.MustCompile(`^([0-9a-f]{16}|end)?$`)

func (f *face) streamCampaignEvents(w http.ResponseWriter, r *http.Request) error {
	if err := wire.Allowed(r.Context(), "campaigns:read"); err != nil {
		return err
	}
	seen := r.Header.Get("Last-Event-ID")
	if !aStanding.MatchString(seen) {
		return domain.Invalid("Last-Event-ID", "Last-Event-ID is not the id of an event of this stream; leave it out to begin anew")
	}
	ctx, cancel := context.WithTimeout(r.Context(), wire.StreamFor)
	defer cancel()
	in, id := wire.ScopeOf(ctx), domain.ID(r.PathValue("id"))
	if seen == "end" || r.Method == http.MethodHead {
		if _, err := f.rules.Campaign(ctx, in, domain.KindCampaign, id); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	s := wire.NewEventStream(w)
	err := f.rules.WatchCampaign(ctx, in, domain.KindCampaign, id, func(c *outreach.CampaignDetail, changed bool) error {
		if err := s.Begin(); err != nil {
			return err
		}
		switch {
		case c != nil && c.Over():
			changed = true
			if err := s.Event("end", eventEnd, campaign(c)); err != nil {
				return err
			}
		case changed && standing(c) != seen:
			if err := s.Event(standing(c), eventProgress, campaign(c)); err != nil {
				return err
			}
		default:
			changed = false
		}
		seen = ""
		return s.Flush(changed)
	})
	if s.Begun() {
		return nil // it is too late for an answer of another kind; the client comes again
	}
	return err
}

// standing names how a campaign stands: who has seen the event of that name is
// told of the next change.
func standing(c *outreach.CampaignDetail) string {
	hash := fnv.New64a()
	_, _ = fmt.Fprint(hash, c.Watched()) // a hash takes all
	return fmt.Sprintf("%016x", hash.Sum64())
}
