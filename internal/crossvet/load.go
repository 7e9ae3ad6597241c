package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
	"golang.org/x/tools/go/packages"
)

// listed is what go list tells of a package or of a variant of it for tests.
type listed struct {
	ImportPath, Name, Dir string
	GoFiles               []string
	ImportMap             map[string]string // import path in a source → ImportPath
	Standard              bool
	Module                *struct {
		Main      bool
		GoVersion string
	}
	Error *struct{ Err string }
}

func (l *listed) ours() bool { return l.Module != nil && l.Module.Main }

// list returns the packages below dir with their tests and all that they import,
// each one behind those that it imports.
func list(ctx context.Context, dir, goos, goarch string) ([]*listed, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-test", "-json=ImportPath,Name,Dir,GoFiles,ImportMap,Standard,Module,Error", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var all []*listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		err := d.Decode(&l)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if l.Error != nil {
			return nil, fmt.Errorf("%s: %s", l.ImportPath, l.Error.Err)
		}
		all = append(all, &l)
	}
}

// loader type-checks packages from their sources.
type loader struct {
	fset     *token.FileSet
	sizes    types.Sizes
	checked  map[string]*types.Package // by ImportPath
	problems []string
}

// load returns our own packages, type-checked, with what is wrong in any.
func load(ctx context.Context, dir, goos, goarch string) (ours []*packages.Package, problems []string, err error) {
	all, err := list(ctx, dir, goos, goarch)
	if err != nil {
		return nil, nil, err
	}
	l := &loader{
		fset: token.NewFileSet(), sizes: types.SizesFor("gc", goarch),
		checked: map[string]*types.Package{"unsafe": types.Unsafe},
	}
	sources, err := l.parse(ctx, all)
	if err != nil {
		return nil, nil, err
	}
	for i, p := range all {
		if p.ImportPath == "unsafe" || filepath.Ext(p.ImportPath) == ".test" {
			continue // a test's main is generated
		}
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if pkg := l.check(p, sources[i]); p.ours() {
			ours = append(ours, pkg)
		}
	}
	return ours, l.problems, nil
}

// parse reads the sources of all packages.
func (l *loader) parse(ctx context.Context, all []*listed) ([][]*ast.File, error) {
	sources := make([][]*ast.File, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range all {
		if filepath.Ext(p.ImportPath) == ".test" {
			continue
		}
		group.Go(func() error {
			for _, name := range p.GoFiles {
				mode := parser.SkipObjectResolution
				if p.ours() {
					mode |= parser.ParseComments
				}
				f, err := parser.ParseFile(l.fset, filepath.Join(p.Dir, name), nil, mode)
				if err != nil {
					return err
				}
				sources[i] = append(sources[i], f)
			}
			return ctx.Err()
		})
	}
	return sources, group.Wait()
}

// importer finds what a package's sources import among those that are checked.
type importer struct {
	l *loader
	p *listed
}

// Import returns a package that was checked before, by the path that the sources name.
func (i importer) Import(path string) (*types.Package, error) {
	if mapped, ok := i.p.ImportMap[path]; ok {
		path = mapped
	}
	if pkg := i.l.checked[path]; pkg != nil {
		return pkg, nil
	}
	return nil, fmt.Errorf("%s is not listed", path)
}

// maxProblems bounds how many problems of one package are reported.
const maxProblems = 10

func (l *loader) check(p *listed, files []*ast.File) *packages.Package {
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Implicits: map[ast.Node]types.Object{}, Instances: map[*ast.Ident]types.Instance{}, Scopes: map[ast.Node]*types.Scope{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, FileVersions: map[*ast.File]string{},
	}
	found := 0
	config := types.Config{
		Importer: importer{l, p}, Sizes: l.sizes, IgnoreFuncBodies: !p.ours(), FakeImportC: true,
		Error: func(err error) {
			if found++; found <= maxProblems {
				l.problems = append(l.problems, err.Error())
			}
		},
	}
	if p.Module != nil && p.Module.GoVersion != "" {
		config.GoVersion = "go" + p.Module.GoVersion
	}
	if !p.ours() {
		info = nil
	}
	path, _, _ := strings.Cut(p.ImportPath, " ")      // the variant for the tests of a package: "x [x.test]"
	pkg, _ := config.Check(path, l.fset, files, info) // its errors are told to Error
	l.checked[p.ImportPath] = pkg
	return &packages.Package{
		ID: p.ImportPath, Name: p.Name, PkgPath: path, Fset: l.fset, Syntax: files, Types: pkg, TypesInfo: info, TypesSizes: l.sizes,
		IllTyped: found > 0,
	}
}
