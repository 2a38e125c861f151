package wire

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Encoding a value straight into canonical form takes a third of the time that
// encoding/json and a rewrite of its output take together. What is rare is left
// to these two: the result is the same (TestEncodersAgree).

// appender is a value that knows its canonical form.
type appender interface{ appendCanonical(dst []byte) []byte }

// encoder appends the canonical form of a value of one type, which is nested so
// deep.
type encoder func(dst []byte, v reflect.Value, depth int) ([]byte, error)

// encoders are the encoders of types that were seen, by reflect.Type.
var encoders sync.Map

func encoderOf(t reflect.Type) encoder {
	if known, ok := encoders.Load(t); ok {
		return known.(encoder) //nolint:errcheck,forcetypeassert // the map holds nothing else
	}
	// A type that contains itself meets this one while it is made.
	var once sync.Once
	var made encoder
	encoders.Store(t, encoder(func(dst []byte, v reflect.Value, depth int) ([]byte, error) {
		once.Do(func() { made = newEncoder(t) })
		return made(dst, v, depth)
	}))
	once.Do(func() { made = newEncoder(t) })
	encoders.Store(t, made)
	return made
}

var (
	appenderType  = reflect.TypeFor[appender]()
	marshalerType = reflect.TypeFor[json.Marshaler]()
	texterType    = reflect.TypeFor[encoding.TextMarshaler]()
	numberType    = reflect.TypeFor[json.Number]()
)

func newEncoder(t reflect.Type) encoder {
	if t.Kind() == reflect.Pointer && t.Elem().Implements(appenderType) {
		return pointerEncoder(t)
	}
	if t.Implements(appenderType) {
		return func(dst []byte, v reflect.Value, _ int) ([]byte, error) {
			return v.Interface().(appender).appendCanonical(dst), nil //nolint:errcheck,forcetypeassert // it implements it
		}
	}
	for _, own := range []reflect.Type{marshalerType, texterType} {
		if t.Implements(own) || reflect.PointerTo(t).Implements(own) {
			return plainly
		}
	}
	switch t.Kind() { //nolint:exhaustive // the others are rare, or an error of encoding/json
	case reflect.Bool:
		return func(dst []byte, v reflect.Value, _ int) ([]byte, error) {
			return strconv.AppendBool(dst, v.Bool()), nil
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(dst []byte, v reflect.Value, _ int) ([]byte, error) { return appendInt(dst, v.Int()), nil }
	case reflect.Float64:
		return encodeFloat
	case reflect.String:
		if t != numberType {
			return func(dst []byte, v reflect.Value, _ int) ([]byte, error) { return appendText(dst, v.String()), nil }
		}
	case reflect.Pointer:
		return pointerEncoder(t)
	case reflect.Interface:
		return encodeInterface
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 {
			return sliceEncoder(t)
		}
	case reflect.Map:
		if t.Key().Kind() == reflect.String && !t.Key().Implements(texterType) {
			return mapEncoder(t)
		}
	case reflect.Struct:
		if fields, ok := fieldsOf(t); ok {
			return structEncoder(fields)
		}
	}
	return plainly
}

// plainly has encoding/json encode v and rewrites that.
func plainly(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	var value any
	switch {
	case v.CanAddr():
		value = v.Addr().Interface() // methods of the pointer count, as in a pointer's target
	default:
		value = v.Interface()
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return dst, err
	}
	c := canonicalizer{src: raw, dst: dst}
	err = c.value(depth)
	return c.dst, err
}

func tooDeep() error {
	return fmt.Errorf("make JSON canonical: nested deeper than %d", MaxCanonicalDepth)
}

// exact is up to where integers are printed as they are; float64 holds more, but
// not all.
const exact = 1e15

func appendInt(dst []byte, n int64) []byte {
	if n > -exact && n < exact {
		return strconv.AppendInt(dst, n, 10)
	}
	return appendNumber(dst, float64(n))
}

func encodeFloat(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	f := v.Float()
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return plainly(dst, v, depth) // which has an error for it
	}
	return appendNumber(dst, f), nil
}

func encodeInterface(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if v.IsNil() {
		return append(dst, "null"...), nil
	}
	v = v.Elem()
	return encoderOf(v.Type())(dst, v, depth)
}

func pointerEncoder(t reflect.Type) encoder {
	target := encoderOf(t.Elem())
	return func(dst []byte, v reflect.Value, depth int) ([]byte, error) {
		if v.IsNil() {
			return append(dst, "null"...), nil
		}
		return target(dst, v.Elem(), depth)
	}
}

func sliceEncoder(t reflect.Type) encoder {
	element := encoderOf(t.Elem())
	return func(dst []byte, v reflect.Value, depth int) (_ []byte, err error) {
		switch {
		case v.IsNil():
			return append(dst, "null"...), nil
		case depth > MaxCanonicalDepth:
			return dst, tooDeep()
		}
		dst = append(dst, '[')
		for i := range v.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = element(dst, v.Index(i), depth+1); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	}
}

// mapEncoder encodes maps by name, in the order of encoding/json (sorted) as a
// JavaScript object then has it: array indices first.
func mapEncoder(t reflect.Type) encoder {
	element := encoderOf(t.Elem())
	return func(dst []byte, v reflect.Value, depth int) (_ []byte, err error) {
		switch {
		case v.IsNil():
			return append(dst, "null"...), nil
		case depth > MaxCanonicalDepth:
			return dst, tooDeep()
		}
		type entry struct {
			name  string
			index int64
			value reflect.Value
		}
		entries := make([]entry, 0, v.Len())
		for each := v.MapRange(); each.Next(); {
			name := each.Key().String()
			if !utf8.ValidString(name) {
				return plainly(dst, v, depth) // two names may become the same
			}
			entries = append(entries, entry{name, arrayIndex([]byte(name)), each.Value()})
		}
		slices.SortFunc(entries, func(a, b entry) int {
			if a.index >= 0 || b.index >= 0 {
				return byIndex(member{index: a.index}, member{index: b.index})
			}
			return strings.Compare(a.name, b.name)
		})
		dst = append(dst, '{')
		for i, e := range entries {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendText(dst, e.name), ':')
			if dst, err = element(dst, e.value, depth+1); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), nil
	}
}

// appendText prints a string as JSON.stringify does.
func appendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		b := s[i]
		if b < utf8.RuneSelf {
			if b >= ' ' && b != '"' && b != '\\' {
				i++
				continue
			}
			dst = append(dst, s[from:i]...)
			dst = appendCharacter(dst, rune(b))
			i++
			from = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, s[from:i]...)
			dst = utf8.AppendRune(dst, utf8.RuneError)
			from = i + 1
		}
		i += size
	}
	return append(append(dst, s[from:]...), '"')
}
