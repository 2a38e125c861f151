package flow

import (
	"cmp"
	"slices"
)

// EdgeKind says when an edge is followed.
type EdgeKind string

// The kinds of edges. A node tries event and dtmf first, then expr by priority,
// then intent, then success, failure or timeout as it ended, then always and else.
const (
	Always  EdgeKind = "always"  // when nothing more special matched
	Expr    EdgeKind = "expr"    // when the expression is true
	Meant   EdgeKind = "intent"  // when the caller meant it
	OnEvent EdgeKind = "event"   // when a named event arrives; machine and beep are events too
	Keys    EdgeKind = "dtmf"    // when the caller pressed these keys
	Success EdgeKind = "success" // when the node got or did what it is for
	Failure EdgeKind = "failure" // when it did not
	Timeout EdgeKind = "timeout" // when the caller stayed silent, or time ran out
	Else    EdgeKind = "else"    // when no other edge matched
)

var edgeKinds = []EdgeKind{Always, Expr, Meant, OnEvent, Keys, Success, Failure, Timeout, Else}

// Edge leads from its node to another.
type Edge struct {
	ID       string   `json:"id,omitempty"`
	To       string   `json:"to"`
	Kind     EdgeKind `json:"kind"`
	Expr     string   `json:"expr,omitempty"`
	Intent   string   `json:"intent,omitempty"`
	Keywords []string `json:"keywords,omitempty"` // for intent, when no model chooses; else taken from its text
	Event    string   `json:"event,omitempty"`
	Digits   string   `json:"digits,omitempty"`
	Priority int      `json:"priority,omitempty"` // the lower is tried first; equals as written
	Label    string   `json:"label,omitempty"`

	when *expression
}

// inferKind names the kind of an edge that does not say it, from the field that
// it has.
func (e *Edge) inferKind() {
	switch {
	case e.Kind != "":
	case e.Expr != "":
		e.Kind = Expr
	case e.Intent != "" || len(e.Keywords) > 0:
		e.Kind = Meant
	case e.Event != "":
		e.Kind = OnEvent
	case e.Digits != "":
		e.Kind = Keys
	default:
		e.Kind = Always
	}
}

// edges returns the node's edges of one kind, the most urgent first.
func (n *Node) edges(kind EdgeKind) []*Edge {
	var list []*Edge
	for _, e := range n.Edges {
		if e.Kind == kind {
			list = append(list, e)
		}
	}
	slices.SortStableFunc(list, func(a, b *Edge) int { return cmp.Compare(a.Priority, b.Priority) })
	return list
}

// has reports whether the node has an edge of one of the kinds.
func (n *Node) has(kinds ...EdgeKind) bool {
	return slices.ContainsFunc(n.Edges, func(e *Edge) bool { return slices.Contains(kinds, e.Kind) })
}
