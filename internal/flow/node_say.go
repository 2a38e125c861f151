package flow

func init() {
	register(nodeType{
		name:  "say",
		fresh: func() body { return &say{} },
		edges: []EdgeKind{Always, Expr, Else},
		need:  [][]EdgeKind{{Always, Else}},
	})
}

// say speaks a text and goes on at once.
type say struct {
	Text string `json:"text"`
}

func (b *say) check(c *check) { c.text("text", b.Text, true) }

func (b *say) spoken() []string { return []string{b.Text} }

func (b *say) enter(w *walk, n *Node) {
	w.say(b.Text)
	w.pass(n)
}

func (b *say) take(*walk, *Node) {}
