package flow

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFill(t *testing.T) {
	vars := map[string]any{
		"name": "Ann", "n": 3.0, "half": 0.5, "i": 7, "yes": true, "null": nil, "big": 1e21, "num": json.Number("12.50"),
		"braces": "{{name}}", "a.b": "dotted", "Company Name": "Acme",
		"customer": map[string]any{"name": "Bo", "tags": []any{"x", map[string]any{"y": 1.0}}, "html": "<&>"},
		"list":     []any{1.0, "two", nil},
	}
	for _, c := range []struct{ text, want, missing string }{
		{"Hi {{name}}!", "Hi Ann!", ""}, {"{{ name }}{{name}}", "AnnAnn", ""}, {"no braces", "no braces", ""}, {"", "", ""},
		{"{{n}} {{half}} {{i}} {{yes}} {{null}}.", "3 0.5 7 true .", ""}, {"{{big}} {{num}}", "1000000000000000000000 12.50", ""},
		{"{{customer.name}} {{customer.tags.0}} {{customer.tags.1.y}}", "Bo x 1", ""}, {"{{list}}", `[1,"two",null]`, ""},
		{"{{customer}}", `{"html":"<&>","name":"Bo","tags":["x",{"y":1}]}`, ""}, {"{{a.b}}", "dotted", ""}, {"{{Company Name}}", "Acme", ""},
		{"{{braces}}", "{{name}}", ""}, {"{{gone}}-{{gone}}-{{customer.gone}}", "--", "gone customer.gone"}, {"{{list.9}}{{list.-1}}{{list.x}}", "", "list.9 list.-1 list.x"},
		{"{{name.x}}", "", "name.x"}, {"{{", "{{", ""}, {"{{name", "{{name", ""}, {"{{}}", "{{}}", ""}, {"{{{name}}}", "{Ann}", ""}, {"a }} b", "a }} b", ""},
		{"{{x\ny}}", "{{x\ny}}", ""}, {"{{ {{name}}", "{{ Ann", ""},
	} {
		got, missing := Fill(c.text, vars)
		if got != c.want || strings.Join(missing, " ") != c.missing {
			t.Errorf("Fill(%q) = %q, missing %q; want %q, missing %q", c.text, got, missing, c.want, c.missing)
		}
	}
}

func TestFillEnds(t *testing.T) {
	long := map[string]any{"x": strings.Repeat("é", 20_000)}
	got, _ := Fill(strings.Repeat("{{x}}", 5000), long)
	if len(got) > maxFilled || len(got) < maxFilled-2 || !utf8.ValidString(got) {
		t.Errorf("%d bytes, valid %v", len(got), utf8.ValidString(got))
	}
	if got, _ := Fill(strings.Repeat("y", maxFilled+5), nil); len(got) != maxFilled {
		t.Errorf("%d bytes without variables", len(got))
	}
}

func FuzzFill(f *testing.F) {
	f.Add("Hi {{name}} {{a.b.0}} {{", "v{{name}}")
	f.Add("{{{{a}}}}", "\xff")
	f.Fuzz(func(t *testing.T, text, value string) {
		out, _ := Fill(text, map[string]any{"name": value, "a": map[string]any{"b": []any{value}}})
		if len(out) > maxFilled {
			t.Fatalf("%d bytes", len(out))
		}
	})
}

func TestExpressions(t *testing.T) {
	env := map[string]any{"n": 5, "s": "Oslo", "list": []any{1.0}, "object": map[string]any{"a": 1.0}, "f": 2.5, "day": "2026-03-04"}
	for _, c := range []struct {
		source string
		want   bool
		fails  bool
	}{
		{"n > 3", true, false}, {"n > f", true, false}, {"s == 'Oslo' && n == 5", true, false}, {"lower(s) contains 'os'", true, false},
		{"gone == nil", true, false}, {"gone", false, false}, {"gone > 3", false, true}, {"gone.deeper == 1", false, true}, {"object.a == 1", true, false},
		{"object.b == nil", true, false}, {"(gone ?? 0) < 1", true, false}, {"s", false, true}, {"day < '2026-04-01'", true, false},
		{"list[7] == 1", false, true}, {"all(1..100000000, true)", false, true}, {"s matches '^O'", true, false}, {"not (n in [1, 2])", true, false},
	} {
		e, err := newExpression(c.source, true)
		if err != nil {
			t.Errorf("%s: %v", c.source, err)
			continue
		}
		got, err := e.holds(env)
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("%s = %v, error %v", c.source, got, err)
		}
	}
	for _, source := range []string{"now() == nil", "nope(1)", strings.Repeat("1+", 1001) + "1 == 1"} {
		if _, err := newExpression(source, true); err == nil {
			t.Errorf("%.20s compiles", source)
		}
	}
}
