package wire

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// Opt is a field of a request that may be absent, null or a value. The zero
// value is absent.
type Opt[T any] struct {
	Sent  bool // the field was there, also as null
	Null  bool
	Value T // the zero value unless Sent and not Null
}

// UnmarshalJSON takes null or a value; it is only called for a field that is there.
func (o *Opt[T]) UnmarshalJSON(raw []byte) error {
	*o = Opt[T]{Sent: true}
	if bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		o.Null = true
		return nil
	}
	return json.Unmarshal(raw, &o.Value)
}

// MaxInteger is the greatest integer that every JSON parser reads exactly (RFC
// 7493 section 2.2); its negative is the least.
const MaxInteger = 1<<53 - 1

// Schema is T's own schema, or null. Integers are within MaxInteger.
func (o Opt[T]) Schema(r huma.Registry) *huma.Schema {
	s := r.Schema(reflect.TypeFor[T](), true, "")
	if s.Ref == "" {
		s.Nullable = true
	}
	if s.Type == huma.TypeInteger && s.Minimum == nil && s.Maximum == nil {
		least, most := -float64(MaxInteger), float64(MaxInteger)
		s.Minimum, s.Maximum = &least, &most
	}
	return s
}

// Change returns the new value of a field: nil when it was not sent, the zero
// value for null.
func (o Opt[T]) Change() *T {
	if !o.Sent {
		return nil
	}
	v := o.Value
	return &v
}

// Given returns the new value of a field for which null says nothing: nil when
// it was not sent or is null.
func (o Opt[T]) Given() *T {
	if o.Null {
		return nil
	}
	return o.Change()
}
