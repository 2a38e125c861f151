package flow

import (
	"fmt"
	"slices"
	"strings"
)

// follow leaves by the first edge of the first kind that the node has.
func (w *walk) follow(n *Node, kinds ...EdgeKind) bool {
	for _, kind := range kinds {
		if list := n.edges(kind); len(list) > 0 {
			w.next = list[0].To
			return true
		}
	}
	return false
}

// followEvent leaves by the edge that waits for this event, or for these keys.
func (w *walk) followEvent(n *Node) bool {
	var name string
	kind := OnEvent
	switch w.event.Kind {
	case Injected:
		name = w.event.Name
	case Machine, Beep:
		name = string(w.event.Kind)
	case Digit:
		name, kind = keysOf(w.event.Text), Keys
	default:
		return false
	}
	for _, e := range n.edges(kind) {
		if e.Event == name && kind == OnEvent || e.Digits == name && kind == Keys {
			w.next = e.To
			return true
		}
	}
	return false
}

// keysOf is what was pressed, without spaces.
func keysOf(text string) string { return strings.ReplaceAll(strings.TrimSpace(text), " ", "") }

// followExpr leaves by the first expression that is true. One that fails does
// not match and is noted.
func (w *walk) followExpr(n *Node) bool {
	list := n.edges(Expr)
	if len(list) == 0 {
		return false
	}
	env := w.env()
	for _, e := range list {
		holds, err := e.when.holds(env)
		if err != nil {
			w.note("node %s: an expression did not match because it failed: %s", quote(n.ID), err)
			continue
		}
		if holds {
			w.next = e.To
			return true
		}
	}
	return false
}

// followMeaning leaves by what the caller meant, or asks the router. It reports
// whether the step is done with that.
func (w *walk) followMeaning(n *Node) bool {
	intents := n.intents()
	if len(intents) == 0 {
		return false
	}
	if w.graph.Route {
		w.do(Route{Text: w.state.Text, Intents: intents})
		return true
	}
	if i := matchIntent(intents, w.state.Text); i >= 0 {
		w.next = intents[i].To
		return true
	}
	return false
}

// followRouted leaves by the intent that the router chose. A target that the
// node has no intent for counts as "stay".
func (w *walk) followRouted(n *Node) bool {
	for _, intent := range n.intents() {
		if w.event.Name != "" && intent.To == w.event.Name {
			w.next = intent.To
			return true
		}
	}
	return false
}

// intents lists what the caller may mean here.
func (n *Node) intents() []Intent {
	var list []Intent
	for _, e := range n.edges(Meant) {
		list = append(list, Intent{To: e.To, Text: e.Intent, Keywords: e.Keywords})
	}
	return list
}

// note adds something that a reader of the call should know, once a step.
func (w *walk) note(format string, args ...any) {
	note := Note{Text: fmt.Sprintf(format, args...)}
	if !slices.Contains(w.acts, Act(note)) {
		w.acts = slices.Insert(w.acts, 0, Act(note))
	}
}

func (w *walk) noteMissing(paths []string) {
	for _, path := range paths {
		w.note("variable %s is not set (node %s)", quote(path), quote(w.state.Node))
	}
}
