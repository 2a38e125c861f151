package flow

import (
	"maps"
	"slices"
	"strings"
)

func init() {
	register(nodeType{
		name:  "set",
		fresh: func() body { return &set{} },
		edges: []EdgeKind{Always, Expr, Else},
		need:  [][]EdgeKind{{Always, Else}},
	})
}

// set gives variables new values and goes on at once. A string that begins with
// "=" is an expression ("= tries + 1"); in any other the variables are filled
// in, and a string that is one {{path}} and nothing else keeps the value's type.
// All values are made from the variables as they were before the node.
type set struct {
	Values map[string]any `json:"values"`

	compiled map[string]*expression
}

func (b *set) check(c *check) {
	if len(b.Values) == 0 {
		c.problem("values", "has no values to set")
	}
	b.compiled = map[string]*expression{}
	for _, name := range sortedKeys(b.Values) {
		c.variable("values", name)
		text, ok := b.Values[name].(string)
		source, isExpr := strings.CutPrefix(text, "=")
		if !ok || !isExpr {
			c.value("values."+name, b.Values[name])
			continue
		}
		if e := c.expr("values."+name, source, false); e != nil {
			b.compiled[name] = e
		}
	}
}

func (b *set) sets() []string { return slices.Collect(maps.Keys(b.Values)) }

func (b *set) enter(w *walk, n *Node) {
	env := w.env()
	for _, name := range sortedKeys(b.Values) {
		if e := b.compiled[name]; e != nil {
			value, err := e.value(env)
			if err != nil {
				w.note("node %s: %s was not set because its expression failed: %s", quote(n.ID), quote(name), err)
				continue
			}
			w.capture(name, value)
			continue
		}
		value, missing := fillValue(b.Values[name], env)
		w.noteMissing(missing)
		w.capture(name, value)
	}
	w.pass(n)
}

func (b *set) take(*walk, *Node) {}

// sortedKeys returns the keys of m in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
