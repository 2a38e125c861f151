package flow

import "github.com/callwright/callwright/internal/domain"

func init() {
	register(nodeType{
		name:  "transfer",
		fresh: func() body { return &transfer{} },
		edges: doEdges,
		final: true,
	})
}

// transfer hands the caller over to somebody else: Do{transfer} with the argument
// to, a number or SIP address. Done OK means that the caller is with them: the
// call ends, unless a success edge goes on, which it does when they have hung up
// and the caller has not. When it failed, the failure, else or always edge is
// followed.
type transfer struct {
	Text        string  `json:"text,omitempty"` // said before
	To          string  `json:"to"`
	Mode        string  `json:"mode,omitempty"`        // bridge (when empty) or refer
	RingSeconds float64 `json:"ringSeconds,omitempty"` // how long they may ring; 0 is 30
}

func (b *transfer) check(c *check) {
	c.text("text", b.Text, false)
	c.text("to", b.To, true)
	switch domain.TransferMode(b.Mode) {
	case "", domain.TransferBridge, domain.TransferRefer:
	default:
		c.problem("mode", "must be bridge or refer")
	}
	c.seconds("ringSeconds", b.RingSeconds)
}

func (b *transfer) spoken() []string { return []string{b.Text} }

func (b *transfer) enter(w *walk, _ *Node) {
	w.say(b.Text)
	w.do(Do{Kind: DoTransfer, Args: map[string]any{
		"to": w.fill(b.To), "mode": b.Mode, "ringSeconds": b.RingSeconds,
	}})
}

func (b *transfer) take(w *walk, n *Node) {
	switch {
	case w.event.Kind != Done:
	case w.event.OK && !n.has(Success):
		w.end(domain.EndTransferred)
	default:
		w.performed(n)
	}
}
