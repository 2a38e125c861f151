package flow

import (
	"maps"
	"slices"
	"strings"

	"github.com/callwright/callwright/internal/spoken"
)

// validate adds all that is wrong with the graph, and makes it ready to be
// walked: expressions are compiled, the start is known.
func (g *Graph) validate(p *problems) {
	g.byID = make(map[string]*Node, len(g.Nodes))
	top := &check{graph: g, at: place{who: "the flow"}, problems: p}
	top.long("globalPrompt", g.GlobalPrompt, maxPrompt)
	top.long("name", g.Name, maxID)
	top.seconds("settings.listenSeconds", g.Settings.ListenSeconds)
	if s := g.Settings.MaxCallSeconds; s < 0 || s > maxCallSeconds {
		top.problem("settings.maxCallSeconds", "must be 0 to %d seconds", maxCallSeconds)
	}
	if m := g.Settings.OnMachine; m != "" && m != "hangup" && m != "ignore" {
		top.problem("settings.onMachine", "must be hangup or ignore")
	}
	for _, name := range sortedKeys(g.Variables) {
		top.variable("variables", name)
		top.value("variables."+quote(name), g.Variables[name])
	}
	if len(g.Nodes) == 0 {
		p.add("nodes", "the flow has no nodes")
		return
	}
	for i, n := range g.Nodes {
		if g.byID[n.ID] != nil {
			p.add(index("nodes", i)+".id", "%s: the id is used by two nodes", nodeWho(n.ID, i))
			continue
		}
		g.byID[n.ID] = n
	}
	g.known = g.names()
	checks := make([]*check, len(g.Nodes))
	for i, n := range g.Nodes {
		checks[i] = &check{graph: g, node: n, problems: p, at: place{who: nodeWho(n.ID, i), path: index("nodes", i)}}
		checks[i].nodeItself()
	}
	for _, c := range checks { // after all bodies, whose answers may settle which cases are open
		c.edges()
	}
	g.findStart(p)
	if len(p.list) == 0 {
		g.checkShape(p)
	}
}

// nodeItself checks what can be seen without walking the graph.
func (c *check) nodeItself() {
	n := c.node
	if strings.TrimSpace(n.ID) == "" {
		c.problem("id", "has no id")
	}
	c.long("id", n.ID, maxID)
	c.long("name", n.Name, maxID)
	c.value("position", n.Position)
	if n.body != nil {
		n.body.check(c)
	}
}

// edges checks the node's edges.
func (c *check) edges() {
	n := c.node
	if n.body == nil {
		return
	}
	if len(n.Edges) > maxEdges {
		c.problem("edges", "has %d edges; the limit is %d", len(n.Edges), maxEdges)
		return
	}
	for i, e := range n.Edges {
		c.edge(i, e)
	}
	c.sameIntents()
	c.wayOut()
}

// edge checks one edge.
func (c *check) edge(i int, e *Edge) {
	path := index("edges", i)
	at := &check{graph: c.graph, node: c.node, problems: c.problems,
		at: place{who: c.at.who + ": edge " + count(i), path: c.at.field(path)}}
	switch {
	case e.To == "":
		at.problem("to", "has no node to lead to")
	case c.graph.byID[e.To] == nil:
		c.problems.add(at.at.field("to"), "%s points to %s, which does not exist%s", at.at.who, quote(e.To),
			didYouMean(e.To, sortedNames(c.graph.byID)))
	}
	if !slices.Contains(edgeKinds, e.Kind) {
		at.problem("kind", "%s does not exist; use one of %s", quote(string(e.Kind)), kindList(edgeKinds))
		return
	}
	if t := nodeTypes[c.node.Type]; !slices.Contains(t.edges, e.Kind) {
		if len(t.edges) == 0 {
			at.problem("kind", "a %s node ends the call and has no edges", t.name)
		} else {
			at.problem("kind", "a %s node cannot have %s edges; it can have %s", t.name, e.Kind, kindList(t.edges))
		}
	}
	at.edgeFields(e)
}

// edgeFields checks that an edge has the fields of its kind and no others.
func (c *check) edgeFields(e *Edge) {
	for _, f := range []struct {
		name  string
		given bool
		kind  EdgeKind
	}{
		{"expr", e.Expr != "", Expr}, {"intent", e.Intent != "", Meant}, {"keywords", len(e.Keywords) > 0, Meant},
		{"event", e.Event != "", OnEvent}, {"digits", e.Digits != "", Keys},
	} {
		if f.given && f.kind != e.Kind {
			c.problem(f.name, "does not belong to an edge of kind %s", e.Kind)
		}
	}
	c.long("intent", e.Intent, maxText)
	c.long("label", e.Label, maxText)
	switch e.Kind {
	case Expr:
		if strings.TrimSpace(e.Expr) == "" {
			c.problem("expr", "must not be empty")
		} else {
			e.when = c.expr("expr", e.Expr, true)
		}
	case Meant:
		if e.Intent == "" && len(e.Keywords) == 0 {
			c.problem("intent", "needs an intent, or keywords")
		} else if len((Intent{Text: e.Intent, Keywords: e.Keywords}).keywords()) == 0 && !c.graph.Route {
			c.problem("intent", "has no word that tells it apart; add keywords")
		}
	case OnEvent:
		if strings.TrimSpace(e.Event) == "" {
			c.problem("event", "must not be empty")
		}
	case Keys:
		if e.Digits == "" || strings.Trim(e.Digits, keypad) != "" {
			c.problem("digits", "must be keys: %s", keypad)
		}
	}
}

// sameIntents reports intents, events and keys that two edges of the node share.
func (c *check) sameIntents() {
	seen := map[string]int{}
	for i, e := range c.node.Edges {
		var names []string
		switch e.Kind {
		case Meant:
			if e.Intent != "" {
				names = append(names, "intent "+strings.Join(spoken.Words(e.Intent), " "))
			}
			for _, keyword := range e.Keywords {
				names = append(names, "keyword "+strings.Join(spoken.Words(keyword), " "))
			}
		case OnEvent:
			names = append(names, "event "+e.Event)
		case Keys:
			names = append(names, "dtmf "+e.Digits)
		}
		for _, name := range names {
			if first, taken := seen[name]; taken && first != i {
				c.problem(index("edges", i), "edges %s and %s wait for the same %s", count(first), count(i), quote(name))
				continue
			}
			seen[name] = i
		}
	}
}

// wayOut reports cases in which the conversation could not leave the node.
func (c *check) wayOut() {
	t := nodeTypes[c.node.Type]
	if !t.final && len(c.node.Edges) == 0 {
		c.problem("edges", "a %s node needs an edge that leads on", t.name)
		return
	}
	for _, kinds := range t.need {
		if c.node.has(kinds...) || slices.Contains(kinds, Always) && c.exhaustive() {
			continue
		}
		c.problem("edges", "has no way out for every case; add an edge of kind %s", kindList(kinds))
	}
}

func kindList(kinds []EdgeKind) string {
	list := make([]string, len(kinds))
	for i, kind := range kinds {
		list[i] = string(kind)
	}
	return strings.Join(list, ", ")
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// names returns the variables that expressions may use: the built-in ones, those
// that are declared, and those that nodes set.
func (g *Graph) names() map[string]bool {
	known := map[string]bool{}
	for _, name := range builtins {
		known[name] = true
	}
	for name := range g.Variables {
		known[name] = true
	}
	for _, n := range g.Nodes {
		if b, ok := n.body.(setter); ok {
			for _, name := range b.sets() {
				for _, form := range withForms(name) {
					known[form] = true
				}
			}
		}
	}
	return known
}
