package config

import (
	"testing"

	"github.com/bmatcuk/doublestar/v4"
)

// TestGlobsOfPaths accepts every glob that a path of a site matches, and refuses only such as none does.
func TestGlobsOfPaths(t *testing.T) {
	paths := []string{"a", "b", "a/b", "a/b/c.html", "uploads", "uploads/a", ".well-known/mirror.json", "a{b", "a/[", "d", "..a", "a.."}
	for _, c := range []struct {
		glob     string
		accepted [2]bool // accepted as a glob, and in keep
	}{
		{"uploads/**", [2]bool{true, true}},
		{"uploads{,/**}", [2]bool{true, true}},
		{"a{/b,/b/c}*", [2]bool{true, true}},
		{"{,a/}b", [2]bool{true, true}},
		{"{a,{b,d}}", [2]bool{true, true}},
		{"**/*", [2]bool{true, true}},
		{".well-known/**", [2]bool{true, true}},
		{"..a", [2]bool{true, true}},
		{"[.]*", [2]bool{true, true}},
		{"a[{]b", [2]bool{true, true}},
		{`a\{b`, [2]bool{true, true}},
		{`\d`, [2]bool{true, false}},
		{"{,/}a", [2]bool{true, false}},
		{"{a,/b}", [2]bool{true, false}},
		{"", [2]bool{}},
		{"/", [2]bool{}},
		{"/**", [2]bool{}},
		{"**/", [2]bool{}},
		{"*/", [2]bool{}},
		{"./**", [2]bool{}},
		{".", [2]bool{}},
		{"../**", [2]bool{}},
		{"**/../**", [2]bool{}},
		{"**/./**", [2]bool{}},
		{"a//b", [2]bool{}},
		{"a/{./b,../b}", [2]bool{}},
		{"{/a,b/}", [2]bool{}},
	} {
		if got := [2]bool{wrongGlob(c.glob) == "", wrongKeep(c.glob) == ""}; got != c.accepted {
			t.Errorf("%q: accepted as glob and in keep: got %v, want %v", c.glob, got, c.accepted)
		}
		matches := false
		for _, p := range paths {
			matches = matches || doublestar.MatchUnvalidated(c.glob, p)
		}
		if matches != c.accepted[0] {
			t.Errorf("%q matches a path: %t", c.glob, matches)
		}
	}
	if n := len(alternatives("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}")); n > 2*maxAlternatives {
		t.Errorf("%d alternatives", n)
	}
}

func TestAlterable(t *testing.T) {
	c := &Config{Check: Check{Ignore: []string{"feeds/**", "*.xml"}, Normalize: []Normalize{{Match: "posts/*.html"}}}}
	for path, want := range map[string]bool{
		"feeds/a/b.txt": true, "feed.xml": true, "posts/a.html": true, "index.html": false, "posts/a/b.html": false, "deep/feed.xml": false,
	} {
		if got := c.Alterable(path); got != want {
			t.Errorf("%s: got %v", path, got)
		}
	}
}
