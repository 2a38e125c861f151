package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Loose is a JSON object of which T, a struct, names the known members; others
// are taken as well. The names of members are compared exactly.
type Loose[T any] struct {
	Value T
	Extra map[string]any // the unknown members; nil when there are none
}

// UnmarshalJSON parts the known members from the others.
func (l *Loose[T]) UnmarshalJSON(raw []byte) error {
	*l = Loose[T]{}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return err
	}
	names := memberNames(reflect.TypeFor[T]())
	var known bytes.Buffer
	known.WriteByte('{')
	for name, value := range members {
		if slices.Contains(names, name) {
			if known.Len() > 1 {
				known.WriteByte(',')
			}
			key, err := json.Marshal(name)
			if err != nil {
				return err
			}
			known.Write(key)
			known.WriteByte(':')
			known.Write(value)
			continue
		}
		var v any
		if err := json.Unmarshal(value, &v); err != nil {
			return err
		}
		if l.Extra == nil {
			l.Extra = make(map[string]any)
		}
		l.Extra[name] = v
	}
	known.WriteByte('}')
	return json.Unmarshal(known.Bytes(), &l.Value)
}

// Schema is T's own schema, open for other members.
func (l Loose[T]) Schema(r huma.Registry) *huma.Schema {
	ref := r.Schema(reflect.TypeFor[T](), true, "")
	s := ref
	if ref.Ref != "" {
		s = r.SchemaFromRef(ref.Ref)
	}
	s.AdditionalProperties = true
	return ref
}

// memberNames lists the JSON names of a struct's fields, embedded ones
// included.
func memberNames(t reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported() || f.Anonymous && name == "":
		case name == "":
			names = append(names, f.Name)
		default:
			names = append(names, name)
		}
	}
	return names
}
