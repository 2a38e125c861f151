// Package reference renders the contract of a dialect as a page for people: one
// HTML document that needs nothing from anywhere else.
package reference

import (
	"bytes"
	"cmp"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Options are what a page shows beside its contract.
type Options struct {
	Contract *huma.OpenAPI // with at least one server's worth of paths
	Prefix   string        // goes before every path in examples: "/trillet", or ""
	Faults   []Fault       // the errors of the dialect, in the order to show
	Limits   []Limit       // requests a minute by plan
	Others   []Link        // the pages of the other dialects
}

// Fault is one error as clients receive it.
type Fault struct {
	Status int
	Body   string // JSON
}

// Limit is how many requests a minute a plan has.
type Limit struct{ Plan, Requests string }

// Link is a name and the address that it leads to.
type Link struct{ Name, Href string }

// Policy is the Content-Security-Policy to serve a page with: browsers then
// fetch nothing for it, from any host.
const Policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Page renders the reference of one dialect.
func Page(o Options) ([]byte, error) {
	s := sheet{registry: o.Contract.Components.Schemas, prefix: o.Prefix}
	var out bytes.Buffer
	err := page.Execute(&out, map[string]any{
		"Info": o.Contract.Info, "Chapters": s.chapters(o.Contract), "Options": o, "Prefix": o.Prefix,
		"Keys": keys(o.Contract),
	})
	return out.Bytes(), err
}

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"lower": strings.ToLower, "status": http.StatusText,
}).Parse(pageText))

// sheet turns the parts of one contract into what the template shows.
type sheet struct {
	registry huma.Registry
	prefix   string
}

// chapter is all operations of a tag.
type chapter struct {
	Name       string
	Operations []*operation
}

// operation is one route; verbs that do the same share one.
type operation struct {
	IDs         []string
	Methods     []string
	Path        string
	Summary     string
	Description string
	Parameters  []field
	Body        []field
	BodyType    string // its media type
	Curl        string
	Answers     []answer
}

// answer is one kind of success.
type answer struct {
	Status      string
	Description string
	Headers     []field
	Fields      []field
	Example     string
}

// methodOrder is the order in which the verbs of a path are shown.
var methodOrder = []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete}

// chapters sorts the operations by tag, path and method.
func (s *sheet) chapters(contract *huma.OpenAPI) []chapter {
	byTag := make(map[string][]*operation)
	for path, item := range contract.Paths {
		ops := []*huma.Operation{item.Get, item.Post, item.Patch, item.Put, item.Delete}
		for i, op := range ops {
			if op == nil {
				continue
			}
			tag := "other"
			if len(op.Tags) > 0 {
				tag = op.Tags[0]
			}
			if twin := sameChange(ops, i); twin != nil { // shown with the PATCH before it
				continue
			}
			shown := s.operation(path, methodOrder[i], op)
			if i == 2 && sameChange(ops, 3) != nil {
				shown.IDs = append(shown.IDs, ops[3].OperationID)
				shown.Methods = append(shown.Methods, http.MethodPut)
			}
			byTag[tag] = append(byTag[tag], shown)
		}
	}
	var all []chapter
	for tag, ops := range byTag {
		slices.SortFunc(ops, func(a, b *operation) int {
			return cmp.Or(cmp.Compare(a.Path, b.Path),
				cmp.Compare(slices.Index(methodOrder, a.Methods[0]), slices.Index(methodOrder, b.Methods[0])))
		})
		all = append(all, chapter{tag, ops})
	}
	slices.SortFunc(all, func(a, b chapter) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// sameChange returns the PATCH of a path when ops[i] is the PUT that says the
// same of itself.
func sameChange(ops []*huma.Operation, i int) *huma.Operation {
	if i != 3 || ops[2] == nil || ops[3] == nil || ops[2].Summary != ops[3].Summary {
		return nil
	}
	return ops[2]
}

func (s *sheet) operation(path, method string, op *huma.Operation) *operation {
	o := &operation{
		IDs: []string{op.OperationID}, Methods: []string{method}, Path: path, Summary: op.Summary, Description: op.Description,
	}
	for _, p := range op.Parameters {
		f := s.field(p.Name, p.Schema, p.Required, 0)
		f.In, f.Doc = p.In, cmp.Or(p.Description, f.Doc)
		o.Parameters = append(o.Parameters, f)
	}
	var example string
	if op.RequestBody != nil {
		var media *huma.MediaType
		if o.BodyType, media = first(op.RequestBody.Content); media != nil {
			o.Body = s.fields(media.Schema)
			example = s.example(media.Schema)
		}
	}
	o.Curl = s.curl(method, path, o.BodyType, example)
	for status, r := range op.Responses {
		if status != "default" {
			o.Answers = append(o.Answers, s.answer(status, r))
		}
	}
	slices.SortFunc(o.Answers, func(a, b answer) int { return cmp.Compare(a.Status, b.Status) })
	return o
}

func (s *sheet) answer(status string, r *huma.Response) answer {
	a := answer{Status: status, Description: r.Description}
	for name, h := range r.Headers {
		f := s.field(name, h.Schema, false, 0)
		f.Doc = cmp.Or(h.Description, f.Doc)
		a.Headers = append(a.Headers, f)
	}
	slices.SortFunc(a.Headers, func(a, b field) int { return cmp.Compare(a.Name, b.Name) })
	if media, content := first(r.Content); content != nil {
		if media == "application/json" {
			a.Fields, a.Example = s.fields(content.Schema), s.example(content.Schema)
		} else {
			a.Description += " (" + media + ")"
		}
	}
	return a
}

// first returns the JSON of a body, or what else there is.
func first(content map[string]*huma.MediaType) (string, *huma.MediaType) {
	if m := content["application/json"]; m != nil {
		return "application/json", m
	}
	for name, m := range content {
		return name, m
	}
	return "", nil
}

// keys says in words how a key may be sent.
func keys(contract *huma.OpenAPI) []string {
	var all []string
	for _, s := range contract.Components.SecuritySchemes {
		switch {
		case s.Type == "http" && s.Scheme == "bearer":
			all = append(all, "Authorization: Bearer YOUR_API_KEY")
		case s.Type == "apiKey" && s.In == "header":
			all = append(all, s.Name+": YOUR_API_KEY")
		case s.Type == "apiKey":
			all = append(all, "?"+s.Name+"=YOUR_API_KEY")
		}
	}
	slices.Sort(all)
	return all
}
