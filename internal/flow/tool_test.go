package flow

import (
	"fmt"
	"strings"
	"testing"
)

// withTools is a flow of one node with these tools.
func withTools(tools string) string {
	return `{"variables":{"host":"api.example","key":"k 1"},"nodes":[{"id":"talk","type":"converse","prompt":"Help.","tools":[` + tools + `]}]}`
}

func TestToolsAreChecked(t *testing.T) {
	for tools, want := range map[string]string{
		`"two words"`:                  `the tool "two words" needs a name of letters`,
		`""`:                           "needs a name",
		`7`:                            "no name and no description",
		`{"name":"a","urll":"x"}`:      `unknown field \"urll\"`,
		`{"name":"a","type":"magic"}`:  "must be one of event, http, transfer, end_call",
		`{"name":"a","type":"http"}`:   "url: must not be empty",
		`{"name":"a","url":"ftp://x"}`: "url must begin with https://",
		`{"name":"a","url":"https://x","method":"CRAWL"}`:                              "method must be one of",
		`{"name":"a","url":"https://x","parameters":{"type":"array"}}`:                 `must be a JSON Schema of type \"object\"`,
		`{"name":"a","url":"https://{{args.host}}/x"}`:                                 "must not choose the server",
		`{"name":"a","url":"https://x.{{ args.host }}"}`:                               "must not choose the server",
		`{"name":"a","url":"{{args.url}}"}`:                                            "must not choose the server",
		`{"name":"a","type":"transfer"}`:                                               "needs either to, or destinations",
		`{"name":"a","to":"+15550100","destinations":{"x":"+15550101"}}`:               "needs either to, or destinations",
		`{"name":"a","to":"{{args.number}}"}`:                                          "must not choose the number",
		`{"name":"a","destinations":{"x":"{{ args.number }}"}}`:                        "must not choose the number",
		`{"name":"a","type":"event","url":"https://x"}`:                                "has no url, to or destinations",
		`"a",{"name":"a","url":"https://x"}`:                                           `two tools with the name \"a\"`,
		`{"name":"a","url":"https://x","timeoutSeconds":-1}`:                           "0 to 3600 seconds",
		strings.TrimSuffix(strings.Repeat(`"a",`, 65), ","):                            "the limit is 64",
		`{"name":"a","url":"https://x","text":"` + strings.Repeat("long ", 900) + `"}`: "characters; the limit is",
	} {
		_, err := Parse([]byte(withTools(tools)))
		if err == nil || !strings.Contains(fmt.Sprintf("%q", err.Error()), want) && !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, want %s", tools, err, want)
		}
	}
}

func TestToolsKeepTheirForm(t *testing.T) {
	const tools = `"note",{"name":"find","description":"Finds.","parameters":{"properties":{},"type":"object"},"url":"https://x/{{args.id}}","method":"GET"},` +
		`{"name":"sales","to":"+15550100","mode":"refer"},{"name":"any","destinations":{"a":"+15550100"}}`
	g := parse(t, withTools(tools))
	if got := string(g.Canonical()); !strings.Contains(got, `"tools":[`+tools+`]`) {
		t.Errorf("%s", got)
	}
}

func TestToolsDo(t *testing.T) {
	for tool, want := range map[string]string{
		`{"name":"a","url":"https://{{host}}/x","headers":{"X-Key":"{{key}}","X-Id":"{{args.id}}"}}`: `POST https://api.example/x map[X-Id:a/b&c
X-Key:k 1] map[id:a/b&c n:2]`,
		`{"name":"a","url":"https://x/{{args.id}}/y","method":"put"}`:                                        `PUT https://x/a%2Fb%26c/y map[] map[id:a/b&c n:2]`,
		`{"name":"a","url":"https://x/{{args.id}}?v=1#f","method":"get"}`:                                    `GET https://x/a%2Fb%26c?v=1&n=2#f map[] <nil>`,
		`{"name":"a","url":"https://x/","method":"DELETE"}`:                                                  `DELETE https://x/?id=a%2Fb%26c&n=2 map[] <nil>`,
		`{"name":"a","url":"https://x/","body":{"order":"{{args.id}}","count":"{{args.n}}","by":"{{key}}"}}`: `POST https://x/ map[] map[by:k 1 count:2 order:a/b&c]`,
		`{"name":"a","to":"{{line}}"}`:                                                                       `transfer  missing [line]`,
		`{"name":"a","to":"+15550100","mode":"refer"}`:                                                       `transfer +15550100 refer`,
		`{"name":"a","destinations":{"a/b":"+15550100"}}`:                                                    `error there is no destination ""; there are a/b`,
		`"a"`: `error the tool "a" does nothing by itself`,
	} {
		_, acts := parse(t, withTools(tool)).Step(State{Vars: map[string]any{"host": "api.example", "key": "k 1"}}, Event{Kind: Started})
		think, ok := acts[0].(Think)
		if !ok {
			t.Fatalf("%+v", acts)
		}
		do, missing, err := think.Tools[0].Do(map[string]any{"id": "a/b&c", "n": 2.0})
		got := fmt.Sprint(do.Args["method"], " ", do.Args["url"], " ", do.Args["headers"], " ", do.Args["body"])
		if do.Kind == DoTransfer {
			got = fmt.Sprint("transfer ", do.Args["to"], " ", do.Args["mode"])
		}
		if len(missing) > 0 {
			got += fmt.Sprint(" missing ", missing)
		}
		if err != nil {
			got = "error " + err.Error()
		}
		if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
			t.Errorf("%s:\n%s\nwant\n%s", tool, got, want)
		}
	}
}

func TestToolArguments(t *testing.T) {
	tool := Tool{Name: "a", Parameters: map[string]any{"type": "object", "required": []any{"id", "n"}}}
	for raw, want := range map[string]string{
		`{"id":1,"n":0,"more":[]}`: "", `{"id":1}`: "lack n", `{}`: "lack id, n", `{"id":null,"n":1}`: "lack id",
		`[]`: "not a JSON object", `null`: "not a JSON object", ``: "not a JSON object", `{"id":`: "not a JSON object", `"x"`: "not a JSON object",
	} {
		_, err := tool.Arguments([]byte(raw))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", raw, err, want)
		}
	}
	choice := Tool{Name: "p", Destinations: map[string]string{"b": "+1", "a": "+2"}}
	if got, want := string(choice.Schema()), `{"properties":{"destination":{"enum":["a","b"],"type":"string"}},"required":["destination"],"type":"object"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestRouteByKeywords(t *testing.T) {
	r := Route{Text: "I want to cancel my order", Intents: []Intent{{To: "a", Text: "books a table"}, {To: "b", Keywords: []string{"cancel"}}}}
	if got := r.ByKeywords(); got != "b" {
		t.Errorf("%q", got)
	}
	r.Text = "hello"
	if got := r.ByKeywords(); got != "" {
		t.Errorf("%q", got)
	}
}
