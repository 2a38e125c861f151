package archtest

import (
	"flag"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/domain"
)

var update = flag.Bool("update", false, "write docs/states.md anew from the code's tables")

// word is a constant of a type of words: its value and the sentence beside it.
type word struct{ value, means string }

// arrow leads from one state to another.
type arrow struct{ from, to, on string }

// machine is one table of the code, to be drawn.
type machine struct {
	title, says string
	table       string // where the table is, for the reader
	states      []word
	inputs      []word // nil when only time and events elsewhere move it
	arrows      []arrow
}

// TestStatesAreDrawn keeps docs/states.md as the tables of the code are.
func TestStatesAreDrawn(t *testing.T) {
	top, err := root()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(top, "docs", "states.md")
	want := drawn(t)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil || string(have) != want {
		t.Errorf("docs/states.md is not what the tables say (%v); run: go test ./internal/archtest -update", err)
	}
}

func drawn(t *testing.T) string {
	calls, attempts := words(t, "domain", "CallState"), words(t, "domain", "AttemptState")
	deliveries := words(t, "domain", "DeliveryState")
	states, inputs := words(t, "conversation", "State"), words(t, "conversation", "Input")
	var out strings.Builder
	out.WriteString("# States\n\nWritten by `go test ./internal/archtest -update` from the tables and comments in the\ncode; change those, not this file.\n")
	for _, m := range []machine{
		{
			title: "A call", table: "`domain.CallTransitions` in `internal/domain/call.go`", states: calls, arrows: follow(calls, domain.CallTransitions),
			says: "What the API shows as `status` is derived from it; every ended call also has an `endReason`.",
		},
		{
			title: "An attempt", table: "`domain.AttemptTransitions` in `internal/domain/attempt.go`", states: attempts, arrows: follow(attempts, domain.AttemptTransitions),
			says: "One try to reach the number of a call. From `intent` on it is never sent again, whatever happens to the process.",
		},
		{
			title: "A delivery", table: "`domain.DeliveryTransitions` in `internal/domain/endpoint.go`", states: deliveries, arrows: follow(deliveries, domain.DeliveryTransitions),
			says: "One event on its way to one webhook endpoint. A try that fails leaves it pending until the next one is due.",
		},
		{
			title: "A conversation", table: "`conversation.Transitions` in `internal/conversation/state.go`", states: states, inputs: inputs, arrows: react(states, inputs),
			says: "Whose turn it is in a live call. An input that has no arrow does not change the state. A conversation begins `idle`.",
		},
	} {
		m.draw(&out)
	}
	lexicon(&out, "Why a call is over", "`endReason`", "The first eight are of calls that were answered; `domain.EndReason` in `internal/domain/call.go`.", words(t, "domain", "EndReason"))
	lexicon(&out, "How a try to reach somebody ended", "result", "By these it is decided whether somebody is tried again; `domain.Result` in `internal/domain/result.go`.", words(t, "domain", "Result"))
	return out.String()
}

// words lists the constants of a type in the order of the code. Each must say
// beside it what it means.
func words(t *testing.T, path, typ string) []word {
	t.Helper()
	var list []word
	for _, p := range load(t) {
		for _, f := range p.files {
			if p.path != path || f.test {
				continue
			}
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				spec, ok := n.(*ast.ValueSpec)
				if !ok || len(spec.Values) != 1 {
					return true
				}
				kind, named := spec.Type.(*ast.Ident)
				value, literal := spec.Values[0].(*ast.BasicLit)
				if !named || !literal || kind.Name != typ || value.Kind != token.STRING {
					return true
				}
				text, err := strconv.Unquote(value.Value)
				means := strings.TrimSpace(spec.Comment.Text())
				if err != nil || means == "" {
					t.Errorf("%s: %s has no comment beside it: say in a few words what it means", f.name, spec.Names[0].Name)
				}
				list = append(list, word{text, strings.ReplaceAll(means, "\n", " ")})
				return true
			})
		}
	}
	if len(list) == 0 {
		t.Fatalf("there are no constants of type %s.%s", path, typ)
	}
	return list
}

