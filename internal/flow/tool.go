package flow

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Types of Tool.
const (
	ToolEvent    = "event"    // comes to the flow as an event of its name
	ToolHTTP     = "http"     // sends a request; the model is told the answer
	ToolTransfer = "transfer" // hands the caller over
	ToolEndCall  = "end_call" // ends the call
)

// Tool is something that the model of a converse node may call. As a string in
// a flow it is an event of that name. The type may be left out where another
// field tells it.
type Tool struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"` // for the model: what it does, and when
	Type        string         `json:"type,omitempty"`
	Parameters  map[string]any `json:"parameters,omitempty"` // JSON Schema of the arguments, an object
	Text        string         `json:"text,omitempty"`       // said when the caller would wait for it

	// Of http: the arguments are the body (POST, PUT, PATCH) or the query, unless
	// Body says otherwise. In all of these {{args.x}} is an argument.
	URL            string         `json:"url,omitempty"`
	Method         string         `json:"method,omitempty"` // POST when it is not given
	Headers        map[string]any `json:"headers,omitempty"`
	Body           any            `json:"body,omitempty"`
	TimeoutSeconds float64        `json:"timeoutSeconds,omitempty"`

	// Of transfer: whom to, or several by name for the model to choose from. The
	// model never chooses a number itself: a caller could talk it into any.
	To           string            `json:"to,omitempty"`
	Destinations map[string]string `json:"destinations,omitempty"`
	Mode         string            `json:"mode,omitempty"`

	vars map[string]any // of the moment in which the model is asked
}

// maxTools is how many tools a node may have.
const maxTools = 64

// wireTool is a Tool without its methods.
type wireTool Tool

// UnmarshalJSON reads either form.
func (t *Tool) UnmarshalJSON(raw []byte) error {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		*t = Tool{Name: name}
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	var w wireTool
	if err := decoder.Decode(&w); err != nil {
		return &shapeError{"has a tool that is no name and no description of one (" + strings.TrimPrefix(err.Error(), "json: ") + ")"}
	}
	*t = Tool(w)
	return nil
}

// MarshalJSON writes the shorter form where it says all.
func (t Tool) MarshalJSON() ([]byte, error) {
	raw, err := encode(wireTool(t))
	if err != nil {
		return nil, err
	}
	if short, err := encode(wireTool{Name: t.Name}); err != nil || bytes.Equal(raw, short) {
		return encode(t.Name)
	}
	return raw, nil
}

// Kind is the tool's type, also where it is not written.
func (t *Tool) Kind() string {
	switch {
	case t.Type != "":
		return t.Type
	case t.URL != "":
		return ToolHTTP
	case t.To != "" || len(t.Destinations) > 0:
		return ToolTransfer
	case t.Name == ToolEndCall:
		return ToolEndCall
	}
	return ToolEvent
}

var toolName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (t *Tool) check(c *check, field string) {
	if !toolName.MatchString(t.Name) {
		c.problem(field, "the tool %s needs a name of letters, digits, _ and -, 64 at most", quote(t.Name))
	}
	c.long(field+".description", t.Description, maxText)
	c.text(field+".text", t.Text, false)
	c.value(field+".parameters", t.Parameters)
	if kind, given := t.Parameters["type"]; len(t.Parameters) > 0 && (!given || kind != "object") {
		c.problem(field+".parameters", `must be a JSON Schema of type "object"`)
	}
	c.seconds(field+".timeoutSeconds", t.TimeoutSeconds)
	switch t.Kind() {
	case ToolHTTP:
		t.checkHTTP(c, field)
	case ToolTransfer:
		t.checkTransfer(c, field)
	case ToolEvent, ToolEndCall:
		if t.URL != "" || t.To != "" || len(t.Destinations) > 0 {
			c.problem(field, "the tool %s of type %s has no url, to or destinations", quote(t.Name), t.Kind())
		}
	default:
		c.problem(field+".type", "must be one of event, http, transfer, end_call")
	}
}

func (t *Tool) checkHTTP(c *check, field string) {
	request := &httpCall{Method: t.Method, URL: t.URL, Headers: t.Headers, Body: t.Body}
	if request.Method == "" {
		request.Method = "POST"
	}
	request.check(c)
	t.Method = request.Method
	// What the model writes may be a part of a path or a query, and no more.
	host := t.URL
	if _, after, found := strings.Cut(t.URL, "://"); found {
		host, _, _ = strings.Cut(after, "/")
	}
	if strings.HasPrefix(strings.TrimSpace(t.URL), "{{") {
		host, _, _ = strings.Cut(strings.TrimSpace(t.URL), "}}")
	}
	if argument.MatchString(host) {
		c.problem(field+".url", "the model must not choose the server: use {{args.…}} after the host only")
	}
}

