package archtest

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/callwright/callwright"

// pkg is one package of the module.
type pkg struct {
	path    string   // below the module, without "internal/"; "" for the module itself
	name    string   // of the package clause
	dir     string   // absolute
	imports []string // of its code, without its tests
	own     []string // those of them that are packages of this module, as path
	files   []file
}

// file is one parsed Go file.
type file struct {
	name      string // below the module
	test      bool   // a _test.go file
	generated bool
	lines     int
	syntax    *ast.File
	set       *token.FileSet
}

// listed is what go list -json prints.
type listed struct {
	ImportPath, Name, Dir                                       string
	GoFiles, IgnoredGoFiles, TestGoFiles, XTestGoFiles, Imports []string
}

var read = sync.OnceValues(readModule)

// load reads the module once for all tests.
func load(t *testing.T) []pkg {
	t.Helper()
	pkgs, err := read()
	if err != nil {
		t.Fatal(err)
	}
	return pkgs
}

// root returns the module's directory.
func root() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("there is no go.mod above the test")
		}
	}
	return "", err
}

func readModule() ([]pkg, error) {
	top, err := root()
	if err != nil {
		return nil, err
	}
	list := exec.Command("go", "list", "-json=ImportPath,Name,Dir,GoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles,Imports", "./...")
	list.Dir, list.Stderr = top, os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, err
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var l listed
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			return pkgs, nil
		} else if err != nil {
			return nil, err
		}
		p := pkg{path: short(l.ImportPath), name: l.Name, dir: l.Dir, imports: l.Imports}
		for _, imported := range l.Imports {
			if imported == module || strings.HasPrefix(imported, module+"/") {
				p.own = append(p.own, short(imported))
			}
		}
		for _, name := range slices.Concat(l.GoFiles, l.IgnoredGoFiles, l.TestGoFiles, l.XTestGoFiles) {
			raw, err := os.ReadFile(filepath.Join(l.Dir, name))
			if err != nil {
				return nil, err
			}
			f, err := parse(strings.TrimPrefix(filepath.Join(l.Dir, name), top+string(filepath.Separator)), raw)
			if err != nil {
				return nil, err
			}
			p.files = append(p.files, f)
		}
		pkgs = append(pkgs, p)
	}
}

// short cuts the module and "internal/" off an import path.
func short(path string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	return strings.TrimPrefix(path, "internal/")
}

func parse(name string, raw []byte) (file, error) {
	set := token.NewFileSet()
	syntax, err := parser.ParseFile(set, name, raw, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return file{}, err
	}
	return file{
		name: filepath.ToSlash(name), test: strings.HasSuffix(name, "_test.go"), generated: ast.IsGenerated(syntax),
		lines: strings.Count(string(raw), "\n"), syntax: syntax, set: set,
	}, nil
}
