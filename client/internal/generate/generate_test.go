package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneratedIsCurrent compares the committed files with what the generator
// makes of the committed contract.
func TestGeneratedIsCurrent(t *testing.T) {
	raw, err := os.ReadFile("../../../docs/openapi/native.json")
	if err != nil {
		t.Fatal(err)
	}
	files, err := generate(raw)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("client/%s is not what the generator makes of the contract; run: go generate ./client", name)
		}
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"list-phone-numbers": "ListPhoneNumbers", "agentId": "AgentID", "recordingUrl": "RecordingURL", "sttMs": "STTMs", "ID": "ID", "firstRtpMs": "FirstRTPMs",
		"HTTPServer": "HTTPServer", "first_name": "FirstName", "dtmf-call": "DTMFCall", "2fa": "X2fa", "Latency": "Latency",
	} {
		if got := exported(name); got != want {
			t.Errorf("exported(%q) = %s, want %s", name, got, want)
		}
	}
	for name, want := range map[string]string{"callId": "callID", "id": "id", "type": "type_", "URL": "url", "query": "query_"} {
		if got := local(name); got != want {
			t.Errorf("local(%q) = %s, want %s", name, got, want)
		}
	}
	for id, want := range map[string]string{"list-flows": "Flow", "create-flow": "Flow", "check": "Check", "list-webhook-deliveries": "WebhookDelivery"} {
		if got := noun(id); got != want {
			t.Errorf("noun(%q) = %s, want %s", id, got, want)
		}
	}
}

// wrap makes a contract of one operation.
func wrap(operation, schemas string) []byte {
	return []byte(`{"paths":{"/x/{id}":{"post":` + operation + `}},"components":{"schemas":{` + schemas + `}}}`)
}

// TestShapes: what contracts may say becomes the Go that is meant.
func TestShapes(t *testing.T) {
	files, err := generate(wrap(`{"operationId":"make-x","summary":"Make","parameters":[
		{"name":"id","in":"path","schema":{"type":"string"}},{"name":"If-Match","in":"header","schema":{"type":"string"}},
		{"name":"dry","in":"query","schema":{"type":"boolean"}},{"name":"tags","in":"query","schema":{"type":"array","items":{"type":"string"}}}],
		"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/In"}}}},
		"responses":{"201":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Out"}}}}}}`,
		`"In":{"type":"object","properties":{"a":{"type":["string","null"]},"both":{"$ref":"#/components/schemas/Both"},"must":{"type":"integer"},
			"deep":{"type":"object","properties":{"x":{"type":"number"}}}},"required":["must"]},
		 "Out":{"type":"object","properties":{"n":{"type":["integer","null"]},"s":{"type":["string","null"]},"at":{"type":["string","null"],"format":"date-time"},
			"both":{"$ref":"#/components/schemas/Both"},"map":{"type":"object","additionalProperties":{"type":"array","items":{"type":"boolean"}}},
			"any":{"oneOf":[{"type":"string"}]},"open":{"type":"object","additionalProperties":true},"list":{"type":"array","items":{"type":"object","properties":{"y":{"type":"string"}}}}},
			"required":["n","s","at","both","map","any","open","list"]},
		 "Both":{"type":"object","properties":{"z":{"type":"string"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	code := strings.Join(strings.Fields(string(files["schemas.go"])+string(files["operations.go"])), " ")
	for _, want := range []string{
		"A Field[string] `json:\"a,omitzero\"`", "Both Field[Both] `json:\"both,omitzero\"`", "Must int64 `json:\"must\"`",
		"Deep Field[InDeep]", "N *int64", "S string `json:\"s\"`", "At time.Time", "Both *Both", "Map map[string][]bool", "Any any", "Open map[string]any",
		"Z string `json:\"z,omitzero\"`", "List []OutList", "X Field[float64]",
		"func (c *Client) MakeX(ctx context.Context, id string, query MakeXQuery, body In, more ...Option) (*Out, error)", "Dry bool", "Tags []string",
	} {
		if !strings.Contains(code, want) {
			t.Errorf("there is no %s in\n%s", want, code)
		}
	}
}

// TestContents: what is not JSON is passed on, and a stream is a stream.
func TestContents(t *testing.T) {
	for content, want := range map[string]string{
		`"200":{"content":{"text/event-stream":{}}}`: "iter.Seq2[Event, error]",
		`"200":{"content":{"audio/wav":{}}}`:         "(*http.Response, error)",
		`"204":{}`:                                   "more ...Option) error",
		`"200":{"content":{"application/json":{"schema":{"type":"array","items":{"type":"string"}}}}}`:                  "(*Page[string], error)",
		`"200":{"content":{"text/csv":{},"application/json":{"schema":{"type":"object","additionalProperties":true}}}}`: "(*map[string]any, error)",
	} {
		files, err := generate(wrap(`{"operationId":"do-x","requestBody":{"content":{"text/csv":{}}},"responses":{`+content+`}}`, ``))
		if err != nil {
			t.Fatal(err)
		}
		if code := string(files["operations.go"]); !strings.Contains(code, want) || !strings.Contains(code, "contentType string, body io.Reader") {
			t.Errorf("%s becomes\n%s", content, code)
		}
	}
}

// TestPages: a list has an iterator, also in an envelope.
func TestPages(t *testing.T) {
	const query = `"parameters":[{"name":"limit","in":"query","schema":{"type":"integer"}},{"name":"offset","in":"query","schema":{"type":"integer"}}]`
	for content, want := range map[string]string{
		`{"type":"array","items":{"type":"string"}}`: "func (c *Client) AllThings(ctx context.Context, query ListThingsQuery, more ...Option) iter.Seq2[string, error]",
		`{"type":"object","properties":{"total":{"type":"integer"},"things":{"type":"array","items":{"type":"integer"}}}}`: "enveloped(func(e *Thing) []int64 { return e.Things })",
	} {
		files, err := generate(wrap(`{"operationId":"list-things",`+query+`,"responses":{"200":{"content":{"application/json":{"schema":`+content+`}}}}}`, ``))
		if err != nil {
			t.Fatal(err)
		}
		if code := string(files["operations.go"]); !strings.Contains(code, want) {
			t.Errorf("there is no %s in\n%s", want, code)
		}
	}
}

func TestBadContracts(t *testing.T) {
	for _, raw := range []string{
		`{`, `{"paths":{"/x":{"get":{}}}}`,
		`{"paths":{"/x":{"get":{"operationId":"a-b"},"post":{"operationId":"a_b"}}}}`,
		`{"components":{"schemas":{"a-b":{},"aB":{}}}}`,
		`{"components":{"schemas":{"A":{"type":"object","properties":{"b_c":{},"bC":{}}}}}}`,
	} {
		if _, err := generate([]byte(raw)); err == nil {
			t.Errorf("%s was taken", raw)
		}
	}
}
