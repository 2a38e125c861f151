package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// contract is what the generator reads of an OpenAPI 3.1 document.
type contract struct {
	Paths      map[string]map[string]*operation
	Components struct{ Schemas map[string]*schema }
}

// operation is one method of one path.
type operation struct {
	OperationID string
	Summary     string
	Description string
	Parameters  []parameter
	RequestBody *struct{ Content map[string]media }
	Responses   map[string]struct{ Content map[string]media }

	method, path string
}

type parameter struct {
	Name, In, Description string
	Schema                *schema
}

type media struct{ Schema *schema }

// schema is a JSON Schema as the contract uses it; what else there may be
// becomes any value.
type schema struct {
	Ref                  string `json:"$ref"`
	Type                 types
	Format               string
	Description          string
	Properties           map[string]*schema
	Required             []string
	Items                *schema
	AdditionalProperties additional
}

// types is the keyword "type": a name, or several.
type types []string

// UnmarshalJSON takes both forms.
func (t *types) UnmarshalJSON(raw []byte) error {
	var one string
	if err := json.Unmarshal(raw, &one); err == nil {
		*t = types{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(t))
}

// additional is the keyword "additionalProperties": a schema, or whether there
// may be any.
type additional struct{ Of *schema }

// UnmarshalJSON takes both forms; true is any value.
func (a *additional) UnmarshalJSON(raw []byte) error {
	switch string(raw) {
	case "false", "null":
		return nil
	case "true":
		a.Of = &schema{}
		return nil
	}
	return json.Unmarshal(raw, &a.Of)
}

// nullable reports whether null is a value.
func (s *schema) nullable() bool { return slices.Contains(s.Type, "null") }

// kind is the one type beside null, or "".
func (s *schema) kind() string {
	for _, t := range s.Type {
		if t != "null" {
			return t
		}
	}
	return ""
}

// object reports whether s is an object with named members.
func (s *schema) object() bool { return s.Ref == "" && s.kind() == "object" && len(s.Properties) > 0 }

func (s *schema) requires(name string) bool { return slices.Contains(s.Required, name) }

// read parses a contract.
func read(raw []byte) (*contract, error) {
	var c contract
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("the contract: %w", err)
	}
	for path, methods := range c.Paths {
		for method, op := range methods {
			op.method, op.path = strings.ToUpper(method), path
			if op.OperationID == "" {
				return nil, fmt.Errorf("%s %s has no operationId", op.method, path)
			}
		}
	}
	return &c, nil
}

// operations lists all operations by operationId.
func (c *contract) operations() []*operation {
	var all []*operation
	for _, methods := range c.Paths {
		for _, op := range methods {
			all = append(all, op)
		}
	}
	slices.SortFunc(all, func(a, b *operation) int { return strings.Compare(a.OperationID, b.OperationID) })
	return all
}

// success returns what an operation answers when it works: the kind of content
// and its schema, nil without a body.
func (op *operation) success() (contentType string, s *schema) {
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		content := op.Responses[status].Content
		if strings.HasPrefix(status, "2") && len(content) > 0 {
			return preferred(content)
		}
	}
	return "", nil
}

// body returns what an operation takes, "" when nothing.
func (op *operation) body() (contentType string, s *schema) {
	if op.RequestBody == nil {
		return "", nil
	}
	return preferred(op.RequestBody.Content)
}

// preferred is JSON when there is JSON, else the first by name.
func preferred(content map[string]media) (contentType string, s *schema) {
	for name, m := range content {
		if name == "application/json" {
			return name, m.Schema
		}
		if contentType == "" || name < contentType {
			contentType, s = name, m.Schema
		}
	}
	return contentType, s
}

// in returns the parameters of one place, in the contract's order.
func (op *operation) in(place string) []parameter {
	var found []parameter
	for _, p := range op.Parameters {
		if p.In == place {
			found = append(found, p)
		}
	}
	return found
}
