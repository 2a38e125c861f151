package wire

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
)

// TestContractTellsNulls: what may be null says so in JSON Schema 2020-12.
func TestContractTellsNulls(t *testing.T) {
	type Inner struct {
		A string `json:"a"`
	}
	type Outer struct {
		Pointer *Inner        `json:"pointer"`
		Absent  *Inner        `json:"absent,omitempty"`
		There   Inner         `json:"there"`
		Opt     Opt[Inner]    `json:"opt,omitzero" doc:"An option."`
		Word    Opt[string]   `json:"word,omitzero" enum:"a,b"`
		Any     Opt[any]      `json:"any,omitzero"`
		Count   Opt[int]      `json:"count,omitzero"`
		List    Opt[[]string] `json:"list,omitzero"`
	}
	rt := NewRouter(RouterOptions{Title: "T", Version: "1", ErrorBody: Inner{}})
	Handle(rt, Route{Method: http.MethodPost, Path: "/x", ID: "x", Summary: "X", Scope: AnyScope},
		func(context.Context, *struct{ Body Outer }) (*struct{ Body Outer }, error) { return nil, nil })
	if err := rt.Err(); err != nil {
		t.Fatal(err)
	}
	raw, err := rt.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Components.Schemas) != 2 {
		t.Errorf("%d schemas", len(doc.Components.Schemas))
	}
	for name, want := range map[string]string{
		"pointer": `{"anyOf":[{"$ref":"#/components/schemas/Inner"},{"type":"null"}]}`,
		"absent":  `{"$ref":"#/components/schemas/Inner"}`,
		"there":   `{"$ref":"#/components/schemas/Inner"}`,
		"opt":     `{"anyOf":[{"$ref":"#/components/schemas/Inner"},{"type":"null"}],"description":"An option."}`,
		"word":    `{"enum":["a","b",null],"type":["string","null"]}`,
		"any":     `{}`,
		"count":   `{"format":"int64","maximum":9007199254740991,"minimum":-9007199254740991,"type":["integer","null"]}`,
		"list":    `{"items":{"type":"string"},"type":["array","null"]}`,
	} {
		if got := string(doc.Components.Schemas["Outer"].Properties[name]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
