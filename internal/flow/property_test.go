package flow

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawGraph makes a graph that parses. Node 0 asks, and events lead from it to
// every other; edges between nodes lead ahead or back to it, so that there is no
// circle without a turn of the caller.
func drawGraph(t *rapid.T) *Graph {
	n := rapid.IntRange(2, 8).Draw(t, "nodes")
	id := func(i int) string { return fmt.Sprintf("n%d", i) }
	var nodes []map[string]any
	for i := range n {
		kind := "ask"
		if i > 0 {
			kind = rapid.SampledFrom(NodeTypes()).Draw(t, "type")
		}
		node := drawFields(t, kind)
		node["id"], node["type"] = id(i), kind
		var edges []map[string]any
		for k := range n {
			if i == 0 && k > 0 {
				edges = append(edges, map[string]any{"to": id(k), "event": "to" + id(k)})
			}
		}
		if allowed := nodeTypes[kind].edges; len(allowed) > 0 {
			for k := range rapid.IntRange(0, 3).Draw(t, "edges") {
				to := rapid.IntRange(i, n).Draw(t, "to")
				if to == i {
					to = 0
				}
				edges = append(edges, drawEdge(t, rapid.SampledFrom(allowed).Draw(t, "kind"), id(to), k))
			}
			edges = append(edges, map[string]any{"to": id(i + 1), "kind": "always"})
		}
		node["edges"] = edges
		nodes = append(nodes, node)
	}
	nodes = append(nodes, map[string]any{"id": id(n), "type": "end"})
	if len(nodeTypes[nodes[n-1]["type"].(string)].edges) == 0 {
		nodes[0]["edges"] = append(nodes[0]["edges"].([]map[string]any), map[string]any{"to": id(n), "event": "end"})
	}
	raw, err := json.Marshal(map[string]any{"startNodeId": id(0), "nodes": nodes, "variables": map[string]any{"v": 1, "w": nil}})
	if err != nil {
		t.Fatal(err)
	}
	g, err := Parse(raw)
	if err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	g.Route = rapid.Bool().Draw(t, "route")
	return g
}

func drawFields(t *rapid.T, kind string) map[string]any {
	switch kind {
	case "ask":
		answer := rapid.SampledFrom([]any{"text", "yes_no", "number", "date", "time", "phone", "email",
			map[string]any{"type": "choice", "choices": []any{"red", "blue"}}}).Draw(t, "answer")
		return map[string]any{"text": "What {{v}}?", "variable": "v", "answer": answer, "repeat": rapid.IntRange(0, 2).Draw(t, "repeat")}
	case "say", "sms":
		return map[string]any{"text": "Hello {{w}}"}
	case "set":
		return map[string]any{"values": map[string]any{"v": rapid.SampledFrom([]any{"= (v ?? 0) + 1", "{{w}}", 5}).Draw(t, "value")}}
	case "http":
		return map[string]any{"url": "https://example.com/{{v}}", "save": "w"}
	case "book":
		return map[string]any{"startTime": "{{v}}"}
	case "transfer":
		return map[string]any{"to": "{{v}}"}
	case "wait":
		return map[string]any{"seconds": 1}
	case "converse":
		return map[string]any{"prompt": "Talk {{v}}"}
	case "dtmf":
		return map[string]any{"variable": "v"}
	}
	return map[string]any{}
}

func drawEdge(t *rapid.T, kind EdgeKind, to string, k int) map[string]any {
	edge := map[string]any{"to": to, "kind": kind, "priority": rapid.IntRange(-1, 1).Draw(t, "priority")}
	switch kind {
	case Expr:
		edge["expr"] = rapid.SampledFrom([]string{"v == 1", "v > 3", "w", "heard contains 'yes'", "true"}).Draw(t, "expr")
	case Meant:
		edge["intent"] = fmt.Sprintf("%s %d", rapid.SampledFrom([]string{"sales", "help"}).Draw(t, "intent"), k)
	case OnEvent:
		edge["event"] = fmt.Sprintf("event%d", k)
	case Keys:
		edge["digits"] = fmt.Sprint(k)
	}
	return edge
}

func drawEvent(t *rapid.T, s State) Event {
	ev := Event{At: wednesday, OK: rapid.Bool().Draw(t, "ok")}
	ev.Kind = rapid.SampledFrom([]EventKind{Started, Heard, Heard, Heard, Digit, Silence, Played, Thought, Routed, Done, Injected, Machine, Beep, Timer, Hangup, Interrupted}).Draw(t, "event")
	ev.Text = rapid.SampledFrom([]string{"", "yes", "no", "five", "tomorrow", "half past three", "red", "1", "0", "sales", "help me"}).Draw(t, "text")
	ev.Name = rapid.SampledFrom([]string{"", "n0", "n1", "ton1", "ton2", "ton3", "event0", Goodbye}).Draw(t, "name")
	ev.Node = rapid.SampledFrom([]string{"", s.Node, "n2"}).Draw(t, "of")
	ev.Value = rapid.SampledFrom([]any{nil, "x", 1.0, map[string]any{"a": 1.0}}).Draw(t, "value")
	return ev
}

// copied is a deep copy of what a step might change.
func copied(s State) State {
	s.Vars = copyMap(s.Vars)
	s.Visits = copyMap(s.Visits)
	s.Captured = slices.Clone(s.Captured)
	return s
}

func copyMap[V any](m map[string]V) map[string]V {
	if m == nil {
		return nil
	}
	out := make(map[string]V, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// TestAnyConversation holds that whatever happens in whatever graph, a step ends,
// changes nothing that it was given, gives the same result again, and leaves
// exactly one thing pending.
func TestAnyConversation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGraph(t)
		s := g.Start(nil)
		ev := Event{Kind: Started, At: wednesday}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			before := copied(s)
			next, acts := g.Step(s, ev)
			if !reflect.DeepEqual(before, s) {
				t.Fatalf("the step changed its state: %+v, was %+v", s, before)
			}
			again, actsAgain := g.Step(s, ev)
			if !reflect.DeepEqual(next, again) || !reflect.DeepEqual(acts, actsAgain) {
				t.Fatalf("the same step gave %v, then %v", acts, actsAgain)
			}
			checkActs(t, s, next, acts)
			s = next
			ev = drawEvent(t, s)
		}
	})
}

func checkActs(t *rapid.T, before, after State, acts []Act) {
	if before.Ended && len(acts) > 0 {
		t.Fatalf("acts after the end: %v", acts)
	}
	for i, act := range acts {
		switch act.(type) {
		case Say, Note:
			if i == len(acts)-1 {
				t.Fatalf("nothing is pending after %v", acts)
			}
		case End:
			if !after.Ended || i != len(acts)-1 {
				t.Fatalf("an end that is none: %v", acts)
			}
		default:
			if i != len(acts)-1 || after.Ended {
				t.Fatalf("pending before the last act, or after the end: %v", acts)
			}
		}
	}
	if !after.Ended && after.Node != before.Node && len(acts) == 0 {
		t.Fatalf("came to %q with nothing to do", after.Node)
	}
	if after.Ended != (after.Ended && after.Node == "") {
		t.Fatalf("ended in node %q", after.Node)
	}
}
