package archtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func mustParse(t *testing.T, name, source string) file {
	t.Helper()
	f, err := parse(name, []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The rules must bite: each is shown what it is there to find.

func TestUndocumentedBites(t *testing.T) {
	f := mustParse(t, "internal/x/x.go", `package x
func A() {}
// B is.
func B() {}
func c() {}
type D struct{}
func (D) E() {}
func (*D) String() string { return "" }
type g struct{}
func (g) H() {}
const I = 1
// These are.
const ( J = 1; K = 2 )
const ( L = 1 // one
	M = 2 )
type ( N struct{} )
var o int
func (p *P[T]) Q() {}
`)
	if got, want := undocumented(f), []string{"A", "D", "E", "I", "M", "N", "Q"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestForbiddenBites(t *testing.T) {
	unfinishedNote := "// TO" + "DO: later\n"
	for _, c := range []struct {
		name, source string
		want         int
	}{
		{"internal/x/x.go", "package x\n" + unfinishedNote, 1},
		{"internal/x/x.go", "package x\n// A mastodon: TODOS\n", 0},
		{"internal/x/x.go", "package x\nfunc init() {}\n", 1},
		{"internal/flow/node_say.go", "package flow\nfunc init() {}\n", 0},
		{"internal/flow/step.go", "package flow\nfunc init() {}\n", 1},
		{"internal/provider/deepgram_stt.go", "package provider\nfunc init() {}\n", 0},
		{"internal/x/x_test.go", "package x\nfunc F(t T) { t.Skip() }\n", 1},
		{"internal/x/x_test.go", "package x\nfunc F(tb T) { tb.SkipNow() }\n", 1},
		{"internal/x/x_test.go", "package x\nfunc F(r R) { r.Skip(3) }\n", 0},
	} {
		if got := forbidden(mustParse(t, c.name, c.source)); len(got) != c.want {
			t.Errorf("%s %q: %v", c.name, c.source, got)
		}
	}
}

func TestSizesBite(t *testing.T) {
	body := strings.Repeat("\n", 90)
	f := mustParse(t, "x.go", "package x\nfunc a() {"+body+"}\nfunc b() {}\n")
	if got := fmt.Sprint(functions(f)); got != "map[a (line 2):91 b (line 93):1]" {
		t.Errorf("functions: %s", got)
	}
	if got := p95([]int{9, 1, 2, 3}); got != 9 {
		t.Errorf("p95 of 4 = %d", got)
	}
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = 100 - i
	}
	if got := p95(hundred); got != 95 {
		t.Errorf("p95 of 1 to 100 = %d", got)
	}
	all := interfaces(pkg{files: []file{mustParse(t, "x.go", `package x
type A[T any] interface { M(); N() }
type B interface { A[int]; error; O() }
type C interface { ~int | ~string }
`)}})
	for name, want := range map[string]int{"A": 2, "B": 3, "C": 0} {
		if got := methods(all, name); got != want {
			t.Errorf("%s has %d methods, want %d", name, got, want)
		}
	}
}

func TestWordsBite(t *testing.T) {
	for name, want := range map[string]string{
		"internal/x/util.go": "util", "internal/x/call_helper_test.go": "helper", "internal/x/base64.go": "", "internal/x/core.go": "core", "internal/x/score.go": "",
	} {
		if got := emptyWord(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for text, want := range map[string]bool{
		"see /ro" + "ot/x": true, "`/Us" + "ers/ann/x`": true, "x=/ho" + "me/ann": true, "at /wo" + "rk/shared": true,
		"https://example.com/home/ann": false, "/var/lib/callwright": false, "net" + "/wo" + "rk/x": false,
	} {
		if got := machinePath.MatchString(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestKits(t *testing.T) {
	for path, want := range map[string]string{"store/storetest": "store", "queue/queuetest": "queue", "latest": "", "store/test": "", "nowhere/nowheretest": "", "speech/ttstest": "speech", "api/wire/wiretest": "api/wire"} {
		parent, ok := kitOf(path)
		if ok != (want != "") || ok && parent != want {
			t.Errorf("%s: %q, %v", path, parent, ok)
		}
	}
}
