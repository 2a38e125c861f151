package wire

import (
	"reflect"
	"strings"
)

// field is a member of an object, as encoding/json takes it from a struct.
type field struct {
	path  []int  // of the struct field
	name  string // `,"name":`
	omit  func(reflect.Value) bool
	write encoder
}

func structEncoder(fields []field) encoder {
	return func(dst []byte, v reflect.Value, depth int) (_ []byte, err error) {
		if depth > MaxCanonicalDepth {
			return dst, tooDeep()
		}
		open := len(dst)
		for i := range fields {
			f := &fields[i]
			value := v
			for _, at := range f.path {
				value = value.Field(at)
			}
			if f.omit != nil && f.omit(value) {
				continue
			}
			dst = append(dst, f.name...)
			if dst, err = f.write(dst, value, depth+1); err != nil {
				return dst, err
			}
		}
		if len(dst) == open {
			return append(dst, '{', '}'), nil
		}
		dst[open] = '{' // where the first comma is
		return append(dst, '}'), nil
	}
}

// fieldsOf returns the members of a struct in their order. It is false for a
// struct that uses what only encoding/json knows to do: names that hide one
// another, embedded pointers, numbers in strings, odd names.
func fieldsOf(t reflect.Type) (fields []field, ok bool) {
	seen := make(map[string]bool)
	ok = collect(t, nil, &fields, seen)
	return fields, ok
}

func collect(t reflect.Type, path []int, fields *[]field, seen map[string]bool) bool {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		at := append(path[:len(path):len(path)], i)
		switch {
		case f.Tag.Get("json") == "-":
			continue
		case f.Anonymous && name == "":
			if f.Type.Kind() != reflect.Struct || ownJSON(f.Type) || !collect(f.Type, at, fields, seen) {
				return false
			}
			continue
		case !f.IsExported():
			continue
		}
		if name == "" {
			name = f.Name
		}
		made := field{path: at, name: `,"` + name + `":`, write: encoderOf(f.Type)}
		for option := range strings.SplitSeq(options, ",") {
			switch option {
			case "":
			case "omitempty":
				made.omit = either(made.omit, empty)
			case "omitzero":
				zero, ok := zeroOf(f.Type)
				if !ok {
					return false
				}
				made.omit = either(made.omit, zero)
			default:
				return false
			}
		}
		if seen[name] || !plainName(name) {
			return false
		}
		seen[name] = true
		*fields = append(*fields, made)
	}
	return true
}

// ownJSON reports whether a type has an encoding of its own.
func ownJSON(t reflect.Type) bool {
	for _, own := range []reflect.Type{appenderType, marshalerType, texterType} {
		if t.Implements(own) || reflect.PointerTo(t).Implements(own) {
			return true
		}
	}
	return false
}

// plainName reports whether a name is written as it is and is no array index.
func plainName(name string) bool {
	for _, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
		if !letter {
			return false
		}
	}
	return name != "" && arrayIndex([]byte(name)) < 0
}

func either(a, b func(reflect.Value) bool) func(reflect.Value) bool {
	if a == nil {
		return b
	}
	return func(v reflect.Value) bool { return a(v) || b(v) }
}

// empty is what encoding/json's omitempty leaves out.
func empty(v reflect.Value) bool {
	switch v.Kind() { //nolint:exhaustive // all others are never empty
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64, reflect.Interface, reflect.Pointer:
		return v.IsZero()
	}
	return false
}

type zeroer interface{ IsZero() bool }

// zeroOf is what encoding/json's omitzero leaves out of a type; false when that
// depends on whether the value has an address.
func zeroOf(t reflect.Type) (func(reflect.Value) bool, bool) {
	own := reflect.TypeFor[zeroer]()
	switch {
	case t.Kind() == reflect.Interface:
		return nil, false
	case t.Kind() == reflect.Pointer && t.Implements(own):
		return func(v reflect.Value) bool { return v.IsNil() || v.Interface().(zeroer).IsZero() }, true //nolint:errcheck,forcetypeassert // it implements it
	case t.Implements(own):
		return func(v reflect.Value) bool { return v.Interface().(zeroer).IsZero() }, true //nolint:errcheck,forcetypeassert // it implements it
	case reflect.PointerTo(t).Implements(own):
		return nil, false
	}
	return reflect.Value.IsZero, true
}
