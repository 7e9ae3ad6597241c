// Package archtest keeps the arrows between the packages: who may import whom, as a table
// that a test holds the sources to. A new package, or a new arrow, is a line here and a
// decision under docs/adr.
package archtest

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "mirror/"

// anything may be imported by a package that wires the others together.
const anything = "*"

// anyKind stands in the table for the package of each kind of target and for those below it,
// which may also import what is internal to the same kind.
const anyKind = "targets/*"

// allowed lists what each package may import of ours. Tests may import more: they wire real
// parts together, and the compiler refuses cycles.
func allowed() map[string][]string {
	return map[string][]string{
		"cmd/mirror":                  {anything},
		"site":                        {"internal/wait", "internal/atomicfile", "internal/regular", "internal/filestamp"},
		"diff":                        {"site"},
		"targets":                     {"diff", "site", "targets/grace"},
		"targets/grace":               {"site"},
		"targets/internal/releasedir": {"targets", "targets/grace", "diff", "site"},
		"targets/kinds":               {"targets", "targets/dir", "targets/exec", "targets/git", "targets/oci", "targets/s3", "targets/ssh"},
		"targets/targettest":          {"targets", "targets/grace", "diff", "site"},

		anyKind: {"targets/grace", "targets/internal/releasedir", "internal/oserr", "internal/fsname", "internal/pointer", "internal/atomicfile", "targets", "diff", "site", "internal/compression", "internal/command", "internal/netname", "internal/regular", "internal/stall", "internal/wait", "internal/lease", "internal/sshclient"},

		"targets/oci/internal/image/imagetest": {"targets/targettest"},

		"internal/origin/pages/sitemap": {"site"},
		"internal/builtsite":            {"internal/wait", "internal/regular", "internal/stall", "internal/static", "site"},

		"scheduler":                  {"internal/wait"},
		"reports":                    {"internal/humanize", "diff", "site"},
		"reports/html":               {"reports", "internal/humanize", "diff", "site"},
		"reports/formats":            {"reports", "reports/html"},
		"internal/publish":           {"internal/atomicfile", "internal/wait", "targets", "diff", "site", "internal/regular"},
		"internal/purge":             {"internal/netname", "internal/notify", "internal/wait", "diff", "site"},
		"internal/origin/facts":      {"internal/mixedcontent"},
		"internal/origin":            {"internal/origin/facts", "internal/oserr", "internal/netname", "internal/wait", "site"},
		"internal/origin/pages":      {"internal/origin", "internal/origin/pages/sitemap", "site"},
		"internal/survey":            {"internal/origin", "diff", "site"},
		"internal/vantage":           {"internal/check", "internal/origin", "diff", "site"},
		"internal/vantage/broker":    {"internal/vantage", "internal/vantage/hostclock", "internal/vantage/windows", "internal/atomicfile", "internal/netname", "internal/regular"},
		"internal/contentdiff":       {"reports", "targets", "site"},
		"internal/planfile":          {"internal/regular", "reports"},
		"internal/sitediff":          {"internal/compare", "internal/contentdiff", "internal/origin", "internal/survey", "reports", "site"},
		"internal/check":             {"internal/wait", "internal/survey", "internal/origin", "diff", "site"},
		"internal/compare":           {"internal/wait", "internal/survey", "internal/origin", "internal/origin/pages", "diff", "site"},
		"internal/watch":             {"internal/wait", "internal/survey", "internal/origin", "diff", "site"},
		"internal/cdn":               {},
		"internal/globalping":        {"internal/wait"},
		"internal/config":            {"internal/cdn", "internal/config/reference", "internal/config/strictyaml", "internal/notify", "internal/purge", "internal/redirects", "scheduler", "targets", "targets/grace"},
		"internal/mixedcontent":      {},
		"internal/redirects":         {},
		"internal/config/strictyaml": {},
		"internal/config/reference":  {},
		"internal/config/scaffold":   {"internal/config", "internal/config/strictyaml", "internal/generators", "targets"},
		"internal/generators":        {"internal/regular"},
		"internal/daemon":            {"internal/daemon/replica", "internal/wait", "scheduler", "internal/history", "internal/notify", "internal/regular", "internal/filestamp", "diff"},
		"internal/dashboard":         {"internal/netname", "internal/summary", "reports", "reports/html", "diff"},
		"internal/history":           {"internal/wait", "internal/regular", "diff", "site"},
		"internal/summary":           {"internal/history", "reports", "diff", "site"},
		"internal/notify":            {"internal/netname", "internal/secrets"},
		"internal/netname":           {"internal/oserr"},
		"internal/secrets":           {},
		"internal/wait":              {},
		"internal/stall":             {},
		"internal/stall/stalltest":   {},
		"internal/state":             {"internal/oserr", "internal/atomicfile", "site", "internal/regular"},
		"internal/workspace": {
			"targets/targettest", "targets/grace", "internal/lag", "internal/atomicfile", "diff", "site", "targets", "reports", "reports/formats", "scheduler", "internal/builtsite", "internal/cdn", "internal/check", "internal/command", "internal/compare", "internal/config", "internal/contentdiff",
			"internal/daemon", "internal/front", "internal/front/hint", "internal/front/record", "internal/front/render", "internal/globalping", "internal/mixedcontent", "internal/history", "internal/humanize", "internal/notify", "internal/origin", "internal/origin/pages", "internal/planfile", "internal/publish", "internal/purge", "internal/redirects",
			"internal/netname", "internal/regular", "internal/secrets", "internal/sitediff", "internal/staged", "internal/state", "internal/static", "internal/summary", "internal/survey", "internal/wait", "internal/watch",
			"internal/vantage", "internal/vantage/broker", "internal/vantage/group", "internal/vantage/windows",
		},
		"internal/service": {
			"diff", "reports", "scheduler", "internal/daemon", "internal/dashboard", "internal/history", "internal/oserr", "internal/netname", "internal/notify", "internal/secrets",
			"internal/regular", "internal/static", "internal/vantage/group", "internal/workspace",
		},
		"internal/output":            {"internal/atomicfile", "diff", "site", "internal/humanize", "internal/secrets", "reports", "reports/formats"},
		"internal/vantage/clock":     {},
		"internal/vantage/group":     {},
		"internal/daemon/replica":    {"internal/history", "internal/wait", "diff"},
		"internal/vantage/hostclock": {},
		"internal/vantage/windows":   {"internal/vantage", "internal/vantage/clock", "internal/watch", "internal/origin", "diff", "site"},
		"internal/labagents":         {"internal/lab", "internal/state", "internal/vantage", "internal/vantage/broker", "internal/vantage/windows"},
		"internal/demo":              {"internal/labagents", "diff", "internal/config", "internal/front", "internal/humanize", "internal/lab", "internal/lab/edge", "internal/wait", "site", "internal/publish", "internal/workspace", "reports"},
		"internal/front":             {"diff", "site", "internal/front/blobs", "internal/front/record", "internal/front/upstream", "internal/atomicfile", "internal/origin", "internal/regular", "internal/static", "internal/wait", "targets/grace"},
		"internal/front/accesslog":   {"internal/regular"},
		"internal/front/admin":       {"diff", "internal/front", "internal/front/hint", "internal/netname", "site"},
		"internal/activation":        {"internal/netname"},
		"internal/front/autotls":     {},
		"internal/front/hint":        {"internal/notify", "internal/origin", "site"},
		"internal/front/server":      {"internal/activation", "internal/front", "internal/front/autotls", "internal/front/hint", "internal/front/accesslog", "internal/front/admin", "internal/static"},
		"internal/front/render":      {"site"},
		"internal/front/blobs":       {"internal/regular", "site"},
		"internal/front/record":      {"internal/atomicfile", "internal/regular", "site"},
		"internal/front/upstream":    {"diff", "internal/front/blobs", "internal/origin", "site"},

		"internal/compression": {"internal/atomicfile", "internal/regular"},
		"internal/static":      {"internal/compression", "internal/filestamp", "internal/oserr", "internal/pointer", "internal/regular", "internal/stall"},
		"internal/command":     {},
		"internal/sshclient":   {"internal/command", "internal/netname", "internal/regular"},
		"internal/atomicfile":  {},
		"internal/regular":     {},
		"internal/humanize":    {},
		"internal/lease":       {},
		"internal/lag":         {"internal/staged", "site"},
		"internal/staged":      {"site"},

		"internal/lab":               {"internal/lab/edge", "internal/lab/githost", "internal/lab/s3host", "internal/lab/registryhost", "internal/static"},
		"internal/lab/edge":          {"internal/wait", "internal/static"},
		"internal/lab/edge/edgetest": {"internal/lab/edge"},
		"internal/lab/githost":       {"internal/lab/edge", "internal/static"},
		"internal/lab/s3host":        {"internal/lab/edge", "internal/static"},
		"internal/lab/registryhost":  {"internal/lab/edge", "internal/static"},

		"internal/browser":              {"internal/realserver"},
		"internal/realserver":           {},
		"internal/realserver/s3gateway": {"internal/realserver"},
		"internal/longtest":             {},
		"internal/leaktest":             {},
		"internal/archtest":             {},
		"internal/crossvet":             {},
		"internal/fsname":               {},
		"internal/pointer":              {"internal/regular"},
		"internal/console":              {"internal/secrets", "internal/watch", "internal/workspace", "reports", "targets"},
		"internal/oserr":                {},
		"internal/filestamp":            {},
		"internal/crash":                {},
		"internal/benchpairs":           {},

		"internal/bench":            {"internal/humanize"},
		"internal/benchsite":        {},
		"internal/benchsite/mksite": {"internal/benchsite"},
	}
}

