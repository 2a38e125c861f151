package flow

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// Graph is a conversation's definition. A parsed graph is not changed any more
// and may be used by many calls at once.
type Graph struct {
	Name         string         `json:"name,omitempty"`
	StartNodeID  string         `json:"startNodeId,omitempty"`
	GlobalPrompt string         `json:"globalPrompt,omitempty"` // stands before the prompt of every converse node
	Variables    map[string]any `json:"variables,omitempty"`    // name to default value, or to {type, default, description}
	Settings     Settings       `json:"settings,omitzero"`
	Metadata     map[string]any `json:"metadata,omitempty"` // the client's own; kept, never read
	Nodes        []*Node        `json:"nodes"`

	// Route says that a model chooses between intents: Step then asks for it with
	// Route. Without it intents are told apart by their keywords.
	Route bool `json:"-"`

	byID  map[string]*Node
	known map[string]bool // variables that expressions may use
}

// Settings are a flow's switches.
type Settings struct {
	ListenSeconds  float64 `json:"listenSeconds,omitempty"`  // how long a node waits for the caller; 0 is the conversation's default
	MaxCallSeconds int     `json:"maxCallSeconds,omitempty"` // the longest that a call may take; 0 is what its agent has
	OnMachine      string  `json:"onMachine,omitempty"`      // what an answering machine does where no edge or voicemail node takes it: hangup (default) or ignore
}

// Node is one room of the conversation.
type Node struct {
	ID       string
	Type     string
	Name     string
	Position map[string]any // where an editor draws it; kept, never read
	Edges    []*Edge

	body body
}

// wireGraph is a graph as it is written, before its nodes are read.
type wireGraph struct {
	Graph
	Nodes []json.RawMessage `json:"nodes"`
	// These belong to whoever stores the flow.
	ID        any `json:"id"`
	Status    any `json:"status"`
	Version   any `json:"version"`
	CreatedAt any `json:"createdAt"`
	UpdatedAt any `json:"updatedAt"`
}

// Parse reads a graph from JSON and validates it. Field names are exact; unknown
// ones are refused, but for id, status, version, createdAt and updatedAt at the
// top, which belong to whoever stores the flow. The error is a *domain.Error
// with CodeInvalid that lists all that is wrong, each with the node it is in,
// and whose Field is the path of the first.
func Parse(raw []byte) (*Graph, error) {
	var (
		p problems
		w wireGraph
	)
	readObject(&p, place{who: "the flow"}, raw, &w)
	g := w.Graph
	g.Nodes = make([]*Node, 0, min(len(w.Nodes), maxNodes))
	if len(w.Nodes) > maxNodes {
		p.add("nodes", "the flow has %d nodes; the limit is %d", len(w.Nodes), maxNodes)
		return nil, p.err()
	}
	for i, rawNode := range w.Nodes {
		g.Nodes = append(g.Nodes, readNode(&p, i, rawNode))
	}
	g.validate(&p)
	if err := p.err(); err != nil {
		return nil, err
	}
	return &g, nil
}

// FromPrompt makes the flow of an agent that has a prompt only: one node in
// which the model talks. With a first message the agent opens with it; without
// one the model speaks first.
func FromPrompt(firstMessage, systemPrompt string) *Graph {
	n := &Node{ID: "talk", Type: "converse", body: &converse{Text: firstMessage, Prompt: systemPrompt}}
	return &Graph{StartNodeID: n.ID, Nodes: []*Node{n}, byID: map[string]*Node{n.ID: n}}
}

// FromMessage makes the flow of a call in which a text is said and nothing else.
func FromMessage(text string) *Graph {
	n := &Node{ID: "message", Type: "end", body: &end{Text: text}}
	return &Graph{StartNodeID: n.ID, Nodes: []*Node{n}, byID: map[string]*Node{n.ID: n}}
}

// Canonical returns the graph as JSON. The same graph always gives the same
// bytes, and Parse reads them back to the same graph.
func (g *Graph) Canonical() []byte {
	raw, err := encode(g)
	if err != nil { // cannot happen: all values came from JSON
		return []byte("{}")
	}
	return raw
}

