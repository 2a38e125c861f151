package client

import "encoding/json"

// Field is a member of a request that may be left out, null or a value. The
// zero Field is left out: in a change the object keeps what it has.
type Field[T any] struct {
	sent, null bool
	value      T
}

// Set is a field with a value, the zero value included.
func Set[T any](value T) Field[T] { return Field[T]{sent: true, value: value} }

// Null is a field that is null: in a change it takes away what is there.
func Null[T any]() Field[T] { return Field[T]{sent: true, null: true} }

// IsZero reports whether the field is left out.
func (f Field[T]) IsZero() bool { return !f.sent }

// Get returns the value, and whether there is one.
func (f Field[T]) Get() (T, bool) { return f.value, f.sent && !f.null }

// MarshalJSON writes the value, or null.
func (f Field[T]) MarshalJSON() ([]byte, error) {
	if !f.sent || f.null {
		return []byte("null"), nil
	}
	return json.Marshal(f.value)
}

// UnmarshalJSON takes null or a value.
func (f *Field[T]) UnmarshalJSON(raw []byte) error {
	*f = Field[T]{sent: true}
	if string(raw) == "null" {
		f.null = true
		return nil
	}
	return json.Unmarshal(raw, &f.value)
}
