package wire

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// StreamFor is how long a stream of events lasts at most. Who wants more comes
// again with the last event's id, and their key is looked at again.
const StreamFor = 15 * time.Minute

// heartbeat is how long a stream is silent at most.
const heartbeat = 15 * time.Second

// StreamParams are the parameters of a stream of one object.
func StreamParams(id string) []*huma.Param {
	return []*huma.Param{
		{Name: "id", In: "path", Required: true, Description: id, Schema: &huma.Schema{Type: huma.TypeString}},
		{Name: "Last-Event-ID", In: "header", Description: "The id of the last event that came.", Schema: &huma.Schema{Type: huma.TypeString}},
	}
}

// EventsOf describes an answer of events, by their names.
func EventsOf(rt *Router, what string, events map[string]reflect.Type) *huma.Response {
	schemas := rt.Contract().Components.Schemas
	var kinds []*huma.Schema
	for _, name := range slices.Sorted(maps.Keys(events)) {
		kinds = append(kinds, &huma.Schema{
			Type: huma.TypeObject, Title: "Event " + name, Required: []string{"id", "event", "data"},
			Properties: map[string]*huma.Schema{
				"id":    {Type: huma.TypeString, Description: "Send it as Last-Event-ID to go on after this event."},
				"event": {Type: huma.TypeString, Enum: []any{name}},
				"data":  schemas.Schema(events[name], true, ""),
			},
		})
	}
	return &huma.Response{Description: what, Content: map[string]*huma.MediaType{
		"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{OneOf: kinds}}},
	}}
}

// EventStream writes Server-Sent Events (HTML standard, section 9.2).
type EventStream struct {
	w     http.ResponseWriter
	out   *http.ResponseController
	begun bool
	last  time.Time // when something was written
}

// NewEventStream is a stream that answers a request; nothing is sent before Begin.
func NewEventStream(w http.ResponseWriter) *EventStream {
	return &EventStream{w: w, out: http.NewResponseController(w)}
}

// Begun reports whether the answer has begun: it is too late for another kind.
func (s *EventStream) Begun() bool { return s.begun }

// Begin sends the head, once, and bounds how long the next writes may take: a
// reader that does not read must not hold a place.
func (s *EventStream) Begin() error {
	if err := s.out.SetWriteDeadline(time.Now().Add(heartbeat)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
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

// Event writes one event.
func (s *EventStream) Event(id, name string, data any) error {
	raw, err := Canonical(data)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.w, "id: %s\nevent: %s\ndata: %s\n\n", id, name, raw)
	return err
}

// Flush sends what was written, or a sign of life when nothing was for long.
func (s *EventStream) Flush(written bool) error {
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
