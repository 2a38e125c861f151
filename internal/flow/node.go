package flow

import (
	"slices"
	"strings"
)

// body is what a node type does. A type is one file: a struct with the type's
// own JSON fields that implements body, registered in init.
type body interface {
	// check reports what is wrong with the type's own fields.
	check(c *check)
	// enter is called when the conversation comes to the node. It either leaves
	// it again (follow, end) or ends its acts with one that has an answer.
	enter(w *walk, n *Node)
	// take is called with each event while the conversation is in the node, after
	// event and dtmf edges were tried.
	take(w *walk, n *Node)
}

// speaker is a body with texts that are said word for word.
type speaker interface{ spoken() []string }

// setter is a body that sets variables.
type setter interface{ sets() []string }

// nodeType is what is known of a type before its bodies are read.
type nodeType struct {
	name  string
	fresh func() body
	edges []EdgeKind // kinds that such a node may have
	waits bool       // a caller's turn, or time, passes in it: it breaks a cycle
	final bool       // it needs no edge: the call may end in it
	// need lists sets of kinds; the node must have an edge of each set. Expressions
	// that leave no case open count as always.
	need [][]EdgeKind
}

var nodeTypes = map[string]nodeType{}

// register makes a node type known. A name that is taken is a programming
// error and stops the program at its start.
func register(t nodeType) {
	if _, taken := nodeTypes[t.name]; taken {
		panic("flow: node type " + t.name + " is registered twice")
	}
	nodeTypes[t.name] = t
}

// NodeTypes lists the names of all node types, sorted.
func NodeTypes() []string {
	names := make([]string, 0, len(nodeTypes))
	for name := range nodeTypes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// wireNode is what all nodes have in common, as it is written.
type wireNode struct {
	ID       string         `json:"id"`
	Type     string         `json:"type"`
	Name     string         `json:"name"`
	Position map[string]any `json:"position"`
	Edges    []rawObject    `json:"edges"`
}

// readNode reads the node at index i. It always returns a node, so that what
// else is wrong can be found too; its body is nil when the type is not known.
func readNode(p *problems, i int, raw []byte) *Node {
	at := place{who: nodeWho("", i), path: index("nodes", i)}
	fields, ok := splitObject(p, at, raw)
	if !ok {
		return &Node{}
	}
	var w wireNode
	if id, ok := peekString(fields["id"]); ok {
		at.who = nodeWho(id, i)
	}
	readFields(p, at, fields, &w)
	n := &Node{ID: w.ID, Type: w.Type, Name: w.Name, Position: w.Position}
	if t, known := nodeTypes[w.Type]; known {
		n.body = t.fresh()
		readFields(p, at, fields, n.body)
		unknownFields(p, at, fields, "a "+w.Type+" node", n.body, &w)
	} else if w.Type == "" {
		p.add(at.field("type"), "%s has no type; use one of %s", at.who, strings.Join(NodeTypes(), ", "))
	} else {
		p.add(at.field("type"), "%s has type %s, which does not exist; use one of %s", at.who, quote(w.Type), strings.Join(NodeTypes(), ", "))
	}
	for j, rawEdge := range w.Edges {
		e := &Edge{}
		readObject(p, place{who: at.who + ": edge " + count(j), path: index(at.field("edges"), j)}, rawEdge, e)
		e.inferKind()
		n.Edges = append(n.Edges, e)
	}
	return n
}
