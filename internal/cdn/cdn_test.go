package cdn_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"mirror/internal/cdn"
)

var update = flag.Bool("update", false, "write docs/caches.md")

// TestRowsHaveSources holds the table to its own rules.
func TestRowsHaveSources(t *testing.T) {
	if names := cdn.Names(); !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("got %q; want sorted names", names)
	}
	for _, p := range cdn.Providers() {
		for what, c := range map[string]cdn.Cell{"query": p.Query, "directives": p.Directives, "status": p.Status, "purge": p.Purge} {
			if c.Text == "" || c.Source == "" || p.Title == "" {
				t.Errorf("%s: %s: %+v; want a text and a source", p.Name, what, c)
			}
		}
		if found, ok := cdn.Find(p.Name); !ok || found.Title != p.Title {
			t.Errorf("%s is not found", p.Name)
		}
	}
	if _, ok := cdn.Find("nobody"); ok {
		t.Error("an unknown name is found")
	}
}

// TestCachesDocument holds docs/caches.md to the table. With -update it writes it.
func TestCachesDocument(t *testing.T) {
	const file = "../../docs/caches.md"
	was, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(was), "<!-- providers -->\n")
	_, after, ends := strings.Cut(rest, "<!-- end -->")
	if !ok || !ends {
		t.Fatal("the document has no marks")
	}
	text := before + "<!-- providers -->\n" + table() + "<!-- end -->" + after
	if *update {
		err = os.WriteFile(file, []byte(text), 0o644)
	}
	if err != nil || !*update && text != string(was) {
		t.Errorf("docs/caches.md is not of this table (hint: make docs): %v", err)
	}
}

func table() string {
	var b strings.Builder
	b.WriteString("| `cdn:` | cache | query in the key | directives of a request | headers that tell a hit | purge |\n| --- | --- | --- | --- | --- | --- |\n")
	cell := func(c cdn.Cell) string {
		switch {
		case strings.HasPrefix(c.Source, "https://"):
			return fmt.Sprintf("%s ([source](%s))", c.Text, c.Source)
		case strings.HasPrefix(c.Source, "docs/"):
			return fmt.Sprintf("%s ([%s](%[2]s))", c.Text, strings.TrimPrefix(c.Source, "docs/"))
		case c.Source == "-":
			return c.Text
		}
		return c.Text + " (tested)"
	}
	for _, p := range cdn.Providers() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", p.Name, p.Title, cell(p.Query), cell(p.Directives), cell(p.Status), cell(p.Purge))
	}
	return b.String()
}
