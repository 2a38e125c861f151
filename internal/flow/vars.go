package flow

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxFilled = 64 << 10 // bytes that Fill returns at most
	maxPath   = 200      // bytes between {{ and }}; what is longer is plain text
)

// Fill replaces each {{path}} in text by the variable's value, in one pass:
// braces inside a value stay as they are. A path is a name, or names and list
// indexes with dots between them (customer.phones.0). Lists and objects are
// written as compact JSON, null as nothing. A path that leads nowhere is
// replaced by nothing and listed in missing, once. The output ends after 64 kB.
func Fill(text string, vars map[string]any) (out string, missing []string) {
	return fill(text, vars, func(value string, _ int) string { return value })
}

// fill is Fill with every value passed through escape, which is told where in
// the output the value will stand.
func fill(text string, vars map[string]any, escape func(value string, at int) string) (string, []string) {
	if !strings.Contains(text, "{{") {
		return cut(text), nil
	}
	var (
		out     strings.Builder
		missing []string
		noted   = map[string]bool{}
	)
	for out.Len() <= maxFilled {
		before, after, found := strings.Cut(text, "{{")
		out.WriteString(before)
		if !found {
			break
		}
		path, _, closed := strings.Cut(after[:min(len(after), maxPath+2)], "}}")
		rest := after[min(len(after), len(path)+2):]
		path = strings.TrimSpace(path)
		if !closed || path == "" || strings.ContainsAny(path, "{}\n") {
			out.WriteByte('{')
			text = text[len(before)+1:]
			continue
		}
		value, ok := lookup(vars, path)
		if !ok && !noted[path] {
			noted[path] = true
			missing = append(missing, path)
		}
		out.WriteString(escape(written(value), out.Len()))
		text = rest
	}
	return cut(out.String()), missing
}

// fillValue fills the strings in a JSON value. A string that is one {{path}} and
// nothing else becomes the variable's value with its type.
func fillValue(value any, vars map[string]any) (any, []string) {
	switch v := value.(type) {
	case string:
		if path, whole := wholePath(v); whole {
			if found, ok := lookup(vars, path); ok {
				return found, nil
			}
			return nil, []string{path}
		}
		return Fill(v, vars)
	case []any:
		list := make([]any, len(v))
		var missing []string
		for i := range v {
			filled, absent := fillValue(v[i], vars)
			list[i], missing = filled, append(missing, absent...)
		}
		return list, missing
	case map[string]any:
		object := make(map[string]any, len(v))
		var missing []string
		for _, key := range sortedKeys(v) {
			filled, absent := fillValue(v[key], vars)
			object[key], missing = filled, append(missing, absent...)
		}
		return object, missing
	}
	return value, nil
}

// wholePath returns the path of a text that is one {{path}} and nothing else.
func wholePath(text string) (string, bool) {
	inner, ok := strings.CutPrefix(strings.TrimSpace(text), "{{")
	if !ok {
		return "", false
	}
	inner, ok = strings.CutSuffix(inner, "}}")
	if !ok || strings.ContainsAny(inner, "{}\n") || len(inner) > maxPath {
		return "", false
	}
	inner = strings.TrimSpace(inner)
	return inner, inner != ""
}

// lookup finds the value at a path. A variable whose name has dots in it wins.
func lookup(vars map[string]any, path string) (any, bool) {
	if value, ok := vars[path]; ok {
		return value, true
	}
	var at any = vars
	for name := range strings.SplitSeq(path, ".") {
		switch v := at.(type) {
		case map[string]any:
			next, ok := v[name]
			if !ok {
				return nil, false
			}
			at = next
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			at = v[i]
		default:
			return nil, false
		}
	}
	return at, true
}

// written turns a value into text.
func written(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case float64:
		return writtenNumber(v)
	case json.Number:
		return v.String()
	case time.Time:
		return v.Format(time.RFC3339)
	}
	raw, err := encode(value)
	if err != nil {
		return ""
	}
	return string(raw)
}

func writtenNumber(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// cut shortens text to the limit without breaking a character.
func cut(text string) string {
	if len(text) <= maxFilled {
		return text
	}
	end := maxFilled
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// Built-in variables, beside those that a call brings.
const (
	varNow     = "now"     // RFC 3339
	varToday   = "today"   // 2026-03-15
	varTime    = "time"    // 15:30
	varWeekday = "weekday" // sunday
	varHour    = "hour"    // 0 to 23
	varHeard   = "heard"   // what the caller said last
	varTurns   = "turns"   // how often the caller was heard
	varEvent   = "event"   // the value of the event injected last
)

// builtins are the names that an expression may use without declaring them.
var builtins = []string{
	varNow, varToday, varTime, varWeekday, varHour, varHeard, varTurns, varEvent,
	"call", "contact", "agent", "workspace", "campaign",
	"first_name", "last_name", "email", "phone_number", "company",
}

// withForms lists the variables that come with an answer: the value, the words
// that were said, and the value as an agent would say it.
func withForms(name string) []string { return []string{name, name + "_raw", name + "_spoken"} }

// env returns the variables as texts and expressions see them: the built-in ones
// under the call's own.
func (w *walk) env() map[string]any {
	env := make(map[string]any, len(w.state.Vars)+len(builtins))
	if at := w.event.At; !at.IsZero() {
		env[varNow] = at.Format(time.RFC3339)
		env[varToday] = at.Format(time.DateOnly)
		env[varTime] = at.Format("15:04")
		env[varWeekday] = strings.ToLower(at.Weekday().String())
		env[varHour] = at.Hour()
	}
	env[varHeard] = w.state.Text
	env[varTurns] = w.state.Turns
	for name, value := range w.state.Vars {
		env[name] = value
	}
	return env
}
