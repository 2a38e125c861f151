package flow

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
)

func init() {
	register(nodeType{
		name:  "http",
		fresh: func() body { return &httpCall{} },
		edges: doEdges,
		need:  doNeeds,
	})
}

// httpCall sends a request: Do{http} with the arguments method, url, headers
// (map[string]any of strings), body (any JSON value; a string is sent as it is)
// and timeoutSeconds. Done's Value is the answer's body, OK whether the status
// was 2xx. In the URL the values of variables are escaped, but for one that
// stands at its very start.
type httpCall struct {
	Method         string         `json:"method,omitempty"` // GET when it is not given
	URL            string         `json:"url"`
	Headers        map[string]any `json:"headers,omitempty"`
	Body           any            `json:"body,omitempty"`
	Save           save           `json:"save,omitempty"`
	TimeoutSeconds float64        `json:"timeoutSeconds,omitempty"`
}

var httpMethods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"}

func (b *httpCall) check(c *check) {
	b.Method = strings.ToUpper(b.Method)
	if b.Method == "" {
		b.Method = "GET"
	}
	if !slices.Contains(httpMethods, b.Method) {
		c.problem("method", "method must be one of %s", strings.Join(httpMethods, ", "))
	}
	c.text("url", b.URL, true)
	lower := strings.ToLower(b.URL)
	if b.URL != "" && !strings.HasPrefix(lower, "https://") && !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "{{") {
		c.problem("url", "url must begin with https:// or http://")
	}
	for _, name := range sortedKeys(b.Headers) {
		if _, ok := b.Headers[name].(string); !ok || name == "" || strings.ContainsAny(name, " :\r\n") {
			c.problem("headers."+name, "header %s must be a name with a string", quote(name))
		}
	}
	c.value("body", b.Body)
	c.seconds("timeoutSeconds", b.TimeoutSeconds)
	b.Save.check(c)
}

func (b *httpCall) sets() []string { return b.Save.names() }

func (b *httpCall) enter(w *walk, _ *Node) {
	address, headers, content, missing := b.filled(w.env())
	w.noteMissing(missing)
	w.do(Do{Kind: DoHTTP, Args: map[string]any{
		"method": b.Method, "url": address, "headers": headers, "body": content, "timeoutSeconds": b.TimeoutSeconds,
	}})
}

// filled fills variables into the request, and lists those that are missing.
func (b *httpCall) filled(env map[string]any) (address string, headers map[string]any, content any, missing []string) {
	address, missing = fill(strings.TrimSpace(b.URL), env, func(value string, at int) string {
		if at == 0 {
			return value
		}
		return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
	})
	headers = map[string]any{}
	for _, name := range sortedKeys(b.Headers) {
		value, absent := Fill(written(b.Headers[name]), env)
		headers[name] = oneLine(value)
		missing = append(missing, absent...)
	}
	content, absent := fillValue(b.Body, env)
	return address, headers, content, append(missing, absent...)
}

func (b *httpCall) take(w *walk, n *Node) {
	if w.event.Kind != Done {
		return
	}
	if w.event.OK {
		b.Save.keep(w, w.event.Value)
	}
	w.performed(n)
}

// oneLine makes text fit for a header.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, text)
}

// save says which variables a result goes to: a string names one for all of it,
// an object maps variables to dotted paths in it ("" is all of it).
type save map[string]string

// UnmarshalJSON reads either form.
func (s *save) UnmarshalJSON(raw []byte) error {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		*s = nil
		if name != "" {
			*s = save{name: ""}
		}
		return nil
	}
	var paths map[string]string
	if json.Unmarshal(raw, &paths) != nil {
		return &shapeError{"must be a variable's name, or an object of variables and the paths of their values"}
	}
	*s = paths
	return nil
}

func (s save) names() []string { return slices.Sorted(maps.Keys(s)) }

func (s save) check(c *check) {
	for _, name := range s.names() {
		c.variable("save", name)
	}
}

// keep sets the variables from a result. A path may begin with "$." as in
// JSONPath; one that leads nowhere is noted.
func (s save) keep(w *walk, result any) {
	for _, name := range s.names() {
		path := strings.TrimPrefix(strings.TrimPrefix(s[name], "$"), ".")
		value, ok := result, true
		if path != "" {
			value, ok = lookup(map[string]any{"$": result}, "$."+path)
		}
		if !ok {
			w.note("node %s: the result has nothing at %s", quote(w.state.Node), quote(s[name]))
			continue
		}
		w.capture(name, value)
	}
}
