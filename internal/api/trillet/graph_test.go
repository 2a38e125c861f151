package trillet

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	talk "github.com/callwright/callwright/internal/flow"
)

// drawing reads a graph from JSON.
func drawing(t testing.TB, raw string) graph {
	t.Helper()
	g, err := readGraph([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

const (
	promptOnly = `{"startNodeId":"talk","nodes":[{"id":"talk","type":"converse","prompt":"P"}]}`
	sayThenBye = `{"startNodeId":"say","globalPrompt":"G","nodes":[{"id":"say","type":"say","text":"Hi","edges":[{"to":"bye","kind":"always"}]},{"id":"bye","type":"end","text":"Bye"}]}`
)

// TestGraphWords reads and writes what the dialect says about a graph.
func TestGraphWords(t *testing.T) {
	for _, c := range []struct {
		name, graph string
		change      func(graph)
		prompt      string
		word, words string
		longest     int64
	}{
		{"prompt only", promptOnly, nil, "P", aiDynamic, "", 0},
		{"new", `{}`, func(g graph) {
			clear(g)
			fresh := newGraph()
			g["nodes"], g["startNodeId"] = fresh["nodes"], fresh["startNodeId"]
		}, "", aiDynamic, "", 0},
		{"of nodes", sayThenBye, nil, "G", aiCustom, "Hi", 0},
		{"another prompt", promptOnly, func(g graph) { g.setPrompt("Q") }, "Q", aiDynamic, "", 0},
		{"another prompt of nodes", sayThenBye, func(g graph) { g.setPrompt("Q") }, "Q", aiCustom, "Hi", 0},
		{"no prompt of nodes", sayThenBye, func(g graph) { g.setPrompt("") }, "", aiCustom, "Hi", 0},
		{"the caller begins", promptOnly, func(g graph) { g.setWelcome(userInitiated, "x") }, "P", userInitiated, "", 0},
		{"words", promptOnly, func(g graph) { g.setWelcome(userInitiated, ""); g.setWelcome(aiCustom, "Yo") }, "P", aiCustom, "Yo", 0},
		{"no words", promptOnly, func(g graph) { g.setWelcome(aiCustom, "") }, "P", aiDynamic, "", 0},
		{"words taken back", promptOnly, func(g graph) { g.setWelcome(aiCustom, "Yo"); g.setWelcome(aiDynamic, "Yo") }, "P", aiDynamic, "", 0},
		{"words of a node", sayThenBye, func(g graph) { g.setWelcome(aiCustom, "Yo") }, "G", aiCustom, "Yo", 0},
		{"a node keeps its words", sayThenBye, func(g graph) { g.setWelcome(userInitiated, "") }, "G", aiCustom, "Hi", 0},
		{"an end has no welcome", `{"startNodeId":"e","nodes":[{"id":"e","type":"end","text":"Bye"}]}`, func(g graph) { g.setWelcome(aiCustom, "Yo") }, "", aiDynamic, "", 0},
		{"longest", promptOnly, func(g graph) { g.setLongest(90) }, "P", aiDynamic, "", 90},
		{"longest taken back", promptOnly, func(g graph) { g.setLongest(90); g.setLongest(0) }, "P", aiDynamic, "", 0},
		{"no start", `{"nodes":[{"id":"a","type":"say"},{"id":"b","type":"say"}]}`, func(g graph) { g.setWelcome(aiCustom, "x") }, "", aiDynamic, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := drawing(t, c.graph)
			if c.change != nil {
				c.change(g)
			}
			raw, err := g.encode()
			if err != nil {
				t.Fatal(err)
			}
			g = drawing(t, string(raw))
			word, words := g.welcome()
			if g.prompt() != c.prompt || word != c.word || words != c.words || g.longest() != c.longest {
				t.Errorf("prompt %q, welcome %s %q, longest %d in %s", g.prompt(), word, words, g.longest(), raw)
			}
		})
	}
}

// TestRedraw: nodes of ours become the graph and read back as they were; other
// drawings leave a flow that talks by its prompt.
func TestRedraw(t *testing.T) {
	for _, c := range []struct {
		name, graph, data string
		own               bool
		want              string // of the nodes' types, or an error's text
	}{
		{"ours", promptOnly, `{"nodes":[{"id":"a","type":"say","text":"Hi","edges":[{"to":"b"}]},{"id":"b","type":"end"}]}`, true, "say end"},
		{"theirs", promptOnly, `{"nodes":[{"id":"a","type":"customNode","data":{}}]}`, false, "converse"},
		{"theirs, with a word of ours", promptOnly, `{"nodes":[{"id":"a","type":"end","data":{}}]}`, false, "converse"},
		{"one of theirs", promptOnly, `{"nodes":[{"id":"a","type":"say"},{"id":"b","type":"other"}]}`, false, "converse"},
		{"none", sayThenBye, `{"nodes":[],"edges":[]}`, false, "converse"},
		{"nothing", sayThenBye, `{}`, false, "converse"},
		{"no objects", promptOnly, `{"nodes":[1,null]}`, false, "converse"},
		{"no list", promptOnly, `{"nodes":"x"}`, false, "flowData.nodes must be a list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := drawing(t, c.graph)
			prompt := g.prompt()
			var data map[string]any
			if err := json.Unmarshal([]byte(c.data), &data); err != nil {
				t.Fatal(err)
			}
			own, err := g.redraw(data)
			var types []string
			for _, n := range g.nodes() {
				types = append(types, text(n["type"]))
			}
			got := strings.Join(types, " ")
			if err != nil {
				got = err.Error()
			}
			if own != c.own || got != c.want || g.prompt() != prompt && !own {
				t.Errorf("own %v, %s, prompt %q", own, got, g.prompt())
			}
		})
	}
}

// TestDrawnIsReadBack sends a graph back as it was shown: nothing changes.
func TestDrawnIsReadBack(t *testing.T) {
	parsed, err := talk.Parse([]byte(sayThenBye))
	if err != nil {
		t.Fatal(err)
	}
	g := drawing(t, string(parsed.Canonical()))
	shown, err := json.Marshal(g.drawn())
	if err != nil {
		t.Fatal(err)
	}
	var data map[string]any
	if err := json.Unmarshal(shown, &data); err != nil {
		t.Fatal(err)
	}
	back := drawing(t, string(parsed.Canonical()))
	if own, err := back.redraw(data); err != nil || !own || !reflect.DeepEqual(g, back) {
		t.Errorf("%v %v: %v became %v", own, err, g, back)
	}
	edges := objects(data["edges"])
	if len(edges) != 1 || edges[0]["source"] != "say" || edges[0]["target"] != "bye" {
		t.Errorf("the edges are %v", edges)
	}
}

func TestPlaceholders(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		"Hi {first_name}!":            "Hi {{first_name}}!",
		"{a}{b.c.0}":                  "{{a}}{{b.c.0}}",
		"{{a}} {b} {{c}}":             "{{a}} {{b}} {{c}}",
		`{"a": 1} {} { a } {1} {a-b}`: `{"a": 1} {} { a } {1} {a-b}`,
		"{{{a}}} {a":                  "{{{a}}} {a",
		"{a}}":                        "{a}}",
		"{ö}":                         "{ö}",
	} {
		if got := doubled(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	kept := map[string]any{"prompt": "Hi {a}", "number": 7}
	for stored, want := range map[string]string{"Hi {{a}}": "Hi {a}", "Hi {{b}}": "Hi {{b}}"} {
		if got := asWritten(kept, "prompt", stored); got != want {
			t.Errorf("%q is shown as %q, want %q", stored, got, want)
		}
	}
}

func FuzzPlaceholders(f *testing.F) {
	f.Add("Hi {first_name} {{b}} {c")
	f.Fuzz(func(t *testing.T, text string) {
		once := doubled(text)
		if twice := doubled(once); twice != once {
			t.Errorf("%q became %q, then %q", text, once, twice)
		}
		vars := map[string]any{"first_name": "Ada"}
		if filled, _ := talk.Fill(once, vars); strings.Contains(text, "{first_name} ") && !strings.Contains(text, "{{") && !strings.Contains(filled, "Ada") {
			t.Errorf("%q says %q", text, filled)
		}
	})
}

func TestVoices(t *testing.T) {
	for stored, want := range map[string]Voice{
		"": {"default", "default"}, "nova": {"default", "nova"}, "openai/nova": {"openai", "nova"}, "openai/": {"openai", "default"},
		"a/b/c": {"a", "b/c"},
	} {
		if got := voiceOf(stored); got != want || got.stored() != stored {
			t.Errorf("%q is %v, stored %q", stored, got, got.stored())
		}
	}
	for _, c := range []struct {
		have string
		sent map[string]any
		want string
	}{
		{"openai/nova", nil, "openai/nova"},
		{"openai/nova", map[string]any{"provider": "openai", "voiceId": "alloy"}, "openai/alloy"},
		{"openai/nova", map[string]any{"voiceId": "alloy"}, "openai/alloy"},
		{"openai/nova", map[string]any{"provider": "rime"}, "rime/"},
		{"openai/nova", map[string]any{"provider": "default", "voiceId": "default"}, ""},
		{"openai/nova", map[string]any{"provider": nil, "voiceId": nil}, "openai/nova"},
		{"", map[string]any{"provider": "", "voiceId": "x"}, "x"},
	} {
		got, err := voiceOf(c.have).over("voice", c.sent)
		if err != nil || got.stored() != c.want {
			t.Errorf("%v over %q is %q (%v), want %q", c.sent, c.have, got.stored(), err, c.want)
		}
	}
	if _, err := voiceOf("").over("voice", map[string]any{"voiceId": []any{}}); err == nil || !strings.Contains(err.Error(), "voice.voiceId must be a string") {
		t.Error(err)
	}
}

// TestMerged is the example of RFC 7396, appendix A, as far as objects go.
func TestMerged(t *testing.T) {
	for _, c := range []struct{ have, change, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	} {
		var have, change map[string]any
		if json.Unmarshal([]byte(c.have), &have) != nil || json.Unmarshal([]byte(c.change), &change) != nil {
			t.Fatal(c)
		}
		got, err := json.Marshal(merged(have, change))
		if err != nil || string(got) != c.want {
			t.Errorf("%s with %s is %s, want %s", c.have, c.change, got, c.want)
		}
		if after, err := json.Marshal(have); err != nil || string(after) != c.have {
			t.Errorf("%s was changed to %s", c.have, after)
		}
	}
}

func TestOpenObjects(t *testing.T) {
	type own struct {
		Name string `json:"name"`
		Skip string `json:"skip,omitempty"`
	}
	for _, c := range []struct {
		kept map[string]any
		want string
	}{
		{nil, `{"name":"n"}`},
		{map[string]any{"name": "other"}, `{"name":"n"}`},
		{map[string]any{"z": 1, "b": []any{}, "skip": "x"}, `{"name":"n","b":[],"skip":"x","z":1}`},
	} {
		got, err := Open[own]{Own: own{Name: "n"}, Kept: c.kept}.MarshalJSON()
		if err != nil || string(got) != c.want {
			t.Errorf("%v: %s (%v), want %s", c.kept, got, err, c.want)
		}
	}
	got, err := Open[struct{}]{Kept: map[string]any{"a": 1}}.MarshalJSON()
	if err != nil || string(got) != `{"a":1}` {
		t.Errorf("%s %v", got, err)
	}
}
