package native

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

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

// Times of a stream of events.
const (
	heartbeat = 15 * time.Second
	// streamFor is how long a stream lasts at most. Who wants more comes again
	// with the last event's id, and their key is looked at again.
	streamFor = 15 * time.Minute
)

// Words of the stream.
const (
	eventState = "state"
	eventTurn  = "turn"
	eventEnd   = "end"
)

func (f *face) callEventRoutes(rt *wire.Router) {
	schemas := rt.Contract().Components.Schemas
	event := func(name string, data reflect.Type) *huma.Schema {
		return &huma.Schema{
			Type: huma.TypeObject, Title: "Event " + name, Required: []string{"id", "event", "data"},
			Properties: map[string]*huma.Schema{
				"id":    {Type: huma.TypeString, Description: "Send it as Last-Event-ID to go on after this event."},
				"event": {Type: huma.TypeString, Enum: []any{name}},
				"data":  schemas.Schema(data, true, ""),
			},
		}
	}
	rt.Raw(wire.Route{
		Method: http.MethodGet, Path: Root + "/calls/{id}/events", ID: "stream-call-events", Scope: "calls:read", Summary: "Follow a call as it happens",
	}, &huma.Operation{
		Description: "Server-Sent Events: each state that the call comes into, each turn when it is over, and at the end of the call the call. " +
			"What has happened already comes first, so it is never too late. A stream lasts up to 15 minutes; go on with the header Last-Event-ID, as browsers do. " +
			"After the last event the answer is 204. Needs the scope `calls:read`.",
		Parameters: []*huma.Param{
			{Name: "id", In: "path", Required: true, Description: "The call's id.", Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "Last-Event-ID", In: "header", Description: "The id of the last event that came.", Schema: &huma.Schema{Type: huma.TypeString}},
		},
		Responses: map[string]*huma.Response{"200": {
			Description: "Events until the call is over.",
			Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{OneOf: []*huma.Schema{
				event(eventState, reflect.TypeFor[CallProgress]()), event(eventTurn, reflect.TypeFor[Turn]()), event(eventEnd, reflect.TypeFor[CallItem]()),
			}}}}},
		}, "204": {Description: "The call is over, and all was told."}},
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
	ctx, cancel := context.WithTimeout(r.Context(), streamFor)
	defer cancel()
	if over || r.Method == http.MethodHead {
		if _, err := f.rules.Call(ctx, wire.ScopeOf(ctx), domain.ID(r.PathValue("id"))); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	s := &eventStream{w: w, out: http.NewResponseController(w)}
	err = f.rules.WatchCall(ctx, wire.ScopeOf(ctx), domain.ID(r.PathValue("id")), seen, func(c *service.CallDetail, steps []service.Step) error {
		return f.tell(ctx, s, c, steps)
	})
	if s.begun {
		return nil // it is too late for an answer of another kind; the client comes again
	}
	return err
}

// tell writes the steps of a call to its stream.
func (f *face) tell(ctx context.Context, s *eventStream, c *service.CallDetail, steps []service.Step) error {
	if err := s.begin(); err != nil {
		return err
	}
	// A reader that does not read must not hold a place.
	if err := s.out.SetWriteDeadline(time.Now().Add(heartbeat)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	for _, step := range steps {
		name, data := eventState, any(CallProgress{State: string(step.State), Status: hookStatus(step.State), At: wire.Instant(step.At)})
		if step.Turn != nil {
			name, data = eventTurn, turn(step.Turn)
		}
		if err := s.event(cursor(step.Seen, false), name, data); err != nil {
			return err
		}
		if step.Seen.Ended() {
			if err := s.event(cursor(step.Seen, true), eventEnd, f.callItem(ctx, &c.Call)); err != nil {
				return err
			}
		}
	}
	return s.flush(len(steps) > 0)
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

// eventStream writes Server-Sent Events (HTML standard, section 9.2).
type eventStream struct {
	w     http.ResponseWriter
	out   *http.ResponseController
	begun bool
	last  time.Time // when something was written
}

// begin sends the head, once.
func (s *eventStream) begin() error {
	if s.begun {
		return nil
	}
	s.begun = true
	// A stream lasts longer than a request may take to be read.
	if err := s.out.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	s.w.WriteHeader(http.StatusOK)
	s.last = time.Now()
	return s.out.Flush()
}

// event writes one event.
func (s *eventStream) event(id, name string, data any) error {
	raw, err := wire.Canonical(data)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.w, "id: %s\nevent: %s\ndata: %s\n\n", id, name, raw)
	return err
}

// flush sends what was written, or a sign of life when nothing was for long.
func (s *eventStream) flush(written bool) error {
	if !written {
		if time.Since(s.last) < heartbeat {
			return nil
		}
		if _, err := s.w.Write([]byte(":\n\n")); err != nil {
			return err
		}
	}
	s.last = time.Now()
	return s.out.Flush()
}
