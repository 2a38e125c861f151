package flow

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Limits of what a flow may have.
const (
	maxNodes  = 500
	maxEdges  = 100    // of one node
	maxText   = 4_000  // characters that are spoken or sent
	maxPrompt = 40_000 // characters of a prompt

	maxCallSeconds = 14_400 // of a call
	maxID          = 200    // characters of an id
	maxDeep        = 32     // levels of a JSON value
	maxSeconds     = 3600
)

// check collects what is wrong with one node.
type check struct {
	graph    *Graph
	node     *Node
	at       place
	problems *problems
}

// problem adds one about a field of the node.
func (c *check) problem(field, format string, args ...any) {
	c.problems.add(c.at.field(field), c.at.who+": "+strings.ReplaceAll(field, "%", "%%")+": "+format, args...)
}

// text checks something that is spoken or sent.
func (c *check) text(field, text string, required bool) {
	if required && strings.TrimSpace(text) == "" {
		c.problem(field, "must not be empty")
	}
	c.long(field, text, maxText)
}

func (c *check) long(field, text string, most int) {
	if n := utf8.RuneCountInString(text); n > most {
		c.problem(field, "has %d characters; the limit is %d", n, most)
	}
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// variable checks the name of a variable that the node sets.
func (c *check) variable(field, name string) {
	if !variableName.MatchString(name) {
		c.problem(field, "%s is no name for a variable; use letters, digits and _, not beginning with a digit", quote(name))
	}
}

func (c *check) seconds(field string, seconds float64) {
	if seconds < 0 || seconds > maxSeconds {
		c.problem(field, "must be 0 to %d seconds", maxSeconds)
	}
}

// value checks a JSON value that may have texts in it.
func (c *check) value(field string, value any) {
	total, deep := weigh(value)
	if deep > maxDeep {
		c.problem(field, "is nested deeper than %d levels", maxDeep)
	}
	if total > maxPrompt {
		c.problem(field, "is longer than %d characters", maxPrompt)
	}
}

// weigh returns the length of all strings in a value, and its depth.
func weigh(value any) (total, deep int) {
	add := func(inner any) {
		n, d := weigh(inner)
		total, deep = total+n, max(deep, d+1)
	}
	switch v := value.(type) {
	case string:
		return len(v), 0
	case []any:
		for _, inner := range v {
			add(inner)
		}
	case map[string]any:
		for key, inner := range v {
			total += len(key)
			add(inner)
		}
	}
	return total, deep
}

// expr compiles an expression and checks that something sets what it reads.
func (c *check) expr(field, source string, condition bool) *expression {
	e, err := newExpression(source, condition)
	if err != nil {
		c.problem(field, "the expression %s", err)
		return nil
	}
	known := c.graph.known
	for _, name := range e.names {
		if !known[name] {
			c.problem(field, "the expression uses %s, which nothing sets%s; declare it in the flow's variables, or set it in a node",
				quote(name), didYouMean(name, sortedNames(known)))
		}
	}
	return e
}