// forTests lists the packages that only tests may import.
func forTests() []string {
	return []string{"internal/browser", "internal/realserver", "internal/realserver/s3gateway", "internal/lab/edge/edgetest", "internal/stall/stalltest", "targets/oci/internal/image/imagetest", "internal/bench", "internal/archtest", "internal/longtest", "internal/leaktest"}
}

// pure packages do no I/O of their own.
func pure() map[string][]string {
	return map[string][]string{"diff": {"os", "os/exec", "net", "path/filepath", "log/slog"}}
}

func TestImportsKeepToTheTable(t *testing.T) {
	wrong, files := violations(t, os.DirFS("../.."))
	for _, w := range wrong {
		t.Error(w)
	}
	if files < 10 {
		t.Errorf("read %d sources: this is not the repository", files)
	}
}

func TestViolationsAreFound(t *testing.T) {
	source := func(imports ...string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("package x\nimport (\n\"" + strings.Join(imports, "\"\n\"") + "\"\n)\n")}
	}
	wrong, _ := violations(t, fstest.MapFS{
		"site/a.go":                         source("fmt", "mirror/diff"),
		"site/a_test.go":                    source("mirror/targets/targettest"),
		"diff/a.go":                         source("mirror/site", "os"),
		"util/a.go":                         source("fmt"),
		"cmd/mirror/a.go":                   source("mirror/site", "mirror/internal/realserver"),
		"site/testdata/other.go":            source("mirror/reports"),
		".hidden/a.go":                      source("mirror/reports"),
		"targets/git/transport.go":          source("mirror/targets", "mirror/targets/s3", "github.com/nats-io/nats.go"),
		"targets/new/new.go":                source("mirror/targets", "mirror/targets/new/internal/wire"),
		"targets/new/internal/wire/wire.go": source("mirror/site", "mirror/targets/git/internal/wire", "mirror/targets/new/internal/wire/packet"),
	})
	want := []string{
		"cmd/mirror/a.go: only tests may import internal/realserver",
		"diff/a.go: diff is pure and may not import os",
		"site/a.go: site may not import diff",
		"targets/git/transport.go: targets/git may not import targets/s3",
		"targets/git/transport.go: only internal/vantage/broker and internal/vantage/group may import github.com/nats-io/nats.go",
		"targets/new/internal/wire/wire.go: targets/new/internal/wire may not import targets/git/internal/wire",
		"util/a.go: package util is not in the table (hint: add it, with an ADR that says why)",
	}
	if !slices.Equal(wrong, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(wrong, "\n"), strings.Join(want, "\n"))
	}
}

