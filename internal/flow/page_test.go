package flow

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// page is docs/flows.md.
func page(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("../../docs/flows.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// fenced returns the code blocks of one language.
func fenced(t *testing.T, language string) []string {
	t.Helper()
	var list []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(page(t), -1) {
		list = append(list, m[1])
	}
	if len(list) == 0 {
		t.Fatalf("docs/flows.md has no block of %s", language)
	}
	return list
}

func TestPageExamples(t *testing.T) {
	for _, source := range fenced(t, "json") {
		if _, err := Parse([]byte(source)); err != nil {
			t.Errorf("docs/flows.md: %v in\n%s", err, source)
		}
	}
	for _, block := range fenced(t, "expr") {
		for source := range strings.Lines(block) {
			e, err := newExpression(strings.TrimSpace(source), true)
			if err != nil {
				t.Errorf("docs/flows.md: %s: %v", strings.TrimSpace(source), err)
				continue
			}
			vars := map[string]any{
				"party": 9, "day": "2026-03-15", "today": "2026-03-15", "weekday": "sunday", "hour": 9, "city": "New York", "items": []any{1},
				"customer": map[string]any{"age": 20}, "heard": "I want a Refund", "email": "a@example.org",
			}
			if strings.Contains(source, "<=") {
				vars["party"] = 4
			}
			if holds, err := e.holds(vars); !holds || err != nil {
				t.Errorf("docs/flows.md: %s is %t, %v", strings.TrimSpace(source), holds, err)
			}
		}
	}
}

// TestPageIsComplete finds node types, their fields, kinds of edges, answers and
// variables that the page forgot.
func TestPageIsComplete(t *testing.T) {
	text := page(t)
	_, nodes, _ := strings.Cut(text, "\n## Nodes\n")
	nodes, _, _ = strings.Cut(nodes, "\n## ")
	for name, kind := range nodeTypes {
		_, section, found := strings.Cut(nodes, "\n### "+name+"\n")
		if !found {
			t.Errorf("docs/flows.md does not explain the node %s", name)
			continue
		}
		section, _, _ = strings.Cut(section, "\n### ")
		names(t, "the node "+name, section, reflect.TypeOf(kind.fresh()).Elem())
	}
	names(t, "an edge", text, reflect.TypeFor[Edge]())
	names(t, "the settings", text, reflect.TypeFor[Settings]())
	names(t, "a flow", text, reflect.TypeFor[Graph]())
	for _, kind := range edgeKinds {
		mentions(t, "edges", text, string(kind))
	}
	for kind := range answerReaders {
		mentions(t, "answers", text, string(kind))
	}
	for _, name := range builtins[:8] { // the others belong to the call
		mentions(t, "variables", text, name)
	}
}

// names checks that text has every JSON field of a type.
func names(t *testing.T, what, text string, of reflect.Type) {
	t.Helper()
	for _, f := range reflect.VisibleFields(of) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" && name != "nodes" {
			mentions(t, what, text, name)
		}
	}
}

func mentions(t *testing.T, what, text, word string) {
	t.Helper()
	if !strings.Contains(text, "`"+word+"`") && !strings.Contains(text, `"`+word+`"`) {
		t.Errorf("docs/flows.md: %s: %s is not explained", what, word)
	}
}
