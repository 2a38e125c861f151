package archtest

import (
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// empty are the names that say nothing about what is inside.
var empty = []string{"util", "utils", "common", "helper", "helpers", "misc", "base", "shared", "core", "types", "models", "manager"}

func TestNamesSayWhatIsInside(t *testing.T) {
	for _, p := range load(t) {
		for _, name := range strings.Split(p.path, "/") {
			if slices.Contains(empty, name) {
				t.Errorf("the package %s is named %q: name the noun it holds", p.path, name)
			}
		}
		if p.name != "main" && (strings.ToLower(p.name) != p.name || strings.Contains(p.name, "_")) {
			t.Errorf("the package name %s is not one lowercase word", p.name)
		}
		for _, f := range p.files {
			if word := emptyWord(f.name); word != "" {
				t.Errorf("%s has %q in its name: name the noun or verb in it", f.name, word)
			}
		}
	}
}

// emptyWord returns the word of a file's name that says nothing, or "".
func emptyWord(name string) string {
	stem := strings.TrimSuffix(strings.TrimSuffix(path.Base(name), ".go"), "_test")
	for _, word := range strings.Split(stem, "_") {
		if slices.Contains(empty, word) {
			return word
		}
	}
	return ""
}

func TestExportedNamesAreDocumented(t *testing.T) {
	for _, p := range load(t) {
		if p.path == "archtest" || p.name == "main" {
			continue
		}
		for _, f := range p.files {
			for _, name := range undocumented(f) {
				t.Errorf("%s: %s has no comment: say what it is, with units, errors and the standard's section", f.name, name)
			}
		}
	}
}

// selfEvident are methods that fulfil a contract of the standard library, or
// one that its interface documents.
var selfEvident = []string{
	"Error", "String", "Unwrap", "Is", "As", "Close", "Read", "Write", "ReadAt", "WriteAt", "Seek", "Len", "Less", "Swap", "Name",
	"ServeHTTP", "MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "Scan", "Value",
	"SampleRate", "WriteFrame",
}

// undocumented lists the exported names of f that have no comment.
func undocumented(f file) []string {
	if f.test || f.generated {
		return nil
	}
	var names []string
	for _, decl := range f.syntax.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && d.Name.IsExported() && reachable(d) && (d.Recv == nil || !slices.Contains(selfEvident, d.Name.Name)) {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			if d.Doc == nil || d.Tok == token.TYPE && d.Lparen.IsValid() {
				names = append(names, bare(d)...)
			}
		}
	}
	return names
}

// bare lists the exported names of a declaration that have no comment of their
// own.
func bare(d *ast.GenDecl) []string {
	var names []string
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Doc == nil && s.Comment == nil && s.Name.IsExported() {
				names = append(names, s.Name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range s.Names {
				if s.Doc == nil && s.Comment == nil && name.IsExported() {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// reachable reports whether another package can call fn: its receiver, if it
// has one, is exported.
func reachable(fn *ast.FuncDecl) bool {
	if fn.Recv == nil {
		return true
	}
	receiver := fn.Recv.List[0].Type
	for {
		switch r := receiver.(type) {
		case *ast.StarExpr:
			receiver = r.X
		case *ast.IndexExpr:
			receiver = r.X
		case *ast.IndexListExpr:
			receiver = r.X
		case *ast.Ident:
			return r.IsExported()
		default:
			return true
		}
	}
}

func TestPackagesSayTheirJob(t *testing.T) {
	for _, p := range load(t) {
		said, code := false, false
		for _, f := range p.files {
			code = code || !f.test
			doc := f.syntax.Doc.Text()
			said = said || strings.HasPrefix(doc, "Package "+p.name+" ") || p.name == "main" && doc != ""
		}
		if code && !said {
			t.Errorf("%s has no package comment: say its one job in a sentence that starts with \"Package %s\"", p.path, p.name)
		}
	}
}

// forbidden finds what must not be in a Go file.
func forbidden(f file) []string {
	var found []string
	for _, group := range f.syntax.Comments {
		for _, comment := range group.List {
			if unfinished.MatchString(comment.Text) {
				found = append(found, "a note of unfinished work: finish it, or say in the issue tracker what is missing")
			}
		}
	}
	for _, decl := range f.syntax.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" && !mayRegister(f.name) {
			found = append(found, "an init function: only vendors, carriers and node types register themselves; call it from app instead")
		}
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && f.test {
			if x, ok := sel.X.(*ast.Ident); ok && slices.Contains([]string{"t", "b", "f", "tb"}, x.Name) && strings.HasPrefix(sel.Sel.Name, "Skip") {
				found = append(found, "a skipped test: a test needs what production needs; let it fail with a word on what is missing")
			}
		}
		return true
	})
	return found
}

var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)

// mayRegister reports whether a file may have an init function.
func mayRegister(name string) bool {
	dir, base := path.Split(name)
	switch dir {
	case "internal/provider/", "internal/carrier/":
		return true
	case "internal/flow/":
		return strings.HasPrefix(base, "node_")
	}
	return false
}

func TestNothingForbiddenIsWritten(t *testing.T) {
	for _, p := range load(t) {
		for _, f := range p.files {
			for _, what := range forbidden(f) {
				t.Errorf("%s has %s", f.name, what)
			}
		}
	}
}

func TestGroundHasNoWireNames(t *testing.T) {
	for _, p := range load(t) {
		if r, ok := place(p.path); !ok || r.floor != 0 {
			continue
		}
		for _, f := range p.files {
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				if field, ok := n.(*ast.Field); ok && field.Tag != nil && !f.test {
					t.Errorf("%s has a struct tag %s: nouns have no wire names, each face has structs of its own", f.name, field.Tag.Value)
				}
				return true
			})
		}
	}
}

// machinePath is a path that exists on somebody's machine only.
var machinePath = regexp.MustCompile("(?m)(?:^|[\\s\"'`(=:])(?:/home/|/ro" + "ot/|/Us" + "ers/|/wo" + "rk/|[A-Z]:\\\\Us" + "ers\\\\)[\\w.-]+")

var (
	written = []string{".go", ".md", ".yml", ".yaml", ".json", ".sh", ".js", ".ts", ".tsx", ".css", ".html", ".sql", ".txt", ".txtar", ".xml"}
	foreign = []string{".git", "node_modules", "dist"}
)

func TestNoPathsOfOneMachine(t *testing.T) {
	top, err := root()
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(top, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains(foreign, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if !slices.Contains(written, filepath.Ext(name)) && entry.Name() != "Makefile" {
			return nil
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if found := machinePath.FindString(string(raw)); found != "" {
			t.Errorf("%s names %q, a path of one machine: write it relative to the repository", name, strings.TrimSpace(found))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
