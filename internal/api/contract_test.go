package api_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/api/native"
	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// TestContract compares what the program serves with the copy in docs.
func TestContract(t *testing.T) {
	const file = "../../docs/openapi/native.json"
	face, err := native.New(wire.Options{Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := face.Router.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	if *rewrite {
		if err := os.WriteFile(file, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("docs/openapi/native.json is not what the program serves; run: go test ./internal/api -run TestContract -update")
	}
	for _, leak := range []string{"ErrorModel", "$schema", "removal"} {
		if strings.Contains(got.String(), leak) {
			t.Errorf("the contract contains %q", leak)
		}
	}
}

func TestContractIsServed(t *testing.T) {
	a := start(t, domain.Starter)
	served := a.send("GET", "/openapi.json", "", "")
	var contract struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}
	a.ok(json.Unmarshal([]byte(served.body), &contract))
	if contract.OpenAPI != "3.1.0" || contract.Paths["/api/v1/calls"]["post"] == nil {
		t.Errorf("%.300s", served.body)
	}
	docs := a.send("GET", "/docs", "", "")
	if !strings.Contains(docs.body, "/api/v1/recordings/{callId}") || strings.Contains(docs.body, "http://") || strings.Contains(docs.body, "https://") {
		t.Errorf("the reference lacks a route or needs something from elsewhere: %.500s", docs.body)
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
