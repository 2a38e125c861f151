package flow

import "github.com/callwright/callwright/internal/domain"

func init() {
	register(nodeType{name: "end", fresh: func() body { return &end{} }, final: true})
}

// end says goodbye, if it has a text, and ends the call.
type end struct {
	Text string `json:"text,omitempty"`
}

func (b *end) check(c *check) { c.text("text", b.Text, false) }

func (b *end) spoken() []string { return []string{b.Text} }

func (b *end) enter(w *walk, _ *Node) {
	w.say(b.Text)
	w.end(domain.EndFlow)
}

func (b *end) take(*walk, *Node) {}
