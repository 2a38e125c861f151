package flow

func init() {
	register(nodeType{
		name:  "sms",
		fresh: func() body { return &sms{} },
		edges: doEdges,
		need:  doNeeds,
	})
}

// sms sends a text message: Do{sms} with the arguments to and text. Without To it
// goes to the person on the call; the argument is then empty.
type sms struct {
	To   string `json:"to,omitempty"`
	Text string `json:"text"`
}

func (b *sms) check(c *check) {
	c.text("to", b.To, false)
	c.text("text", b.Text, true)
}

func (b *sms) enter(w *walk, _ *Node) {
	w.do(Do{Kind: DoSMS, Args: map[string]any{"to": w.fill(b.To), "text": w.fill(b.Text)}})
}

func (b *sms) take(w *walk, n *Node) {
	if w.event.Kind == Done {
		w.performed(n)
	}
}
