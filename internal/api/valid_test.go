package api_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/callwright/callwright/internal/api/wire"
)

// TestContractIsOpenAPI checks every contract against the schema that the
// OpenAPI Initiative publishes for OpenAPI 3.1, and each schema in it against
// that of JSON Schema 2020-12.
func TestContractIsOpenAPI(t *testing.T) {
	raw, err := os.ReadFile("testdata/openapi-3.1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("openapi.json", decoded(t, raw)); err != nil {
		t.Fatal(err)
	}
	openapi, err := compiler.Compile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if openapi.Validate(decoded(t, []byte(`{"openapi":"3.1.0","info":{"title":"t"}}`))) == nil {
		t.Error("a contract without a version passes")
	}
	for _, d := range faces(t) {
		if err := openapi.Validate(decoded(t, contractOf(t, d))); err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
		c := newContract(t, d)
		for name := range d.Router.Contract().Components.Schemas.Map() {
			if _, err := c.compiler.Compile(d.Name + ".json#/components/schemas/" + name); err != nil {
				t.Errorf("%s: %s: %v", d.Name, name, err)
			}
		}
	}
}

func decoded(t testing.TB, raw []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// contract tells whether answers are what a dialect's contract says.
type contract struct {
	*wire.Dialect
	compiler *jsonschema.Compiler
	ids      map[string]wire.Route // the routes that are in the contract, by id
	known    map[string]*jsonschema.Schema
}

// readContracts are those that were read before, by dialect.
var readContracts = make(map[string]*contract)

func newContract(t testing.TB, d *wire.Dialect) *contract {
	t.Helper()
	if c := readContracts[d.Name]; c != nil {
		return c
	}
	c := &contract{Dialect: d, compiler: jsonschema.NewCompiler(), ids: make(map[string]wire.Route), known: make(map[string]*jsonschema.Schema)}
	if err := c.compiler.AddResource(d.Name+".json", decoded(t, contractOf(t, d))); err != nil {
		t.Fatal(err)
	}
	for _, r := range d.Router.Routes() {
		if !r.Hidden {
			c.ids[r.ID] = r
		}
	}
	readContracts[d.Name] = c
	return c
}

// route finds the route that serves a path without prefixes, under the name
// that it has in the contract; aliases have that of the route they lead to.
func (c *contract) route(method, target string) (wire.Route, bool) {
	target = strings.TrimSuffix(strings.SplitN(target, "?", 2)[0], "/")
	if method == http.MethodHead || target == "" {
		return wire.Route{}, false
	}
	r, _, found := c.Router.Match(httptest.NewRequest(method, target, nil))
	r, inContract := c.ids[routeID(r)]
	return r, found && inContract
}

// check fails unless an answer of a route is of the documented form.
func (c *contract) check(t testing.TB, r wire.Route, got reply) {
	t.Helper()
	if got.body == "" || !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
		return
	}
	status := strconv.Itoa(got.status)
	if got.status >= http.StatusBadRequest {
		status = "default"
	}
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	at := c.Name + ".json#/paths/" + escape.Replace(r.Path) + "/" + strings.ToLower(r.Method) + "/responses/" + status + "/content/application~1json/schema"
	schema := c.known[at]
	if schema == nil {
		var err error
		if schema, err = c.compiler.Compile(at); err != nil {
			t.Errorf("%s %s answers %d, which its contract does not have: %v", r.Method, r.Path, got.status, err)
			return
		}
		c.known[at] = schema
	}
	if err := schema.Validate(decoded(t, []byte(got.body))); err != nil {
		t.Errorf("%s %s answers otherwise than its contract says: %v\n%s", r.Method, r.Path, err, got.body)
	}
}

// contracts are those of all dialects, to check answers with.
type contracts []*contract

func allContracts(t testing.TB) contracts {
	t.Helper()
	var all contracts
	for _, d := range faces(t) {
		all = append(all, newContract(t, d))
	}
	return all
}

// check finds the route of a request by the rules of prefixes, hosts and owned
// paths, and checks its answer.
func (all contracts) check(t testing.TB, method, target, host string, got reply) {
	t.Helper()
	target = strings.TrimPrefix(target, "/sandbox")
	for _, c := range all {
		if rest, found := strings.CutPrefix(target, c.Prefix+"/"); found {
			if r, found := c.route(method, "/"+rest); found {
				c.check(t, r, got)
			}
			return
		}
	}
	for _, c := range all {
		for _, name := range c.Hosts {
			if host == name || strings.Replace(name, "api.", "api-sandbox.", 1) == host {
				if r, found := c.route(method, target); found {
					c.check(t, r, got)
				}
				return
			}
		}
	}
	if r, found := all[0].route(method, target); found {
		all[0].check(t, r, got)
	}
}
