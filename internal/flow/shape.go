package flow

import (
	"slices"
	"strings"
)

// findStart makes sure that there is one start. When the flow does not name it,
// it is the one node that nothing leads to.
func (g *Graph) findStart(p *problems) {
	if g.StartNodeID != "" {
		if g.byID[g.StartNodeID] == nil {
			p.add("startNodeId", "startNodeId is %s, which does not exist%s", quote(g.StartNodeID),
				didYouMean(g.StartNodeID, sortedNames(g.byID)))
		}
		return
	}
	led := map[string]bool{}
	for _, n := range g.Nodes {
		for _, e := range n.Edges {
			if e.To != n.ID {
				led[e.To] = true
			}
		}
	}
	machine := g.voicemailNode()
	var starts []string
	for _, n := range g.Nodes {
		if !led[n.ID] && (n != machine || len(g.Nodes) == 1) {
			starts = append(starts, n.ID)
		}
	}
	switch len(starts) {
	case 1:
		g.StartNodeID = starts[0]
	case 0:
		p.add("startNodeId", "startNodeId is missing, and every node has an edge that leads to it; name the node to start with")
	default:
		for i := range starts {
			starts[i] = quote(starts[i])
		}
		p.add("startNodeId", "startNodeId is missing, and nothing leads to %s; name the node to start with, and lead to the others",
			strings.Join(starts[:min(len(starts), 10)], ", "))
	}
}

// checkShape finds nodes that are never reached and circles in which the caller
// never has a turn.
func (g *Graph) checkShape(p *problems) {
	reached := map[string]bool{}
	for _, n := range g.walkOrder() {
		reached[n.ID] = true
	}
	for i, n := range g.Nodes {
		if !reached[n.ID] {
			p.add(index("nodes", i), "%s is never reached: no edge leads to it from the start", nodeWho(n.ID, i))
		}
	}
	for _, circle := range g.circles() {
		for i := range circle {
			circle[i] = quote(circle[i])
		}
		p.add("nodes", "the nodes %s go round without a turn of the caller; put an ask, dtmf, converse or wait node between them",
			strings.Join(append(circle, circle[0]), " → "))
	}
}

// circles returns paths through nodes that do not wait and that come back to
// their beginning, one for each node that closes one.
func (g *Graph) circles() [][]string {
	const (
		unseen = iota
		open
		closed
	)
	var (
		state = map[string]int{}
		path  []string
		found [][]string
		visit func(n *Node)
	)
	visit = func(n *Node) {
		state[n.ID] = open
		path = append(path, n.ID)
		for _, e := range n.Edges {
			next := g.byID[e.To]
			if next == nil || nodeTypes[next.Type].waits {
				continue
			}
			switch state[next.ID] {
			case open:
				found = append(found, slices.Clone(path[slices.Index(path, next.ID):]))
			case unseen:
				visit(next)
			}
		}
		path = path[:len(path)-1]
		state[n.ID] = closed
	}
	for _, n := range g.Nodes {
		if !nodeTypes[n.Type].waits && state[n.ID] == unseen {
			visit(n)
		}
	}
	return found
}

// maxCases bounds how many combinations of answers exhaustive tries.
const maxCases = 64

// exhaustive reports whether the node's expressions leave no case open: they
// read only answers of which all values are known (yes_no and choice), and one
// of them is true for each combination.
func (c *check) exhaustive() bool {
	list := c.node.edges(Expr)
	domains := map[string][]any{}
	cases := 1
	for _, e := range list {
		if e.when == nil {
			return true // it does not compile, which is reported already
		}
		for _, name := range e.when.names {
			if _, known := domains[name]; known {
				continue
			}
			values := c.graph.valuesOf(name)
			if len(values) == 0 || cases*len(values) > maxCases {
				return false
			}
			cases *= len(values)
			domains[name] = values
		}
	}
	return len(list) > 0 && c.allCases(list, domains, sortedNames(domains), map[string]any{})
}

func (c *check) allCases(list []*Edge, domains map[string][]any, names []string, env map[string]any) bool {
	if len(names) == 0 {
		return slices.ContainsFunc(list, func(e *Edge) bool {
			holds, err := e.when.holds(env)
			return holds && err == nil
		})
	}
	for _, value := range domains[names[0]] {
		env[names[0]] = value
		if !c.allCases(list, domains, names[1:], env) {
			return false
		}
	}
	return true
}

// valuesOf lists the values that a variable can have, or nil when they cannot be
// told: only ask nodes set it, and all of them by yes_no or choice.
func (g *Graph) valuesOf(name string) []any {
	if _, declared := g.Variables[name]; declared {
		return nil
	}
	var values []any
	for _, n := range g.Nodes {
		b, ok := n.body.(setter)
		if !ok || !slices.Contains(b.sets(), name) {
			continue
		}
		question, ok := n.body.(*ask)
		if !ok {
			return nil
		}
		switch question.Answer.Type {
		case YesNo:
			values = append(values, true, false)
		case OneOf:
			for _, choice := range question.Answer.Choices {
				values = append(values, choice.Value)
			}
		default:
			return nil
		}
	}
	return values
}
