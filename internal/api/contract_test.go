package api_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/callwright/callwright/internal/api/native"
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// madeFaces are all dialects that the program has, without rules behind them.
var madeFaces = sync.OnceValues(func() (all []*wire.Dialect, err error) {
	for _, build := range dialects {
		d, err := build(wire.Options{Version: "1"})
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
})

// faces are the dialects, to read their routes and contracts.
func faces(t testing.TB) []*wire.Dialect {
	t.Helper()
	all, err := madeFaces()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// contractOf is a dialect's contract as people keep it in a file.
func contractOf(t testing.TB, d *wire.Dialect) []byte {
	t.Helper()
	raw, err := d.Router.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// TestContract compares what the program serves with the copies in docs.
func TestContract(t *testing.T) {
	for _, d := range faces(t) {
		file := "../../docs/openapi/" + d.Name + ".json"
		got := contractOf(t, d)
		if *rewrite {
			if err := os.WriteFile(file, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("docs/openapi/%s.json is not what the program serves; run: go test ./internal/api -update", d.Name)
		}
		for _, leak := range []string{"ErrorModel", "$schema", "removal"} {
			if strings.Contains(string(got), leak) {
				t.Errorf("the contract of %s contains %q", d.Name, leak)
			}
		}
	}
}

func TestContractIsServed(t *testing.T) {
	a := start(t, domain.Starter)
	for _, d := range faces(t) {
		for _, prefix := range []string{d.Prefix, "/sandbox" + d.Prefix} {
			served := a.send("GET", prefix+"/openapi.json", "", "")
			var contract struct {
				OpenAPI string
				Paths   map[string]map[string]any
			}
			a.ok(json.Unmarshal([]byte(served.body), &contract))
			if contract.OpenAPI != "3.1.0" || len(contract.Paths) != len(d.Router.Contract().Paths) {
				t.Errorf("%s/openapi.json: %.300s", prefix, served.body)
			}
		}
	}
}

// TestRouteWithoutScope: a route that does not say who may use it is refused.
func TestRouteWithoutScope(t *testing.T) {
	for _, r := range []wire.Route{
		{Method: "GET", Path: "/x", ID: "x", Summary: "X"},
		{Method: "GET", Path: "/x", ID: "x", Summary: "X", Scope: "agents"},
		{Method: "GET", Path: "/x", ID: "x", Summary: "X", Scope: "agents:delete"},
		{Method: "GET", Path: "/x", Scope: "agents:read"},
	} {
		rt := wire.NewRouter(wire.RouterOptions{Shape: native.Shape, ErrorBody: native.Fault{}})
		rt.Raw(r, nil, nil)
		if rt.Err() == nil {
			t.Errorf("%+v was taken", r)
		}
	}
}
