package reference

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// field is one line of a table of fields.
type field struct {
	Name     string // dotted below other fields: "analysis.summary", "turns[].text"
	In       string // of a parameter: path, query, header
	Type     string
	Required bool
	Doc      string
	Depth    int
}

// deepest is how far fields of fields are shown.
const deepest = 3

// fields lists the fields of an object, or of the objects of an array, with
// those of the objects in it.
func (s *sheet) fields(schema *huma.Schema) []field {
	return s.below(nil, "", schema, 0)
}

func (s *sheet) below(all []field, path string, schema *huma.Schema, depth int) []field {
	of := s.resolve(schema)
	if of == nil || depth > deepest {
		return all
	}
	if of.Type == huma.TypeArray {
		if path != "" || depth == 0 {
			path += "[]"
		}
		return s.below(all, path, of.Items, depth)
	}
	for _, name := range s.order(schema, of) {
		f := s.field(name, of.Properties[name], slices.Contains(of.Required, name), depth)
		f.Name = strings.TrimPrefix(path+"."+name, ".")
		all = append(all, f)
		all = s.below(all, f.Name, of.Properties[name], depth+1)
	}
	return all
}

func (s *sheet) field(name string, schema *huma.Schema, required bool, depth int) field {
	f := field{Name: name, Type: s.typeOf(schema), Required: required, Depth: depth}
	if schema != nil {
		f.Doc = schema.Description
	}
	// What is always required is said by the rules, not by the schema.
	if rest, ok := strings.CutPrefix(f.Doc, "Required"); ok && !strings.HasPrefix(rest, " in a new") {
		f.Required = true
		f.Doc = strings.TrimLeft(rest, ".,: ")
	}
	return f
}

// resolve follows a reference.
func (s *sheet) resolve(schema *huma.Schema) *huma.Schema {
	if schema != nil && schema.Ref != "" {
		return s.registry.SchemaFromRef(schema.Ref)
	}
	return schema
}

// typeOf is a schema's type in words.
func (s *sheet) typeOf(schema *huma.Schema) string {
	of := s.resolve(schema)
	if of == nil {
		return "any"
	}
	word := of.Type
	switch {
	case word == huma.TypeArray:
		word = "array of " + s.typeOf(of.Items)
	case word == "":
		word = "any"
	case of.Format != "" && of.Format != "int64" && of.Format != "int32" && of.Format != "double":
		word += ", " + of.Format
	}
	if len(of.Enum) > 0 {
		words := make([]string, len(of.Enum))
		for i, v := range of.Enum {
			words[i] = fmt.Sprint(v)
		}
		word = strings.Join(words, " | ")
	}
	if of.Nullable || schema.Nullable {
		word += " or null"
	}
	return word
}

// order lists an object's fields as its Go type has them, which is from the
// more to the less important; others follow by name.
func (s *sheet) order(schema, of *huma.Schema) []string {
	var names []string
	if schema.Ref != "" {
		if t := s.registry.TypeFromRef(schema.Ref); t != nil {
			names = jsonNames(t)
		}
	}
	kept := names[:0]
	for _, name := range names {
		if of.Properties[name] != nil && !slices.Contains(kept, name) {
			kept = append(kept, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(of.Properties)) {
		if !slices.Contains(kept, name) {
			kept = append(kept, name)
		}
	}
	return kept
}

// jsonNames lists the names that encoding/json gives to the fields of t.
func jsonNames(t reflect.Type) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case f.Anonymous && name == "":
			names = append(names, jsonNames(f.Type)...)
		case name != "":
			names = append(names, name)
		default:
			names = append(names, f.Name)
		}
	}
	return names
}