var argument = regexp.MustCompile(`\{\{\s*args\b`)

func (t *Tool) checkTransfer(c *check, field string) {
	switch {
	case (t.To == "") == (len(t.Destinations) == 0):
		c.problem(field, "the tool %s needs either to, or destinations by name", quote(t.Name))
	case argument.MatchString(t.To):
		c.problem(field+".to", "the model must not choose the number; name those it may choose from in destinations")
	}
	for _, name := range sortedKeys(t.Destinations) {
		c.text(field+".destinations."+name, t.Destinations[name], true)
		if argument.MatchString(t.Destinations[name]) {
			c.problem(field+".destinations", "the model must not choose the number")
		}
	}
}

// argDestination is the argument by which a model chooses a destination.
const argDestination = "destination"

// Schema is the JSON Schema of the tool's arguments, nil when it has none.
func (t *Tool) Schema() []byte {
	schema := t.Parameters
	if t.Kind() == ToolTransfer && len(t.Destinations) > 0 {
		schema = map[string]any{"type": "object", "required": []string{argDestination}, "properties": map[string]any{
			argDestination: map[string]any{"type": "string", "enum": slices.Sorted(maps.Keys(t.Destinations))}}}
	}
	if len(schema) == 0 {
		return nil
	}
	raw, err := encode(schema)
	if err != nil {
		return nil // it was read from JSON
	}
	return raw
}

// Arguments reads what a model wrote as arguments. The error is worded for the
// model.
func (t *Tool) Arguments(raw []byte) (map[string]any, error) {
	var args map[string]any
	if err := json.Unmarshal(raw, &args); err != nil || args == nil {
		return nil, errors.New("the arguments are not a JSON object")
	}
	required, _ := t.Parameters["required"].([]any)
	var missing []string
	for _, name := range required {
		if name, ok := name.(string); ok && args[name] == nil {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("the arguments lack %s", strings.Join(missing, ", "))
	}
	return args, nil
}

// Do is what a call of the tool has done, and the variables that were missing.
// Only tools of type http and transfer have something done. The error is worded
// for the model.
func (t *Tool) Do(args map[string]any) (do Do, missing []string, err error) {
	env := make(map[string]any, len(t.vars)+1)
	maps.Copy(env, t.vars)
	env["args"] = args
	switch t.Kind() {
	case ToolHTTP:
		do, missing = t.request(args, env)
		return do, missing, nil
	case ToolTransfer:
		to := t.To
		if len(t.Destinations) > 0 {
			name, _ := args[argDestination].(string)
			if to = t.Destinations[name]; to == "" {
				return Do{}, nil, fmt.Errorf("there is no destination %s; there are %s", quote(name), strings.Join(sortedKeys(t.Destinations), ", "))
			}
		}
		to, missing = Fill(to, env)
		return Do{Kind: DoTransfer, Args: map[string]any{"to": to, "mode": t.Mode}}, missing, nil
	}
	return Do{}, nil, fmt.Errorf("the tool %s does nothing by itself", quote(t.Name))
}

// request is the tool's HTTP request.
func (t *Tool) request(args, env map[string]any) (Do, []string) {
	address, headers, content, missing := (&httpCall{URL: t.URL, Headers: t.Headers, Body: t.Body}).filled(env)
	switch {
	case t.Body != nil:
	case t.Method == "GET" || t.Method == "HEAD" || t.Method == "DELETE":
		address = withQuery(address, args, t.URL)
	default:
		content = args
	}
	return Do{Kind: DoHTTP, Args: map[string]any{
		"method": t.Method, "url": address, "headers": headers, "body": content, "timeoutSeconds": t.TimeoutSeconds,
	}}, missing
}

// withQuery adds the arguments to an address, but for those that stand in its
// template.
func withQuery(address string, args map[string]any, template string) string {
	query := url.Values{}
	for name, value := range args {
		if !regexp.MustCompile(`\{\{\s*args\.` + regexp.QuoteMeta(name) + `\b`).MatchString(template) {
			query.Set(name, written(value))
		}
	}
	if len(query) == 0 {
		return address
	}
	address, fragment, _ := strings.Cut(address, "#")
	mark := "?"
	if strings.Contains(address, "?") {
		mark = "&"
	}
	address += mark + query.Encode()
	if fragment != "" {
		address += "#" + fragment
	}
	return address
}
