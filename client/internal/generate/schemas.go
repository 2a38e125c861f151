package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// generator turns a contract into Go.
type generator struct {
	*contract
	named  map[string]*schema // types to write, by Go name
	inline map[string]string  // Go names of schemas that have no name, by their JSON
	sent   map[string]bool    // types that only requests have: their optional members are Fields
}

func newGenerator(c *contract) (*generator, error) {
	g := &generator{contract: c, named: map[string]*schema{}, inline: map[string]string{}, sent: map[string]bool{}}
	for name, s := range c.Components.Schemas {
		if _, twice := g.named[exported(name)]; twice {
			return nil, fmt.Errorf("two schemas are called %s in Go", exported(name))
		}
		g.named[exported(name)] = s
	}
	received := map[string]bool{}
	for _, op := range c.operations() {
		if _, s := op.success(); s != nil {
			g.name(s, noun(op.OperationID), received)
		}
	}
	for _, op := range c.operations() {
		if _, s := op.body(); s != nil {
			g.name(s, noun(op.OperationID)+"Fields", g.sent)
		}
	}
	for name := range received {
		delete(g.sent, name)
	}
	return g, nil
}

// name gives the objects in s that have no name one, and notes all that are
// reached.
func (g *generator) name(s *schema, hint string, reached map[string]bool) {
	if s == nil {
		return
	}
	if s.Ref != "" {
		name := g.ref(s)
		if reached[name] {
			return
		}
		reached[name] = true
		g.members(g.named[name], name, reached)
		return
	}
	if s.object() {
		key := identity(s)
		if g.inline[key] == "" {
			g.inline[key] = g.free(hint)
			g.named[g.inline[key]] = s
		}
		reached[g.inline[key]] = true
	}
	g.members(s, hint, reached)
}

func (g *generator) members(s *schema, hint string, reached map[string]bool) {
	if s == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		g.name(s.Properties[name], hint+exported(name), reached)
	}
	g.name(s.Items, hint, reached)
	g.name(s.AdditionalProperties.Of, hint, reached)
}

// free returns a name that no type has.
func (g *generator) free(hint string) string {
	name := hint
	for n := 2; g.named[name] != nil; n++ {
		name = fmt.Sprint(hint, n)
	}
	return name
}

func (g *generator) ref(s *schema) string {
	return exported(s.Ref[strings.LastIndexByte(s.Ref, '/')+1:])
}

// identity is the same for the same schemas.
func identity(s *schema) string {
	raw, _ := json.Marshal(s) // what was read can be written
	return string(raw)
}

// goType is the Go type of s, as it is without null.
func (g *generator) goType(s *schema) string {
	switch {
	case s == nil:
		return "any"
	case s.Ref != "":
		return g.ref(s)
	case s.object():
		return g.inline[identity(s)]
	}
	switch s.kind() {
	case "string":
		if s.Format == "date-time" {
			return "time.Time"
		}
		return "string"
	case "integer":
		return "int64"
	case "number":
		return "float64"
	case "boolean":
		return "bool"
	case "array":
		return "[]" + g.goType(s.Items)
	case "object":
		return "map[string]" + g.goType(s.AdditionalProperties.Of)
	}
	return "any"
}

// fieldType is the Go type of a member, and the options of its tag.
func (g *generator) fieldType(owner string, s *schema, required bool) (goType, options string) {
	goType = g.goType(s)
	switch {
	case !required && g.sent[owner]:
		return "Field[" + goType + "]", ",omitzero"
	case s.Ref != "" && g.named[goType].object(), s.object():
		goType = "*" + goType // null, whatever the contract says
	case s.nullable() && slices.Contains([]string{"integer", "number", "boolean"}, s.kind()):
		goType = "*" + goType
	}
	if !required {
		options = ",omitzero"
	}
	return goType, options
}

// schemas writes all types.
func (g *generator) schemas() ([]byte, error) {
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(g.named)) {
		s := g.named[name]
		doc := cmpOr(s.Description, "is a schema of the API's contract.")
		if s.Description != "" {
			doc = "is: " + doc
		}
		out.WriteString("\n" + comment("", name+" "+doc))
		if !s.object() {
			fmt.Fprintf(&out, "type %s %s\n", name, g.goType(s))
			continue
		}
		fmt.Fprintf(&out, "type %s struct {\n", name)
		seen := map[string]bool{}
		for _, member := range slices.Sorted(maps.Keys(s.Properties)) {
			field, of := exported(member), s.Properties[member]
			if seen[field] {
				return nil, fmt.Errorf("%s has two members that are called %s in Go", name, field)
			}
			seen[field] = true
			if of.Description != "" {
				out.WriteString(comment("\t", of.Description))
			}
			goType, options := g.fieldType(name, of, s.requires(member))
			fmt.Fprintf(&out, "\t%s %s `json:%q`\n", field, goType, member+options)
		}
		out.WriteString("}\n")
	}
	return out.Bytes(), nil
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
