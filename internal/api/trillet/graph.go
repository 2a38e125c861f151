package trillet

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/callwright/callwright/internal/domain"
)

// graph is a flow's definition, as JSON decodes it.
type graph map[string]any

// openers are the types of nodes whose text may begin a conversation.
var openers = []string{"say", "ask", "converse"}

// nodeTypes are the types of nodes of our own flows.
var nodeTypes = []string{
	"say", "ask", "converse", "branch", "set", "http", "dtmf", "transfer", "sms", "book", "voicemail", "wait", "end",
}

// newGraph is the flow of a client that draws none: one node that talks by a
// prompt.
func newGraph() graph {
	return graph{"startNodeId": "talk", "nodes": []any{map[string]any{"id": "talk", "type": "converse"}}}
}

// readGraph reads a stored definition.
func readGraph(definition []byte) (graph, error) {
	var g graph
	if err := json.Unmarshal(definition, &g); err != nil {
		return nil, fmt.Errorf("read a flow's graph: %w", err)
	}
	return g, nil
}

// encode is the graph as JSON.
func (g graph) encode() ([]byte, error) { return json.Marshal(map[string]any(g)) }

// nodes lists the nodes.
func (g graph) nodes() []map[string]any { return objects(g["nodes"]) }

// objects lists the objects in a JSON array.
func objects(value any) []map[string]any {
	var all []map[string]any
	items, _ := value.([]any)
	for _, item := range items {
		if o, ok := item.(map[string]any); ok {
			all = append(all, o)
		}
	}
	return all
}

// start is the node with which the conversation begins, or nil.
func (g graph) start() map[string]any {
	nodes := g.nodes()
	if i := slices.IndexFunc(nodes, func(n map[string]any) bool { return n["id"] == g["startNodeId"] }); i >= 0 {
		return nodes[i]
	}
	if len(nodes) == 1 {
		return nodes[0]
	}
	return nil
}

// talk is the node of a flow that only talks by a prompt, or nil.
func (g graph) talk() map[string]any {
	if n := g.start(); n != nil && len(g.nodes()) == 1 && n["type"] == "converse" {
		return n
	}
	return nil
}

// prompt is what the flow talks by: its one node's, or what holds in all nodes.
func (g graph) prompt() string {
	if n := g.talk(); n != nil {
		if p := text(n["prompt"]); p != "" {
			return p
		}
	}
	return text(g["globalPrompt"])
}

func (g graph) setPrompt(p string) {
	if n := g.talk(); n != nil {
		put(n, "prompt", p)
		return
	}
	put(g, "globalPrompt", p)
}

// The words for who begins.
const (
	userInitiated = "user_initiated" // the agent waits for the caller
	aiDynamic     = "ai_dynamic"     // the model finds the words
	aiCustom      = "ai_custom"      // the agent says customWelcomeMessage
)

// welcome tells who begins, and with which words.
func (g graph) welcome() (word, words string) {
	n := g.start()
	switch {
	case n == nil:
		return aiDynamic, ""
	case slices.Contains(openers, text(n["type"])) && text(n["text"]) != "":
		return aiCustom, text(n["text"])
	case n["waitForCaller"] == true:
		return userInitiated, ""
	}
	return aiDynamic, ""
}

// setWelcome lets begin who should, as far as the first node can.
func (g graph) setWelcome(word, words string) {
	n := g.start()
	if n == nil || !slices.Contains(openers, text(n["type"])) {
		return
	}
	if word == aiCustom && words != "" {
		n["text"] = words
		delete(n, "waitForCaller")
		return
	}
	if n["type"] != "converse" {
		return // it has nothing to begin with but its text
	}
	delete(n, "text")
	delete(n, "waitForCaller")
	if word == userInitiated {
		n["waitForCaller"] = true
	}
}

// longest is the most seconds that a call may take, 0 for what the agent has.
func (g graph) longest() int64 {
	settings, _ := g["settings"].(map[string]any)
	seconds, _ := settings["maxCallSeconds"].(float64)
	return int64(seconds)
}

func (g graph) setLongest(seconds int64) {
	settings, ok := g["settings"].(map[string]any)
	if !ok {
		settings = map[string]any{}
		g["settings"] = settings
	}
	delete(settings, "maxCallSeconds")
	if seconds > 0 {
		settings["maxCallSeconds"] = float64(seconds)
	}
}

// drawn is the graph as clients of this dialect draw graphs: nodes, and edges
// between them.
func (g graph) drawn() map[string]any {
	edges := []any{}
	for _, n := range g.nodes() {
		for i, e := range objects(n["edges"]) {
			edge := map[string]any{"id": text(n["id"]) + "-" + strconv.Itoa(i+1), "source": n["id"], "target": e["to"]}
			if label := text(e["intent"]) + text(e["expr"]); label != "" {
				edge["label"] = label
			}
			edges = append(edges, edge)
		}
	}
	return map[string]any{"startNodeId": g["startNodeId"], "nodes": g["nodes"], "edges": edges}
}

// redraw takes the nodes of a drawing over when they are nodes of our own flows.
// Other drawings are the client's own: the flow then talks by its prompt.
func (g graph) redraw(data map[string]any) (own bool, err error) {
	nodes := objects(data["nodes"])
	own = len(nodes) > 0
	for _, n := range nodes {
		_, foreign := n["data"]
		own = own && !foreign && slices.Contains(nodeTypes, text(n["type"]))
	}
	if own {
		g["nodes"] = data["nodes"]
		put(g, "startNodeId", text(data["startNodeId"]))
		return true, nil
	}
	if g.talk() == nil {
		prompt := g.prompt()
		fresh := newGraph()
		g["nodes"], g["startNodeId"] = fresh["nodes"], fresh["startNodeId"]
		delete(g, "globalPrompt")
		g.setPrompt(prompt)
	}
	if _, isList := data["nodes"].([]any); !isList && data["nodes"] != nil {
		return false, domain.Invalid("flowData.nodes", "flowData.nodes must be a list")
	}
	return false, nil
}

// maxScript bounds what of a client's own drawing goes into a prompt, in bytes.
const maxScript = 20_000

// script lists the texts of a drawing that is the client's own, for the model to
// follow.
func script(data map[string]any) string {
	var lines strings.Builder
	for _, n := range objects(data["nodes"]) {
		inner, _ := n["data"].(map[string]any)
		for _, o := range []map[string]any{n, inner} {
			for _, name := range []string{"prompt", "text", "message", "content", "instructions"} {
				line := strings.TrimSpace(text(o[name]))
				if line == "" || lines.Len()+len(line) > maxScript {
					continue
				}
				lines.WriteString("\n- " + line)
			}
		}
	}
	return lines.String()
}

// text is a JSON value that is a string, else "".
func text(value any) string {
	s, _ := value.(string)
	return s
}

// put sets a member, or takes it away for "".
func put(object map[string]any, name, value string) {
	delete(object, name)
	if value != "" {
		object[name] = value
	}
}
