package trillet

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// Open is an object of an answer: its own members, and after them those that are
// kept for the client. A member of its own hides a kept one of the same name.
type Open[T any] struct {
	Own  T
	Kept map[string]any
}

// MarshalJSON prints both.
func (o Open[T]) MarshalJSON() ([]byte, error) {
	own, err := wire.Canonical(o.Own)
	if err != nil || len(o.Kept) == 0 {
		return own, err
	}
	var names map[string]json.RawMessage
	if err := json.Unmarshal(own, &names); err != nil {
		return nil, err
	}
	kept := maps.Clone(o.Kept)
	maps.DeleteFunc(kept, func(name string, _ any) bool { _, hidden := names[name]; return hidden })
	if len(kept) == 0 {
		return own, nil
	}
	rest, err := wire.Canonical(kept)
	if err != nil || len(names) == 0 {
		return rest, err
	}
	return append(append(own[:len(own)-1:len(own)-1], ','), rest[1:]...), nil
}

// Schema is T's own, open for other members.
func (o Open[T]) Schema(r huma.Registry) *huma.Schema { return wire.Loose[T]{}.Schema(r) }

// Stamp is a time in an answer: ISO 8601 in UTC with milliseconds, null for the
// zero time.
type Stamp time.Time

// MarshalJSON prints t.
func (t Stamp) MarshalJSON() ([]byte, error) {
	at := time.Time(t)
	if at.IsZero() {
		return []byte("null"), nil
	}
	return at.UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000Z07:00"`), nil
}

// Schema says date-time, or null.
func (Stamp) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Nullable: true}
}

// The outputs that several routes share.
type (
	object[T any] struct {
		wire.ETag
		Body T
	}
	list[T any] struct {
		wire.PageHead
		Body []T
	}
)

// Deleted is the answer to a delete.
type Deleted struct {
	Message string    `json:"message"`
	ID      domain.ID `json:"id"`
	Deleted bool      `json:"deleted"`
}

// ByID is the input of a route for one object. (huma passes over embedded types
// that are not exported.)
type ByID struct {
	ID domain.ID `path:"id" doc:"The object's id."`
}

// Removal is the input of a delete.
type Removal struct {
	ByID
	wire.IfMatch
}

// reply is an object with its version.
func reply[T any](version int64, body T) *object[T] {
	return &object[T]{ETag: wire.ETagOf(version), Body: body}
}

// maxTries bounds how often a change is made anew that others came in between of.
const maxTries = 5

// stored makes a change that is put together from what is there, anew when that
// was changed meanwhile, unless the client named the version to change.
func stored[T any](version int64, change func() (*T, error)) (*T, error) {
	for try := 1; ; try++ {
		obj, err := change()
		if version != 0 || try == maxTries || domain.CodeOf(err) != domain.CodePrecondition {
			return obj, err
		}
	}
}

// without returns a copy of members that lacks some.
func without(members map[string]any, names ...string) map[string]any {
	kept := make(map[string]any, len(members))
	for name, value := range members {
		if !slices.Contains(names, name) {
			kept[name] = value
		}
	}
	return kept
}

// merged applies a change to what is kept, as RFC 7396 has it: objects are
// merged, null takes a member away, all else replaces. Neither map is changed.
func merged(have, change map[string]any) map[string]any {
	all := maps.Clone(have)
	if all == nil {
		all = make(map[string]any, len(change))
	}
	for name, value := range change {
		switch v := value.(type) {
		case nil:
			delete(all, name)
		case map[string]any:
			below, _ := all[name].(map[string]any)
			all[name] = merged(below, v)
		default:
			all[name] = v
		}
	}
	return all
}

// first returns the first value that was sent and is not what is there: clients
// send back what they read, in which one thing has several names, with one of
// them changed. It is nil when there is none.
func first[T comparable](have T, sent ...*T) *T {
	for _, v := range sent {
		if v != nil && *v != have {
			return v
		}
	}
	return nil
}