// follow lists the arrows of a table that says what may follow a state.
func follow[S ~string](states []word, table map[S][]S) []arrow {
	var list []arrow
	for _, from := range states {
		for _, to := range table[S(from.value)] {
			list = append(list, arrow{from: from.value, to: string(to)})
		}
	}
	return list
}

// react lists the arrows of the turn table, those between the same two states as
// one.
func react(states, inputs []word) []arrow {
	var list []arrow
	for _, from := range states {
		on := map[conversation.State][]string{}
		var order []conversation.State
		for _, in := range inputs {
			to, ok := conversation.State(from.value).Next(conversation.Input(in.value))
			if !ok {
				continue
			}
			if on[to] == nil {
				order = append(order, to)
			}
			on[to] = append(on[to], in.value)
		}
		for _, to := range order {
			list = append(list, arrow{from.value, string(to), strings.Join(on[to], ", ")})
		}
	}
	return list
}

func (m *machine) draw(out *strings.Builder) {
	fmt.Fprintf(out, "\n## %s\n\n%s The table is %s.\n\n```mermaid\nstateDiagram-v2\n", m.title, m.says, m.table)
	for _, s := range m.states {
		if name := mermaid(s.value); name != s.value {
			fmt.Fprintf(out, "    state \"%s\" as %s\n", s.value, name)
		}
	}
	first := m.states[0].value
	if m.inputs != nil {
		first = string(conversation.Idle)
	}
	fmt.Fprintf(out, "    [*] --> %s\n", mermaid(first))
	left := map[string]bool{}
	for _, a := range m.arrows {
		left[a.from] = true
		fmt.Fprintf(out, "    %s --> %s", mermaid(a.from), mermaid(a.to))
		if a.on != "" {
			fmt.Fprintf(out, " : %s", a.on)
		}
		out.WriteByte('\n')
	}
	for _, s := range m.states {
		if !left[s.value] {
			fmt.Fprintf(out, "    %s --> [*]\n", mermaid(s.value))
		}
	}
	out.WriteString("```\n\n| state | meaning |\n|---|---|\n")
	rows(out, m.states)
	if m.inputs != nil {
		out.WriteString("\n| input | meaning |\n|---|---|\n")
		rows(out, m.inputs)
	}
}

// lexicon lists words that are no states.
func lexicon(out *strings.Builder, title, column, says string, list []word) {
	fmt.Fprintf(out, "\n## %s\n\n%s\n\n| %s | meaning |\n|---|---|\n", title, says, column)
	rows(out, list)
}

func rows(out *strings.Builder, list []word) {
	for _, w := range list {
		fmt.Fprintf(out, "| `%s` | %s |\n", w.value, w.means)
	}
}

// mermaid is a state's name as mermaid takes it, which has words without hyphens.
func mermaid(state string) string { return strings.ReplaceAll(state, "-", "_") }

// TestTablesKnowAllStates finds states that a table forgot, and ones that it
// alone knows.
func TestTablesKnowAllStates(t *testing.T) {
	for typ, keys := range map[string][]string{
		"CallState": keysOf(domain.CallTransitions), "AttemptState": keysOf(domain.AttemptTransitions),
		"DeliveryState": keysOf(domain.DeliveryTransitions),
	} {
		sameWords(t, typ, words(t, "domain", typ), keys)
	}
	sameWords(t, "State", words(t, "conversation", "State"), keysOf(conversation.Transitions))
}

func keysOf[S ~string, V any](table map[S]V) []string {
	var list []string
	for key := range table {
		list = append(list, string(key))
	}
	return list
}

func sameWords(t *testing.T, typ string, declared []word, keys []string) {
	t.Helper()
	var names []string
	for _, w := range declared {
		names = append(names, w.value)
	}
	slices.Sort(names)
	slices.Sort(keys)
	if !slices.Equal(names, keys) {
		t.Errorf("the table of %s has %q, its constants are %q: give each state its entry", typ, keys, names)
	}
}
