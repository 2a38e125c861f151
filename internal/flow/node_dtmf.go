package flow

import (
	"strings"
	"time"

	"github.com/callwright/callwright/internal/spoken"
)

func init() {
	register(nodeType{
		name:  "dtmf",
		fresh: func() body { return &dtmf{} },
		edges: []EdgeKind{Always, Expr, OnEvent, Keys, Success, Failure, Timeout, Else},
		waits: true,
		need:  [][]EdgeKind{{Always, Expr, OnEvent, Keys, Success, Else}},
	})
}

// digitGap is how long a key may let wait for the next one.
const digitGap = 3 * time.Second

// dtmf says a text and collects keys, up to Max or until one of Terminator was
// pressed. Digits that are spoken count too. With Send it presses keys itself,
// for a menu at the far end, and goes on when all were sent.
type dtmf struct {
	Send           string  `json:"send,omitempty"` // keys, and w or , for half a second; without any other field
	Text           string  `json:"text,omitempty"`
	Max            int     `json:"max,omitempty"`        // 0: as many as its longest dtmf edge; without one, no limit
	Terminator     string  `json:"terminator,omitempty"` // keys out of 0-9 * # A-D
	Variable       string  `json:"variable,omitempty"`   // gets the digits as a string, without the terminator
	Repeat         *int    `json:"repeat,omitempty"`
	TimeoutSeconds float64 `json:"timeoutSeconds,omitempty"`
}

// maxKeys is how many keys may be sent at once.
const maxKeys = 256

const keypad = "0123456789*#ABCD"

func (b *dtmf) check(c *check) {
	c.text("text", b.Text, false)
	if b.Send != "" {
		b.checkSend(c)
	}
	if b.Max < 0 || b.Max > 64 {
		c.problem("max", "max must be 0 to 64")
	}
	if strings.Trim(b.Terminator, keypad) != "" {
		c.problem("terminator", "terminator may only have keys: %s", keypad)
	}
	if b.Variable != "" {
		c.variable("variable", b.Variable)
	}
	c.repeat(b.Repeat)
	c.seconds("timeoutSeconds", b.TimeoutSeconds)
}

func (b *dtmf) checkSend(c *check) {
	if b.Text != "" || b.Max != 0 || b.Terminator != "" || b.Variable != "" || b.Repeat != nil || b.TimeoutSeconds != 0 {
		c.problem("send", "a node that sends keys collects none; use two nodes")
	}
	c.long("send", b.Send, maxKeys)
	if !strings.Contains(b.Send, "{{") && strings.Trim(b.Send, keypad+"w,") != "" {
		c.problem("send", "send may only have keys (%s) and, for pauses, w", keypad)
	}
}

func (b *dtmf) spoken() []string { return []string{b.Text, goodbyeConfused, goodbyeSilent} }

func (b *dtmf) sets() []string {
	if b.Variable == "" {
		return nil
	}
	return []string{b.Variable}
}

func (b *dtmf) enter(w *walk, n *Node) {
	if b.Send != "" {
		w.do(Do{Kind: DoDigits, Args: map[string]any{"digits": w.fill(b.Send)}})
		return
	}
	w.say(b.Text)
	w.listen(b.TimeoutSeconds, b.rule(n))
}

func (b *dtmf) rule(n *Node) *DigitRule {
	rule := &DigitRule{Max: b.Max, Terminator: b.Terminator, Timeout: digitGap}
	if rule.Max == 0 && rule.Terminator == "" {
		for _, e := range n.edges(Keys) {
			rule.Max = max(rule.Max, len(e.Digits))
		}
	}
	return rule
}

func (b *dtmf) take(w *walk, n *Node) {
	if b.Send != "" {
		if w.event.Kind == Done {
			w.performed(n)
		}
		return
	}
	var digits string
	switch w.event.Kind {
	case Digit:
		digits = strings.TrimRight(keysOf(w.event.Text), b.Terminator)
	case Heard:
		digits, _ = spoken.Digits(spoken.Words(w.event.Text))
	case Silence:
	default:
		return
	}
	if digits != "" {
		w.captureAnswer(b.Variable, digits, spaced(digits))
		for _, e := range n.edges(Keys) {
			if e.Digits == digits {
				w.next = e.To
				return
			}
		}
		if w.followExpr(n) || w.follow(n, Success, Always, Else) {
			return
		}
	}
	if w.mayRepeat(n, b.Repeat) {
		w.say(b.Text)
		w.listen(b.TimeoutSeconds, b.rule(n))
	}
}
