package flow

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/callwright/callwright/internal/domain"
)

// maxListed is how many problems one error spells out.
const maxListed = 25

// problems collects all that is wrong with a graph.
type problems struct {
	first string // path of the first
	list  []string
}

func (p *problems) add(field, format string, args ...any) {
	if len(p.list) == 0 {
		p.first = field
	}
	p.list = append(p.list, fmt.Sprintf(format, args...))
}

// err returns nil, or all problems as one error.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	list := p.list
	if len(list) > maxListed {
		list = append(slices.Clip(list[:maxListed]), fmt.Sprintf("and %d more problems", len(p.list)-maxListed))
	}
	return domain.Invalid(p.first, "%s", strings.Join(list, "; "))
}

// place is where in the document something is read.
type place struct {
	who  string // for people: node "ask_day"
	path string // for machines: nodes[2]; "" is the top
}

func (at place) field(name string) string {
	if at.path == "" {
		return name
	}
	return at.path + "." + name
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func count(i int) string { return strconv.Itoa(i + 1) }

// nodeWho names a node for people.
func nodeWho(id string, i int) string {
	if id == "" {
		return "node " + count(i)
	}
	return "node " + quote(id)
}

// quote puts a name in quotes and cuts it to a length that a message bears.
func quote(s string) string {
	const most = 64
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return strconv.Quote(s)
}

// rawObject is JSON that is read later.
type rawObject = json.RawMessage

// readObject reads a JSON object into the struct v points to. Field names are
// exact, unknown ones are problems, and so is a value of the wrong type.
func readObject(p *problems, at place, raw []byte, v any) {
	fields, ok := splitObject(p, at, raw)
	if !ok {
		return
	}
	readFields(p, at, fields, v)
	unknownFields(p, at, fields, at.who, v)
}

func splitObject(p *problems, at place, raw []byte) (map[string]json.RawMessage, bool) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			p.add(at.path, "%s is not valid JSON at byte %d", at.who, syntax.Offset)
		} else {
			p.add(at.path, "%s must be a JSON object", at.who)
		}
		return nil, false
	}
	if fields == nil {
		p.add(at.path, "%s must be a JSON object, not null", at.who)
		return nil, false
	}
	return fields, true
}

// readFields reads the fields that the struct v points to knows.
func readFields(p *problems, at place, fields map[string]json.RawMessage, v any) {
	targets := jsonFields(reflect.ValueOf(v).Elem())
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		target, ok := targets[name]
		raw := fields[name]
		if !ok || string(raw) == "null" {
			continue
		}
		if _, own := target.Addr().Interface().(json.Unmarshaler); target.Kind() == reflect.Struct && !own {
			readObject(p, place{who: at.who + ": " + name, path: at.field(name)}, raw, target.Addr().Interface())
			continue
		}
		if err := json.Unmarshal(raw, target.Addr().Interface()); err != nil {
			p.add(at.field(name), "%s: %q %s", at.who, name, mustBe(target.Type(), err))
		}
	}
}

// mustBe says what a value should have been, without repeating what it was.
func mustBe(t reflect.Type, err error) string {
	var own *shapeError
	if errors.As(err, &own) {
		return own.text
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Type != t && wrong.Field != "" {
		return "has the wrong type of value in " + quote(wrong.Field)
	}
	return "must be " + describe(t)
}

// shapeError is what a type that reads its own JSON says about it, worded to
// follow the field's name.
type shapeError struct{ text string }

func (e *shapeError) Error() string { return e.text }

func describe(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return describe(t.Elem())
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

// unknownFields reports names that none of the structs knows.
func unknownFields(p *problems, at place, fields map[string]json.RawMessage, whose string, structs ...any) {
	known := map[string]bool{}
	for _, v := range structs {
		for name := range jsonFields(reflect.ValueOf(v).Elem()) {
			known[name] = true
		}
	}
	var unknown []string
	for name := range fields {
		if !known[name] {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	names := slices.Sorted(maps.Keys(known))
	for _, name := range unknown {
		p.add(at.field(name), "%s: unknown field %s%s; %s has %s",
			at.who, quote(name), didYouMean(name, names), whose, strings.Join(names, ", "))
	}
}

// jsonFields maps the JSON names of a struct's fields, embedded ones included,
// to the fields. An outer field hides an embedded one of the same name.
func jsonFields(v reflect.Value) map[string]reflect.Value {
	fields := map[string]reflect.Value{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			for name, inner := range jsonFields(v.Field(i)) {
				if _, hidden := fields[name]; !hidden {
					fields[name] = inner
				}
			}
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" && f.IsExported() {
			fields[name] = v.Field(i)
		}
	}
	return fields
}

func peekString(raw json.RawMessage) (string, bool) {
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err == nil
}

// didYouMean proposes the one of names that name is most likely a slip of.
func didYouMean(name string, names []string) string {
	best, most := "", 1+len(name)/4
	for _, candidate := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d <= most {
			best, most = candidate, d-1
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + quote(best) + "?)"
}

// distance counts the edits that make b of a (Levenshtein).
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			corner, row[j+1] = row[j+1], min(corner+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
