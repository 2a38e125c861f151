package flow

import (
	"slices"
	"strings"

	"github.com/callwright/callwright/internal/domain"
)

func init() {
	register(nodeType{
		name:  "converse",
		fresh: func() body { return &converse{} },
		edges: edgeKinds,
		waits: true,
		final: true,
	})
}

// converse lets the model talk with the caller, turn by turn, until an edge
// matches what the caller said, or one side ends the call. Text opens the talk
// word for word; without it the model speaks first, unless WaitForCaller is set.
// An else or always edge ends the talk after the caller's next turn when nothing
// more special matches. When the model fails, failure and else are tried, then
// the call ends politely.
type converse struct {
	Text           string  `json:"text,omitempty"`
	Prompt         string  `json:"prompt,omitempty"`
	Tools          []Tool  `json:"tools,omitempty"`
	WaitForCaller  bool    `json:"waitForCaller,omitempty"`
	TimeoutSeconds float64 `json:"timeoutSeconds,omitempty"`
}

func (b *converse) check(c *check) {
	c.text("text", b.Text, false)
	c.long("prompt", b.Prompt, maxPrompt)
	if strings.TrimSpace(b.Prompt) == "" && strings.TrimSpace(c.graph.GlobalPrompt) == "" {
		c.problem("prompt", "needs a prompt, or the flow a globalPrompt")
	}
	if len(b.Tools) > maxTools {
		c.problem("tools", "has %d tools; the limit is %d", len(b.Tools), maxTools)
	}
	names := map[string]bool{}
	for i := range b.Tools {
		tool := &b.Tools[i]
		tool.check(c, index("tools", i))
		if names[tool.Name] {
			c.problem(index("tools", i), "there are two tools with the name %s", quote(tool.Name))
		}
		names[tool.Name] = true
	}
	c.seconds("timeoutSeconds", b.TimeoutSeconds)
}

func (b *converse) spoken() []string {
	list := []string{b.Text, stillThere, goodbyeSilent, goodbyeFailed, apology}
	for _, tool := range b.Tools {
		list = append(list, tool.Text)
	}
	return list
}

func (b *converse) enter(w *walk, _ *Node) {
	switch {
	case b.Text != "":
		w.say(b.Text)
		w.listen(b.TimeoutSeconds, nil)
	case b.WaitForCaller:
		w.listen(b.TimeoutSeconds, nil)
	default:
		b.think(w)
	}
}

func (b *converse) think(w *walk) {
	prompt := strings.TrimSpace(w.graph.GlobalPrompt + "\n\n" + b.Prompt)
	tools := slices.Clone(b.Tools)
	env := w.env()
	for i := range tools {
		tools[i].vars, tools[i].Text = env, w.fill(tools[i].Text)
	}
	w.do(Think{Prompt: w.fill(prompt), Tools: tools})
}

func (b *converse) take(w *walk, n *Node) {
	switch w.event.Kind {
	case Heard:
		w.state.Asked = 0
		if !w.followExpr(n) && !w.followMeaning(n) && !w.follow(n, Always, Else) {
			b.think(w)
		}
	case Routed:
		if !w.followRouted(n) && !w.follow(n, Always, Else) {
			b.think(w)
		}
	case Thought:
		b.thought(w, n)
	case Silence:
		b.silent(w, n)
	}
}

func (b *converse) thought(w *walk, n *Node) {
	switch {
	case !w.event.OK && (n.has(Failure) || n.has(Else)):
		w.say(apology)
		w.follow(n, Failure, Else)
	case !w.event.OK:
		w.say(goodbyeFailed)
		w.end(domain.EndInternal)
	case w.event.Name == Goodbye:
		if !w.follow(n, Success) {
			w.end(domain.EndFlow)
		}
	default:
		w.listen(b.TimeoutSeconds, nil)
	}
}

// silent reminds the caller, then gives up.
func (b *converse) silent(w *walk, n *Node) {
	switch {
	case w.follow(n, Timeout):
	case w.state.Asked < defaultRepeat:
		w.state.Asked++
		w.say(stillThere)
		w.listen(b.TimeoutSeconds, nil)
	default:
		w.say(goodbyeSilent)
		w.end(domain.EndSilence)
	}
}
