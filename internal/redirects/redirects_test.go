package redirects

import (
	"net/url"
	"strings"
	"testing"
)

func TestPagesOfRules(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ from, to, page, location string }{
		{"/old/", "/new/", "old/index.html", "../new/"},
		{"/old", "/", "old/index.html", "../"},
		{"/a/b.html", "/c.html?x=1&y#top", "a/b.html", "../c.html?x=1&y#top"},
		{"/old.html", "/", "old.html", "./"},
		{"/old.html", "/a:b", "old.html", "./a:b"},
		{"/alt%20weg/", "https://other.example/x?y", "alt weg/index.html", "https://other.example/x?y"},
		{"/", "/de/", "index.html", "de/"},
	} {
		pages, left := Pages([]Rule{{From: tc.from, To: tc.to, Status: 301}}, func(string) bool { return false })
		p, ok := pages[tc.page]
		if !ok || p.Location() != tc.location || len(left) > 0 {
			t.Errorf("%s: got %+v leading to %q, %q; want %s leading to %s", tc.from, pages, p.Location(), left, tc.page, tc.location)
		}
		// Below a path of its host the page leads to the same place of the site.
		base, _ := url.Parse("https://me.example/repo/" + (&url.URL{Path: strings.TrimSuffix(tc.page, "index.html")}).EscapedPath())
		if to, err := base.Parse(p.Location()); err != nil || strings.HasPrefix(tc.to, "/") && to.String() != "https://me.example/repo"+tc.to {
			t.Errorf("%s: leads to %s, %v", tc.from, to, err)
		}
	}
}

func TestRulesThatAreNoPages(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ from, to, want string }{
		{"old/", "/new/", "is not a path of the site"}, {"/a/../b", "/", "is not a path of the site"}, {"/..", "/", "is not a path"}, {"//x/", "/", "is not a path"},
		{"/a?b=c", "/", "is not a path"}, {"https://x.example/a", "/", "is not a path"}, {"/blog/*", "/b/:splat", "is a pattern"}, {"/u/:id", "/", "is a pattern"},
		{"/a%2e%2e/../x", "/", "is not a path"}, {"/a%00", "/", "is not a path"}, {"/%2e%2e/x", "/", "is not a path"},
		{"/a/", "javascript:alert(1)", "is neither"}, {"/a/", "//evil.example/", "is neither"}, {"/a/", "/\\evil", "is neither"}, {"/a/", "https://me:pw@x.example/", "is neither"},
		{"/a/", "/x\ny", "is neither"}, {"/a/", "data:text/html,x", "is neither"}, {"/taken/", "/", "has the path of a file"},
	} {
		pages, left := Pages([]Rule{{From: tc.from, To: tc.to, Status: 301}}, func(p string) bool { return p == "taken/index.html" })
		if len(pages) != 0 || len(left) != 1 || !strings.Contains(left[0], tc.want) {
			t.Errorf("%s to %q: got %+v, %q; want %q", tc.from, tc.to, pages, left, tc.want)
		}
	}
}

func TestPageIsEscaped(t *testing.T) {
	t.Parallel()
	p := Page{Rule{From: "/a/", To: `/x"><script>alert(1)</script>`, Status: 302}, "a/index.html"}
	if text := string(p.HTML()); strings.Contains(text, "<script>") || !strings.Contains(text, "noindex") {
		t.Errorf("got %s", text)
	}
}

func TestFilesOfGenerators(t *testing.T) {
	t.Parallel()
	rules, left := Parse("# comment\n\n/old/  /new/\r\n/tmp /now 302 # a comment\n/x /y 301!\n/api/* https://api.example/:splat 200\n/gone /404 404\n/a /b 301 Country=de\nalone\n/f /g#part\n")
	if len(rules) != 4 || rules[0] != (Rule{"/old/", "/new/", 301, 3}) || rules[1] != (Rule{"/tmp", "/now", 302, 4}) || rules[3].To != "/g#part" {
		t.Errorf("rules: got %+v", rules)
	}
	if len(left) != 4 || !strings.HasPrefix(left[0], "line 6:") {
		t.Errorf("left out: got %q", left)
	}
}

func TestRedirectsThatLeadToEachOther(t *testing.T) {
	t.Parallel()
	base, _ := url.Parse("https://me.example/repo/")
	for text, want := range map[string]string{
		"/a/ /b/\n/b /a\n": "/a/ /b /a/",
		"/a /a/?x=1#y\n":   "/a /a",
		"/a.html /b/\n/b/ /c\n/c/index.html /a.html": "/a.html /b/ /c/index.html /a.html",
		"/ /index.html\n":                    "/ /",
		"/start /a/\n/a/ /b/\n/b/ /a/\n":     "/a/ /b/ /a/",
		"/a https://ME.example/repo/a/\n":    "/a /a",
		"/a https://other.example/repo/a/\n": "",
		"/a https://me.example/a/\n":         "",
		"/a /b\n/b /c\n/d /b\n":              "",
		"/a/ /a/x/\n/a/x/ /\n":               "",
	} {
		rules, _ := Parse(text)
		pages, _ := Pages(rules, func(string) bool { return false })
		var got []string
		for _, loop := range Loops(pages, []*url.URL{base}) {
			got = append(got, strings.Join(loop, " "))
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("/old /new 301\n/a/* /b/:splat\n")
	f.Fuzz(func(_ *testing.T, text string) {
		rules, _ := Parse(text)
		pages, _ := Pages(rules, func(string) bool { return false })
		for _, p := range pages {
			p.HTML()
		}
	})
}
