package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// mostInCircle is the largest circle of files that a package may have which is not in the
// table: files of which each uses names of the next, and the last uses names of the first.
const mostInCircle = 4

// TestCirclesOfFilesDoNotGrow holds each package to the largest circle of files that it had.
func TestCirclesOfFilesDoNotGrow(t *testing.T) {
	packages := sources(t, os.DirFS("../.."))
	if len(packages) < 10 {
		t.Fatalf("read %d packages: this is not the repository", len(packages))
	}
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		files := largestCircle(t, packages[dir])
		bound, listed := circles()[dir]
		if !listed {
			bound = mostInCircle
		}
		switch {
		case len(files) > bound:
			t.Errorf("%s: %d files use names of each other in a circle, at most %d may: %s (hint: move a name to the file below, or a part that needs no other into a package of its own; the table may be lowered and not raised)",
				dir, len(files), bound, strings.Join(files, " "))
		case listed && len(files) < bound:
			t.Logf("%s: the largest circle has %d files: the table can be lowered from %d", dir, len(files), bound)
		}
	}
}

func TestCirclesAreFound(t *testing.T) {
	source := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte("package x\n" + text)} }
	packages := sources(t, fstest.MapFS{
		"x/type.go":          source("type T struct{ field int }"),
		"x/method.go":        source("func (t *T) get() int { return t.more() }"),
		"x/more.go":          source("import \"net/http\"\nfunc (t *T) more() int { http.Get(\"\"); return t.get() + f(nil) }"),
		"x/local.go":         source("func f(get any) any { more := get; return more }"),
		"x/blank.go":         source("var _ = f"),
		"x/tests_test.go":    source("func (t *T) tested() { t.get() }"),
		"generic/list.go":    source("type list[E any] struct{}\nfunc (l *list[E]) add(e E) {}\nfunc use() { other() }"),
		"generic/other.go":   source("func other() { new(list[int]).add(1) }"),
		"embedded/outer.go":  source("type outer struct{ inner }\nfunc (o outer) call() { o.name() }"),
		"embedded/inner.go":  source("type inner struct{ field int }\nfunc (i inner) name() {}"),
		"embedded/reader.go": source("func read(o outer) int { return o.field }"),
	})
	for dir, want := range map[string]string{"x": "method.go more.go", "generic": "list.go other.go", "embedded": ""} {
		if got := strings.Join(largestCircle(t, packages[dir]), " "); got != want {
			t.Errorf("%s: got %q, want %q", dir, got, want)
		}
	}
}

// sources reads the non-test files of each package, by folder and by name.
func sources(t *testing.T, fsys fs.FS) map[string]map[string]string {
	t.Helper()
	packages := map[string]map[string]string{}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name != "." && strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata"):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(fsys, name)
		if packages[path.Dir(name)] == nil {
			packages[path.Dir(name)] = map[string]string{}
		}
		packages[path.Dir(name)][name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}

// largestCircle lists the files of the package's largest circle, none where there is no circle.
func largestCircle(t *testing.T, files map[string]string) (largest []string) {
	t.Helper()
	reached := references(t, files)
	for via := range files { // Warshall: what is reached over via
		for from := range files {
			if reached[from][via] {
				maps.Copy(reached[from], reached[via])
			}
		}
	}
	for from := range files {
		var circle []string
		for to := range files {
			if reached[from][to] && reached[to][from] {
				circle = append(circle, path.Base(to))
			}
		}
		if len(circle) > len(largest) && len(circle) > 1 {
			largest = circle
		}
	}
	slices.Sort(largest)
	return largest
}

// references tells of each file which others declare the names, methods and fields that it uses.
func references(t *testing.T, files map[string]string) map[string]map[string]bool {
	t.Helper()
	fset := token.NewFileSet()
	var parsed []*ast.File
	refers := map[string]map[string]bool{}
	for name, text := range files {
		file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed, refers[name] = append(parsed, file), map[string]bool{}
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: nothing{}, Error: func(error) {}, FakeImportC: true}
	pkg, _ := config.Check("x", fset, parsed, info) // what comes from other packages cannot be resolved, and need not
	for ident, object := range info.Uses {
		from, to := fset.Position(ident.Pos()).Filename, fset.Position(object.Pos()).Filename
		if object.Pkg() == pkg && isShared(pkg, object) && from != to {
			refers[from][to] = true
		}
	}
	return refers
}

// isShared says whether an object of the package can be used by all of its files.
func isShared(pkg *types.Package, object types.Object) bool {
	switch o := object.(type) {
	case *types.PkgName:
		return false
	case *types.Var:
		return o.IsField() || o.Parent() == pkg.Scope()
	case *types.Func:
		return true
	}
	return object.Parent() == pkg.Scope()
}

// nothing imports packages without any names: only names of one package count.
type nothing struct{}

// Import returns an empty package.
func (nothing) Import(name string) (*types.Package, error) {
	if name == "" {
		return nil, fmt.Errorf("no package")
	}
	pkg := types.NewPackage(name, path.Base(name))
	pkg.MarkComplete()
	return pkg, nil
}

// circles lists the largest circle of each package that has one of more than mostInCircle files.
func circles() map[string]int {
	return map[string]int{}
}
