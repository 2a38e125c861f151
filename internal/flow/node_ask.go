package flow

import (
	"fmt"

	"github.com/callwright/callwright/internal/domain"
)

func init() {
	register(nodeType{
		name:  "ask",
		fresh: func() body { return &ask{} },
		edges: edgeKinds,
		waits: true,
		need:  [][]EdgeKind{{Always, Expr, Meant, OnEvent, Keys, Success, Else}},
	})
}

// ask puts a question and reads the answer by its type. The answer goes into
// Variable, with two companions: <variable>_raw has the words that were said,
// <variable>_spoken the value as one would say it. What is not understood, or
// leads nowhere, is asked again; after Repeat times the failure, timeout or else
// edge is followed, and without one the call ends politely.
type ask struct {
	Text           string  `json:"text"`
	Variable       string  `json:"variable,omitempty"`
	Answer         Answer  `json:"answer,omitzero"`
	Repeat         *int    `json:"repeat,omitempty"` // how often to ask again; 2 when it is not given
	TimeoutSeconds float64 `json:"timeoutSeconds,omitempty"`
}

const (
	defaultRepeat = 2
	maxRepeat     = 20
)

func (b *ask) check(c *check) {
	c.text("text", b.Text, true)
	if b.Variable != "" {
		c.variable("variable", b.Variable)
	}
	b.Answer.check(c)
	c.repeat(b.Repeat)
	c.seconds("timeoutSeconds", b.TimeoutSeconds)
}

func (b *ask) spoken() []string {
	return []string{b.Text, b.Answer.guidance(), goodbyeConfused, goodbyeSilent}
}

func (b *ask) sets() []string {
	if b.Variable == "" {
		return nil
	}
	return []string{b.Variable}
}

func (b *ask) enter(w *walk, n *Node) {
	w.say(b.Text)
	b.listen(w, n)
}

func (b *ask) listen(w *walk, n *Node) { w.listen(b.TimeoutSeconds, b.digits(n)) }

// digits says when keys pressed as an answer, or for one of the node's edges,
// are complete.
func (b *ask) digits(n *Node) *DigitRule {
	rule := b.Answer.digits()
	longest, keys := 0, ""
	for _, e := range n.edges(Keys) {
		longest, keys = max(longest, len(e.Digits)), keys+e.Digits
	}
	switch {
	case longest == 0:
		return rule
	case rule == nil:
		return &DigitRule{Max: longest, Timeout: digitGap, Only: keys}
	case rule.Max > 0:
		rule.Max = max(rule.Max, longest)
		if rule.Only != "" {
			rule.Only += keys
		}
	}
	return rule
}

func (b *ask) take(w *walk, n *Node) {
	switch w.event.Kind {
	case Heard:
		b.hear(w, n)
	case Digit:
		if b.Answer.digits() != nil {
			b.hear(w, n)
		}
	case Routed:
		if !w.followRouted(n) {
			b.settle(w, n)
		}
	case Silence:
		b.again(w, n)
	}
}

// hear reads the answer. What is no answer may still be one of the node's
// intents: "let me talk to a human" to a question for a date.
func (b *ask) hear(w *walk, n *Node) {
	value, ok := b.Answer.read(w.event)
	w.state.Answered = ok
	if ok {
		w.captureAnswer(b.Variable, value, b.Answer.spoken(value))
		if w.followExpr(n) {
			return
		}
	}
	if w.event.Kind == Heard && w.followMeaning(n) {
		return
	}
	b.settle(w, n)
}

// settle goes on after an answer, else asks again.
func (b *ask) settle(w *walk, n *Node) {
	if w.state.Answered && w.follow(n, Success, Always, Else) {
		return
	}
	b.again(w, n)
}

func (b *ask) again(w *walk, n *Node) {
	if !w.mayRepeat(n, b.Repeat) {
		return
	}
	if w.event.Kind == Silence {
		w.say(b.Text)
	} else {
		w.say(b.Answer.guidance())
	}
	b.listen(w, n)
}

// mayRepeat counts one more failure to get an answer. When there were enough it
// leaves the node, or ends the call, and reports false.
func (w *walk) mayRepeat(n *Node, repeat *int) bool {
	most := defaultRepeat
	if repeat != nil {
		most = *repeat
	}
	if w.state.Asked < most {
		w.state.Asked++
		return true
	}
	silent := w.event.Kind == Silence
	if silent && w.follow(n, Timeout, Failure, Else) || !silent && w.follow(n, Failure, Else) {
		return false
	}
	if silent {
		w.say(goodbyeSilent)
		w.end(domain.EndSilence)
	} else {
		w.say(goodbyeConfused)
		w.end(domain.EndFlow)
	}
	return false
}

func (c *check) repeat(repeat *int) {
	if repeat != nil && (*repeat < 0 || *repeat > maxRepeat) {
		c.problem("repeat", "%s", fmt.Sprintf("repeat must be 0 to %d", maxRepeat))
	}
}
