package api_test

import (
	"encoding/json"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/access"
)

// documented is one request of a vendor's document.
type documented struct {
	dialect, method string
	url             *url.URL
	status          int
	members         []string
	body            string
}

var aRequest = regexp.MustCompile(`(?m)^(\w+) ([A-Z]+) (https://\S+) -> (\d+)([^\n]*)(?:\n(\{[^\n]*\}))?$`)

// documents reads the requests of testdata, with ids in their places.
func documents(t *testing.T, objects map[string]string) []documented {
	t.Helper()
	raw, err := os.ReadFile("testdata/documents.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []documented
	for _, m := range aRequest.FindAllStringSubmatch(string(raw), -1) {
		at, err := url.Parse(fill(m[3], objects))
		if err != nil {
			t.Fatal(err)
		}
		status, err := strconv.Atoi(m[4])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, documented{m[1], m[2], at, status, strings.Fields(m[5]), fill(m[6], objects)})
	}
	if want := strings.Count(string(raw), " https://"); len(all) != want {
		t.Fatalf("%d of the %d requests of testdata/documents.md were read", len(all), want)
	}
	return all
}

// TestDocuments sends every request of the vendors' documents with its base URL
// changed to the dialect's prefix, and unchanged to the vendor's host: it does
// what the document says, in test mode.
func TestDocuments(t *testing.T) {
	prefixes := make(map[string]string)
	for _, d := range faces(t) {
		prefixes[d.Name] = d.Prefix
	}
	for name, ask := range map[string]func(*app, documented) reply{
		"prefix": func(a *app, d documented) reply {
			path := prefixes[d.dialect] + d.url.RequestURI()
			if strings.HasPrefix(d.url.Host, "api-sandbox.") {
				path = "/sandbox" + path
			}
			return a.send(d.method, path, a.key, d.body)
		},
		"host": func(a *app, d documented) reply {
			return a.send(d.method, d.url.RequestURI(), a.key, d.body, "Host: "+d.url.Host)
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, domain.Enterprise)
			a.key = a.newKey(access.NewKey{Name: "test", Mode: domain.Test})
			objects := a.objects(a.key)
			for i, d := range documents(t, objects) {
				if strings.Contains(d.url.Path+d.body, "{spare") { // each is deleted
					objects["spare"] = a.create("/api/v1/agents", a.key, `{"name":"Spare","systemPrompt":"p"}`)
					objects["spareFlow"] = a.create("/api/v1/flows", a.key, `{"name":"Spare","nodes":[{"id":"a","type":"end"}]}`)
					d = documents(t, objects)[i]
				}
				a.clock.add(2e9)
				a.documented(d, ask(a, d))
			}
		})
	}
}

// documented fails unless r is what the document says.
func (a *app) documented(d documented, r reply) {
	a.Helper()
	if r.status != d.status {
		a.Errorf("%s %s %s: %d %s", d.method, d.url, d.body, r.status, r.body)
		return
	}
	var body any
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		a.Errorf("%s %s: %v in %s", d.method, d.url, err, r.body)
	}
	for _, path := range d.members {
		if !reaches(body, path) {
			a.Errorf("%s %s: there is no %s in %s", d.method, d.url, path, r.body)
		}
	}
}

// reaches reports whether a dotted path of names and indices is in v.
func reaches(v any, path string) bool {
	for name := range strings.SplitSeq(path, ".") {
		if list, ok := v.([]any); ok {
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(list) {
				return false
			}
			v = list[i]
			continue
		}
		object, _ := v.(map[string]any)
		var there bool
		if v, there = object[name]; !there {
			return false
		}
	}
	return true
}
