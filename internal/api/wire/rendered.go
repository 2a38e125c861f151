package wire

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// Rendered is a T that is JSON already, in canonical form (see Canonical). In the
// contract it is a T.
type Rendered[T any] struct{ JSON []byte }

// Render makes the JSON of v.
func Render[T any](v T) (Rendered[T], error) {
	raw, err := Canonical(v)
	return Rendered[T]{raw}, err
}

// MarshalJSON is the JSON itself.
func (r Rendered[T]) MarshalJSON() ([]byte, error) { return r.appendCanonical(nil), nil }

func (r Rendered[T]) appendCanonical(dst []byte) []byte {
	if r.JSON == nil {
		return append(dst, "null"...)
	}
	return append(dst, r.JSON...)
}

// Schema is that of T.
func (Rendered[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}
