package archtest

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The sizes, in lines where nothing else is said. Generated files are excepted,
// tests from the sizes of functions and packages.
const (
	maxFile      = 600
	p95File      = 400
	maxFunction  = 80
	p95Function  = 45
	maxPackage   = 5000
	maxInterface = 8  // methods
	maxDirect    = 40 // direct dependencies
)

func TestFilesAreSmall(t *testing.T) {
	var sizes []int
	for _, p := range load(t) {
		for _, f := range p.files {
			if f.generated {
				continue
			}
			sizes = append(sizes, f.lines)
			if f.lines > maxFile {
				t.Errorf("%s has %d lines, more than %d: split it by noun or verb", f.name, f.lines, maxFile)
			}
		}
	}
	if got := p95(sizes); got > p95File {
		t.Errorf("95 %% of all files must have at most %d lines, and have %d: split the largest", p95File, got)
	}
}

func TestFunctionsAreSmall(t *testing.T) {
	var sizes []int
	for _, p := range load(t) {
		for _, f := range p.files {
			for name, lines := range functions(f) {
				sizes = append(sizes, lines)
				if lines > maxFunction {
					t.Errorf("%s: %s has %d lines, more than %d: give its parts names", f.name, name, lines, maxFunction)
				}
			}
		}
	}
	if got := p95(sizes); got > p95Function {
		t.Errorf("95 %% of all functions must have at most %d lines, and have %d: divide the largest", p95Function, got)
	}
}

// functions measures the functions of f, by name and line.
func functions(f file) map[string]int {
	sizes := make(map[string]int)
	if f.test || f.generated {
		return sizes
	}
	for _, decl := range f.syntax.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok {
			from, to := f.set.Position(fn.Pos()).Line, f.set.Position(fn.End()).Line
			sizes[fmt.Sprintf("%s (line %d)", fn.Name.Name, from)] = to - from + 1
		}
	}
	return sizes
}

func p95(sizes []int) int {
	if len(sizes) == 0 {
		return 0
	}
	slices.Sort(sizes)
	return sizes[(len(sizes)*95+99)/100-1]
}

func TestPackagesAreSmall(t *testing.T) {
	for _, p := range load(t) {
		lines := 0
		for _, f := range p.files {
			if !f.test && !f.generated {
				lines += f.lines
			}
		}
		if lines > maxPackage {
			t.Errorf("%s has %d lines, more than %d: part of it is a package of its own", p.path, lines, maxPackage)
		}
	}
}

func TestInterfacesAreSmall(t *testing.T) {
	for _, p := range load(t) {
		all := interfaces(p)
		for name := range all {
			if n := methods(all, name); n > maxInterface {
				t.Errorf("%s.%s has %d methods, more than %d: split it by who uses it", p.path, name, n, maxInterface)
			}
		}
	}
}

// interfaces finds the named interfaces of a package.
func interfaces(p pkg) map[string]*ast.InterfaceType {
	all := make(map[string]*ast.InterfaceType)
	for _, f := range p.files {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if it, ok := spec.Type.(*ast.InterfaceType); ok {
					all[spec.Name.Name] = it
				}
			}
			return true
		})
	}
	return all
}

// methods counts the methods of an interface with those of the interfaces of
// its package that it embeds.
func methods(all map[string]*ast.InterfaceType, name string) int {
	it := all[name]
	if it == nil {
		return 0
	}
	n := 0
	for _, field := range it.Methods.List {
		if len(field.Names) > 0 {
			n += len(field.Names)
			continue
		}
		embedded := field.Type
		if generic, ok := embedded.(*ast.IndexExpr); ok {
			embedded = generic.X
		}
		if ident, ok := embedded.(*ast.Ident); ok {
			n += methods(all, ident.Name)
		}
	}
	return n
}

func TestDirectDependenciesAreFew(t *testing.T) {
	top, err := root()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = top
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	var direct []string
	for _, r := range mod.Require {
		if !r.Indirect {
			direct = append(direct, r.Path)
		}
	}
	if len(direct) > maxDirect {
		t.Errorf("%d direct dependencies, more than %d: drop one before adding one\n%s", len(direct), maxDirect, strings.Join(direct, "\n"))
	}
}