// MarshalJSON writes the node with its type's own fields between its name and
// its edges.
func (n *Node) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	for _, part := range []any{
		struct {
			ID   string `json:"id"`
			Type string `json:"type"`
			Name string `json:"name,omitempty"`
		}{n.ID, n.Type, n.Name},
		n.body,
		struct {
			Position map[string]any `json:"position,omitempty"`
			Edges    []*Edge        `json:"edges,omitempty"`
		}{n.Position, n.Edges},
	} {
		raw, err := encode(part)
		if err != nil {
			return nil, err
		}
		raw = bytes.TrimSuffix(bytes.TrimPrefix(raw, []byte("{")), []byte("}"))
		if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
			continue
		}
		out.WriteByte(',')
		out.Write(raw)
	}
	raw := out.Bytes()
	raw[0] = '{'
	return append(raw, '}'), nil
}

// encode is json.Marshal without the escapes meant for HTML.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// node returns the node with id, or nil.
func (g *Graph) node(id string) *Node { return g.byID[id] }

// Start returns the state before a call's first step: the flow's defaults under
// the variables given for the call.
func (g *Graph) Start(vars map[string]any) State {
	all := make(map[string]any, len(g.Variables)+len(vars))
	for name, declared := range g.Variables {
		if value := defaultOf(declared); value != nil {
			all[name] = value
		}
	}
	maps.Copy(all, vars)
	return State{Vars: all}
}

// defaultOf returns the default value in a declaration: the value itself, or
// the default of a {type, default, description} object.
func defaultOf(declared any) any {
	object, ok := declared.(map[string]any)
	if !ok || len(object) == 0 {
		return declared
	}
	for key := range object {
		if key != "type" && key != "default" && key != "description" {
			return declared
		}
	}
	return object["default"]
}

// Question is one thing a flow asks for.
type Question struct {
	Node     string
	Variable string
	Text     string // as written, variables not filled in
	Type     AnswerType
}

// Asks lists the questions that fill a variable, in the order of the
// conversation.
func (g *Graph) Asks() []Question {
	var list []Question
	for _, n := range g.walkOrder() {
		switch b := n.body.(type) {
		case *ask:
			if b.Variable != "" {
				list = append(list, Question{n.ID, b.Variable, b.Text, b.Answer.Type})
			}
		case *dtmf:
			if b.Variable != "" {
				list = append(list, Question{n.ID, b.Variable, b.Text, Text})
			}
		}
	}
	return list
}

// Texts lists what the flow will say word for word, in the order of the
// conversation: texts whose variables are all in vars and are not set by the
// flow itself. They can be synthesised before the call is placed.
func (g *Graph) Texts(vars map[string]any) []string {
	known := g.Start(vars).Vars
	for _, n := range g.Nodes {
		if b, ok := n.body.(setter); ok {
			for _, name := range b.sets() {
				for _, key := range withForms(name) {
					delete(known, key)
				}
			}
		}
	}
	var list []string
	for _, n := range g.walkOrder() {
		b, ok := n.body.(speaker)
		if !ok {
			continue
		}
		for _, text := range b.spoken() {
			filled, missing := Fill(text, known)
			if filled != "" && len(missing) == 0 && !slices.Contains(list, filled) {
				list = append(list, filled)
			}
		}
	}
	return list
}

// walkOrder lists the nodes breadth first from the start, then those that only
// an answering machine reaches.
func (g *Graph) walkOrder() []*Node {
	var (
		list []*Node
		seen = map[string]bool{}
	)
	visit := func(n *Node) {
		if n != nil && !seen[n.ID] {
			seen[n.ID] = true
			list = append(list, n)
		}
	}
	follow := func(from int) {
		for i := from; i < len(list); i++ {
			for _, e := range list[i].Edges {
				visit(g.byID[e.To])
			}
		}
	}
	visit(g.byID[g.StartNodeID])
	follow(0)
	machine := g.voicemailNode()
	at := len(list)
	visit(machine)
	follow(at)
	return list
}

// voicemailNode returns the node that takes answering machines, or nil.
func (g *Graph) voicemailNode() *Node {
	for _, n := range g.Nodes {
		if _, ok := n.body.(*voicemail); ok {
			return n
		}
	}
	return nil
}

// answersMachineByHangup reports whether a machine that nothing takes ends the
// call.
func (s Settings) answersMachineByHangup() bool { return s.OnMachine != "ignore" }
