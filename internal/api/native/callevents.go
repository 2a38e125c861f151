package native

import (
	"context"
	"fmt"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

// CallProgress is a state into which a call has come.
type CallProgress struct {
	State  string       `json:"state" enum:"queued,dialing,ringing,in-progress,completed,failed" doc:"Finer than the status."`
	Status string       `json:"status" enum:"queued,in-progress,completed,failed"`
	At     wire.Instant `json:"at"`
}

// Words of the stream.
const (
	eventState = "state"
	eventTurn  = "turn"
	eventEnd   = "end"
)

func (f *face) callEventRoutes(rt *wire.Router) {
	rt.Raw(wire.Route{
		Method: http.MethodGet, Path: Root + "/calls/{id}/events", ID: "stream-call-events", Scope: "calls:read", Summary: "Follow a call as it happens",
	}, &huma.Operation{
		Description: "Server-Sent Events: each state that the call comes into, each turn when it is over, and at the end of the call the call. " +
			"What has happened already comes first, so it is never too late. A stream lasts up to 15 minutes; go on with the header Last-Event-ID, as browsers do. " +
			"After the last event the answer is 204. Needs the scope `calls:read`.",
		Parameters: wire.StreamParams("The call's id."),
		Responses: map[string]*huma.Response{
			"200": wire.EventsOf(rt, "Events until the call is over.", map[string]reflect.Type{
				eventState: reflect.TypeFor[CallProgress](), eventTurn: reflect.TypeFor[Turn](), eventEnd: reflect.TypeFor[CallItem](),
			}),
			"204": {Description: "The call is over, and all was told."},
		},
	}, f.streamCallEvents)
}

func (f *face) streamCallEvents(w http.ResponseWriter, r *http.Request) error {
	if err := wire.Allowed(r.Context(), "calls:read"); err != nil {
		return err
	}
	seen, over, err := readCursor(r.Header.Get("Last-Event-ID"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), wire.StreamFor)
	defer cancel()
	if over || r.Method == http.MethodHead {
		if _, err := f.rules.Call(ctx, wire.ScopeOf(ctx), domain.ID(r.PathValue("id"))); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	s := wire.NewEventStream(w)
	err = f.rules.WatchCall(ctx, wire.ScopeOf(ctx), domain.ID(r.PathValue("id")), seen, func(c *service.CallDetail, steps []service.Step) error {
		return f.tell(ctx, s, c, steps)
	})
	if s.Begun() {
		return nil // it is too late for an answer of another kind; the client comes again
	}
	return err
}

// tell writes the steps of a call to its stream.
func (f *face) tell(ctx context.Context, s *wire.EventStream, c *service.CallDetail, steps []service.Step) error {
	if err := s.Begin(); err != nil {
		return err
	}
	for _, step := range steps {
		name, data := eventState, any(CallProgress{State: string(step.State), Status: hookStatus(step.State), At: wire.Instant(step.At)})
		if step.Turn != nil {
			name, data = eventTurn, turn(step.Turn)
		}
		if err := s.Event(cursor(step.Seen, false), name, data); err != nil {
			return err
		}
		if step.Seen.Ended() {
			if err := s.Event(cursor(step.Seen, true), eventEnd, f.callItem(ctx, &c.Call)); err != nil {
				return err
			}
		}
	}
	return s.Flush(len(steps) > 0)
}

// cursor is the id of an event: how far the call has been told.
func cursor(seen service.Seen, over bool) string {
	if over {
		return "end"
	}
	return fmt.Sprintf("%d.%d", seen.States, seen.Turns)
}

// readCursor reads what cursor has written; "" is nothing.
func readCursor(id string) (seen service.Seen, over bool, err error) {
	switch id {
	case "":
		return seen, false, nil
	case "end":
		return seen, true, nil
	}
	n, err := fmt.Sscanf(id, "%d.%d", &seen.States, &seen.Turns)
	if err != nil || n != 2 || id != cursor(seen, false) || seen.States < 0 || seen.Turns < 0 {
		return seen, false, domain.Invalid("Last-Event-ID", "Last-Event-ID is not the id of an event of this stream; leave it out to begin anew")
	}
	if seen.Ended() {
		seen.States-- // its last event is to come
	}
	return seen, false, nil
}