// violations reads the imports of every source and lists those that the table forbids, in
// the order of the files, and how many files it read.
func violations(t *testing.T, fsys fs.FS) (wrong []string, files int) {
	t.Helper()
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name != "." && strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata"):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || path.Dir(name) == ".":
			return nil
		}
		imports, err := importsOf(fsys, name)
		files++
		wrong = append(wrong, judge(name, imports)...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return wrong, files
}

func importsOf(fsys fs.FS, name string) ([]string, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var imports []string
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		imports = append(imports, imported)
	}
	return imports, nil
}

// arrowsOf returns the table's line for a package.
func arrowsOf(pkg string) (arrows []string, listed bool) {
	if arrows, listed = allowed()[pkg]; !listed && strings.HasPrefix(pkg, "targets/") {
		arrows, listed = allowed()[anyKind]
	}
	return arrows, listed
}

// withinKind says whether a package of one kind of target imports what is internal to that kind.
func withinKind(from, to string) bool {
	kind, _, _ := strings.Cut(strings.TrimPrefix(from, "targets/"), "/")
	return strings.HasPrefix(from, "targets/") && strings.HasPrefix(to, "targets/"+kind+"/internal/")
}

func judge(name string, imports []string) []string {
	from := path.Dir(name)
	arrows, listed := arrowsOf(from)
	if !listed {
		return []string{fmt.Sprintf("%s: package %s is not in the table (hint: add it, with an ADR that says why)", name, from)}
	}
	var wrong []string
	for _, imported := range imports {
		to, ours := strings.CutPrefix(imported, module)
		switch {
		case strings.HasPrefix(imported, "github.com/nats-io/") && from != "internal/vantage/broker" && from != "internal/vantage/group":
			wrong = append(wrong, fmt.Sprintf("%s: only internal/vantage/broker and internal/vantage/group may import %s", name, imported))
		case slices.Contains(pure()[from], imported):
			wrong = append(wrong, fmt.Sprintf("%s: %s is pure and may not import %s", name, from, imported))
		case ours && slices.Contains(forTests(), to) && !slices.Contains(forTests(), from):
			wrong = append(wrong, fmt.Sprintf("%s: only tests may import %s", name, to))
		case ours && !slices.Contains(arrows, to) && !slices.Contains(arrows, anything) && !withinKind(from, to):
			wrong = append(wrong, fmt.Sprintf("%s: %s may not import %s", name, from, to))
		}
	}
	return wrong
}
