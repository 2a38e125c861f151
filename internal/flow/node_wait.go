package flow

func init() {
	register(nodeType{
		name:  "wait",
		fresh: func() body { return &wait{} },
		edges: []EdgeKind{Always, Expr, OnEvent, Keys, Timeout, Else},
		waits: true,
		need:  [][]EdgeKind{{Always, Timeout, Else}},
	})
}

// wait lets time pass. Events and keys may cut it short; what the caller says
// meanwhile is not answered.
type wait struct {
	Seconds float64 `json:"seconds"`
}

func (b *wait) check(c *check) {
	if b.Seconds <= 0 {
		c.problem("seconds", "must wait for more than 0 seconds")
	}
	c.seconds("seconds", b.Seconds)
}

func (b *wait) enter(w *walk, _ *Node) { w.do(Wait{For: duration(b.Seconds)}) }

func (b *wait) take(w *walk, n *Node) {
	if w.event.Kind == Timer && !w.followExpr(n) {
		w.follow(n, Timeout, Always, Else)
	}
}
