package flow

import "github.com/callwright/callwright/internal/domain"

func init() {
	register(nodeType{
		name:  "branch",
		fresh: func() body { return &branch{} },
		edges: []EdgeKind{Always, Expr, Else},
		need:  [][]EdgeKind{{Always, Else}},
	})
}

// branch chooses an edge by expressions, says nothing and goes on at once.
type branch struct{}

func (b *branch) check(*check) {}

func (b *branch) enter(w *walk, n *Node) { w.pass(n) }

func (b *branch) take(*walk, *Node) {}

// pass leaves a node in which nothing is waited for.
func (w *walk) pass(n *Node) {
	if w.followExpr(n) || w.follow(n, Always, Else) {
		return
	}
	w.note("node %s: no edge matched", quote(n.ID))
	w.say(goodbyeFailed)
	w.end(domain.EndFlow)
}
