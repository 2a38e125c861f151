package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/callwright/callwright/internal/domain"
)

// TestReferencePages reads the page of every dialect as a browser does: all
// routes are there, every link leads somewhere, every example is JSON, and
// nothing is fetched from anywhere.
func TestReferencePages(t *testing.T) {
	a := start(t, domain.Starter)
	prefixes := []string{""}
	for _, d := range faces(t) {
		prefixes = append(prefixes, d.Prefix)
	}
	for _, prefix := range prefixes {
		page := a.send("GET", prefix+"/docs", "", "")
		a.want(page, http.StatusOK, "")
		if policy := page.header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; img-src data:;") {
			t.Errorf("browsers may fetch what they like: %s", policy)
		}
		doc, err := html.Parse(strings.NewReader(page.body))
		a.ok(err)
		seen := readPage(t, doc)
		for _, id := range seen.ids {
			if seen.anchors[id] != 1 {
				t.Errorf("%s/docs has the id %s %d times", prefix, id, seen.anchors[id])
			}
		}
		for _, link := range seen.links {
			fragment, isFragment := strings.CutPrefix(link, "#")
			if isFragment && seen.anchors[fragment] != 1 {
				t.Errorf("%s/docs: #%s leads nowhere", prefix, fragment)
			}
			if !isFragment && link != "data:," && a.send("GET", link, "", "").status != http.StatusOK {
				t.Errorf("%s/docs: %s leads nowhere", prefix, link)
			}
		}
		a.coversContract(a.send("GET", prefix+"/openapi.json", "", "").body, seen)
		if len(page.body) > 500_000 {
			t.Errorf("%s/docs has %d bytes", prefix, len(page.body))
		}
	}
}

// pageParts is what a page has.
type pageParts struct {
	ids, links []string
	anchors    map[string]int
	code       []string // texts of pre
}

// readPage walks a page and refuses what would make a browser fetch something.
func readPage(t *testing.T, root *html.Node) *pageParts {
	t.Helper()
	p := &pageParts{anchors: make(map[string]int)}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script", "img", "iframe", "object", "embed", "form", "base", "video", "audio", "source":
			t.Errorf("the page has a %s", n.Data)
		case "pre":
			p.code = append(p.code, textOf(n))
		case "style":
			if css := textOf(n); strings.Contains(css, "url(") || strings.Contains(css, "@import") {
				t.Error("the style fetches something")
			}
		}
		for _, attr := range n.Attr {
			switch attr.Key {
			case "id":
				p.ids = append(p.ids, attr.Val)
				p.anchors[attr.Val]++
			case "href":
				p.links = append(p.links, attr.Val)
				if strings.Contains(attr.Val, "//") {
					t.Errorf("a link leaves the page's host: %s", attr.Val)
				}
			case "src", "srcset", "style", "background":
				t.Errorf("%s has the attribute %s", n.Data, attr.Key)
			}
		}
	}
	return p
}

func textOf(n *html.Node) string {
	var out strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			out.WriteString(c.Data)
		}
	}
	return out.String()
}

// coversContract fails unless the page shows each operation of the contract.
func (a *app) coversContract(contract string, page *pageParts) {
	a.Helper()
	var doc struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	a.ok(json.Unmarshal([]byte(contract), &doc))
	if len(doc.Paths) == 0 {
		a.Error("the contract has no paths")
	}
	for path, item := range doc.Paths {
		for method, op := range item {
			if page.anchors[op.OperationID] != 1 {
				a.Errorf("%s %s (%s) is not in the reference", method, path, op.OperationID)
			}
		}
	}
	for _, text := range page.code {
		if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
			if !json.Valid([]byte(text)) {
				a.Errorf("an example is not JSON: %s", text)
			}
		}
	}
}
