package api

import (
	"bytes"
	"cmp"
	"html/template"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// reference renders a contract as a page that needs nothing from elsewhere.
func reference(contract *huma.OpenAPI) ([]byte, error) {
	type operation struct{ Method, Path, Summary, Description, Tag string }
	var all []operation
	for path, item := range contract.Paths {
		for method, op := range map[string]*huma.Operation{
			"GET": item.Get, "POST": item.Post, "PATCH": item.Patch, "PUT": item.Put, "DELETE": item.Delete,
		} {
			if op != nil {
				all = append(all, operation{method, path, op.Summary, op.Description, op.Tags[0]})
			}
		}
	}
	slices.SortFunc(all, func(a, b operation) int {
		return cmp.Or(cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	var page bytes.Buffer
	err := referencePage.Execute(&page, map[string]any{"Info": contract.Info, "Operations": all})
	return page.Bytes(), err
}

var referencePage = template.Must(template.New("reference").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Info.Title}} API</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2024; background: #fff }
table { border-collapse: collapse; width: 100% }
td { border-top: 1px solid #d9dce0; padding: .4rem .6rem; vertical-align: top }
code { font-family: ui-monospace, monospace }
.tag td { border: 0; padding-top: 1.6rem; font-weight: 600 }
@media (prefers-color-scheme: dark) { body { color: #edeef0; background: #111113 } td { border-color: #363a3f } a { color: #70b8ff } }
</style>
<h1>{{.Info.Title}} API {{.Info.Version}}</h1>
<p>{{.Info.Description}} Send your key as <code>Authorization: Bearer YOUR_API_KEY</code>.
The whole contract, with every field, is <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
<table>
{{$tag := ""}}{{range .Operations}}{{if ne .Tag $tag}}{{$tag = .Tag}}<tr class="tag"><td colspan="3">{{.Tag}}</td></tr>
{{end}}<tr><td><code>{{.Method}}</code></td><td><code>{{.Path}}</code></td><td>{{.Summary}}</td></tr>
{{end}}</table>
</html>
`))
