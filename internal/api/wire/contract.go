package wire

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/domain"
)

// Contract returns the contract, to read it or to add to it. Err completes it.
func (rt *Router) Contract() *huma.OpenAPI { return rt.api.OpenAPI() }

// complete makes the contract tell what huma leaves out.
func (rt *Router) complete() {
	contract := rt.api.OpenAPI()
	schemas := contract.Components.Schemas
	// huma adds the schemas of its own errors, which are never sent.
	delete(schemas.Map(), "ErrorModel")
	delete(schemas.Map(), "ErrorDetail")
	for name, schema := range schemas.Map() {
		if t := schemas.TypeFromRef("#/components/schemas/" + name); t != nil {
			markNulls(schema, t)
		}
	}
}

// OpenAPI returns the contract as JSON, OpenAPI 3.1.
func (rt *Router) OpenAPI() ([]byte, error) {
	raw, err := rt.Contract().MarshalJSON()
	if err != nil {
		return nil, err
	}
	var doc any
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, err
	}
	return json.Marshal(tellNulls(doc))
}

// faultOf describes the errors of r.
func (rt *Router) faultOf(r Route) *huma.Response {
	bodies := []any{rt.fault}
	if r.Shape != nil {
		bodies = nil
		for _, err := range []*domain.Error{
			domain.NotFound("Agent", ""), domain.Errorf(domain.CodeInternal, ""), domain.Errorf(domain.CodeUnauthorized, ""),
		} {
			_, body := r.Shape(err)
			bodies = append(bodies, body)
		}
	}
	registry := rt.api.OpenAPI().Components.Schemas
	schema := &huma.Schema{}
	for _, body := range bodies {
		one := registry.Schema(reflect.TypeOf(body), true, "Error")
		if !slices.ContainsFunc(schema.AnyOf, func(s *huma.Schema) bool { return s.Ref == one.Ref }) {
			schema.AnyOf = append(schema.AnyOf, one)
		}
	}
	if len(schema.AnyOf) == 1 {
		schema = schema.AnyOf[0]
	}
	return &huma.Response{Description: "Error", Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
}

// markNulls notes which fields of t, the type behind schema, may be null
// although they are objects with a schema of their own: huma leaves that out.
func markNulls(schema *huma.Schema, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		field := schema.Properties[name]
		if field == nil || field.Ref == "" {
			continue
		}
		pointer := f.Type.Kind() == reflect.Pointer && !strings.Contains(options, "omitempty")
		if _, optional := reflect.Zero(f.Type).Interface().(interface{ optional() }); pointer || optional {
			field.Nullable = true
		}
	}
}

// optional tells Opt from other generic types.
func (Opt[T]) optional() {}

// tellNulls rewrites what huma prints of schemas that may be null into what JSON
// Schema 2020-12 means by it: a reference or null, and a list of values with
// null among them.
func tellNulls(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = tellNulls(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = tellNulls(v[name])
		}
		types, _ := v["type"].([]any)
		if !slices.Contains(types, any("null")) {
			return v
		}
		if values, ok := v["enum"].([]any); ok && !slices.Contains(values, nil) {
			v["enum"] = append(values, nil)
		}
		if slices.Contains(types, any("")) {
			delete(v, "type") // anything, null among it
		}
		if ref, ok := v["$ref"]; ok {
			delete(v, "$ref")
			v["anyOf"] = []any{map[string]any{"$ref": ref}, map[string]any{"type": "null"}}
		}
	}
	return v
}
