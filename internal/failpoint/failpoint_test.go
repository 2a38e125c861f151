package failpoint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		value string
		name  Name
		hit   int64
		fails bool
	}{
		{value: ""},
		{value: "after-ack", name: AfterACK, hit: 1},
		{value: "after-ack:12", name: AfterACK, hit: 12},
		{value: "after-ack:0", fails: true},
		{value: "after-ack:", fails: true},
		{value: "after-ack:x", fails: true},
		{value: "after-nothing", fails: true},
		{value: ":1", fails: true},
	} {
		name, hit, err := parse(c.value)
		if name != c.name || hit != c.hit || (err != nil) != c.fails {
			t.Errorf("parse(%q) = %q, %d, %v", c.value, name, hit, err)
		}
	}
}

// TestEachPointIsPassedAtOnePlace reads the module's code: a point that nothing
// passes is never tried, and one that stands twice is two moments.
func TestEachPointIsPassedAtOnePlace(t *testing.T) {
	constants := map[string]Name{}
	file, err := parser.ParseFile(token.NewFileSet(), "failpoint.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
			if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Name" {
				constants[spec.Names[0].Name] = Name(strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`))
			}
		}
		return true
	})
	if len(constants) != len(Names()) {
		t.Errorf("there are %d constants and %d names", len(constants), len(Names()))
	}
	passed := map[string][]string{}
	use := regexp.MustCompile(`failpoint\.Hit\(failpoint\.(\w+)\)`)
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if d.IsDir() && d.Name() == "testdata" {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		for _, m := range use.FindAllSubmatch(code, -1) {
			passed[string(m[1])] = append(passed[string(m[1])], path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for constant, name := range constants {
		if at := passed[constant]; len(at) != 1 {
			t.Errorf("the point %s is passed at %d places: %v", name, len(at), at)
		}
		delete(passed, constant)
	}
	if len(passed) > 0 {
		t.Errorf("these are no points: %v", passed)
	}
}

// TestHit builds a program with and without points, and has it die at the second
// time that it passes one.
func TestHit(t *testing.T) {
	run := func(tags, value string) (string, string) {
		binary := filepath.Join(t.TempDir(), "program")
		build := exec.Command("go", "build", "-tags", tags, "-o", binary, "./testdata/program")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		cmd := exec.Command(binary)
		cmd.Env = append(os.Environ(), Variable+"="+value)
		out, _ := cmd.Output() // its end is looked at
		return string(out), cmd.ProcessState.String()
	}
	for _, c := range []struct{ tags, value, out, end string }{
		{"failpoint", "after-ack:2", "0\n", "signal: killed"},
		{"failpoint", "", "0\n1\n2\n", "exit status 0"},
		{"failpoint", "after-nothing", "", "signal: killed"},
		{"", "after-ack:2", "0\n1\n2\n", "exit status 0"},
	} {
		if out, end := run(c.tags, c.value); out != c.out || end != c.end {
			t.Errorf("with tags %q and %q it printed %q and ended with %q", c.tags, c.value, out, end)
		}
	}
}
