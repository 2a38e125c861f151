package wire

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/domain"
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

// TestContractTellsFaults: a route whose errors differ says all forms of them.
func TestContractTellsFaults(t *testing.T) {
	type Usual struct{ A string }
	type Own struct{ B string }
	shape := func(err *domain.Error) (int, any) {
		if err.Noun == "Agent" {
			return 404, Own{}
		}
		return 400, Usual{}
	}
	rt := NewRouter(RouterOptions{Title: "T", Version: "1", ErrorBody: Usual{}})
	rt.Raw(Route{Method: http.MethodGet, Path: "/own", ID: "own", Summary: "X", Scope: AnyScope, Shape: shape}, &huma.Operation{}, nil)
	rt.Raw(Route{Method: http.MethodGet, Path: "/usual", ID: "usual", Summary: "X", Scope: AnyScope}, &huma.Operation{}, nil)
	if err := rt.Err(); err != nil {
		t.Fatal(err)
	}
	of := func(path string) *huma.Schema {
		return rt.Contract().Paths[path].Get.Responses["default"].Content["application/json"].Schema
	}
	own := of("/own").AnyOf
	if len(own) != 2 || own[0].Ref != "#/components/schemas/Own" || own[1].Ref != "#/components/schemas/Usual" || of("/usual").Ref != own[1].Ref {
		t.Errorf("%+v, %+v", of("/own"), of("/usual"))
	}
}
