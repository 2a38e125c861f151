package reference

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

type inner struct {
	Word  string  `json:"word" enum:"a,b"`
	Count *int    `json:"count" doc:"How many."`
	Again []inner `json:"again"`
}

type outer struct {
	Zulu  string         `json:"zulu" doc:"Required: the last letter."`
	Alpha string         `json:"alpha,omitempty" format:"date-time" doc:"Required in a new one."`
	To    string         `json:"to"`
	Inner inner          `json:"inner"`
	List  []inner        `json:"list"`
	Free  map[string]any `json:"free"`
	Mine  string         `json:"mine" example:"O'Hara"`
}

// sample is a sheet and the schema of outer.
func sample() (sheet, *huma.Schema) {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	return sheet{registry: registry, prefix: "/klen"}, registry.Schema(reflect.TypeFor[outer](), true, "")
}

func TestFields(t *testing.T) {
	s, schema := sample()
	fields := s.fields(schema)
	var names []string
	for _, f := range fields {
		names = append(names, f.Name)
		if f.Depth > deepest {
			t.Errorf("%s is %d deep", f.Name, f.Depth)
		}
	}
	all := strings.Join(names, " ")
	if !strings.HasPrefix(all, "zulu alpha to inner inner.word inner.count inner.again inner.again[].word") || !strings.Contains(all, " list[].count ") {
		t.Errorf("%s", all)
	}
	for i, want := range map[int]field{
		0: {Name: "zulu", Type: "string", Required: true, Doc: "the last letter."},
		1: {Name: "alpha", Type: "string, date-time", Doc: "Required in a new one."},
		4: {Name: "inner.word", Type: "a | b", Required: true, Depth: 1},
		5: {Name: "inner.count", Type: "integer or null", Required: true, Doc: "How many.", Depth: 1},
	} {
		if fields[i] != want {
			t.Errorf("%+v, want %+v", fields[i], want)
		}
	}
}

// TestExample: examples are JSON, and what a shell reads is what was meant.
func TestExample(t *testing.T) {
	s, schema := sample()
	text := s.example(schema)
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if v["to"] != "+15551234567" || v["alpha"] != "2025-01-15T14:23:00Z" || v["mine"] != "O'Hara" || v["inner"].(map[string]any)["word"] != "a" {
		t.Errorf("%s", text)
	}
	curl := s.curl("POST", "/api/v1/agents/{id}", "application/json", text)
	if !strings.HasPrefix(curl, `curl -X POST "https://your-domain.com/klen/api/v1/agents/:id" \`) || !strings.Contains(curl, `O'\''Hara`) {
		t.Errorf("%s", curl)
	}
	if got := s.curl("GET", "/x", "", ""); strings.Contains(got, "-X") || strings.Contains(got, " -d ") {
		t.Errorf("%s", got)
	}
	if got := s.example(&huma.Schema{Type: huma.TypeObject}); got != "" {
		t.Errorf("an object without fields has the example %s", got)
	}
}

// TestPageEscapes: nothing of a contract is markup.
func TestPageEscapes(t *testing.T) {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	evil := `<script>alert("x")</script>`
	page, err := Page(Options{Contract: &huma.OpenAPI{
		Info:       &huma.Info{Title: evil, Version: evil, Description: evil},
		Components: &huma.Components{Schemas: registry},
		Paths: map[string]*huma.PathItem{"/" + evil: {
			Patch: &huma.Operation{OperationID: "a", Summary: "Change", Description: evil, Tags: []string{evil}},
			Put:   &huma.Operation{OperationID: "b", Summary: "Change"},
			Get:   &huma.Operation{OperationID: "c", Summary: evil},
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(page), "<script") || !strings.Contains(string(page), "&lt;script&gt;") {
		t.Errorf("%s", page)
	}
	if strings.Count(string(page), "<section") != 2 || !strings.Contains(string(page), `<a id="b"></a>`) {
		t.Error("a PUT that does what the PATCH does is shown twice, or cannot be reached")
	}
}
