package diff_test

import (
	"strings"
	"testing"

	"mirror/diff"
)

const article = `<!doctype html><html><head><title>News</title><script>a()</script></head><body class="x"><p>One &amp; two three.</p></body></html>`

func TestInjection(t *testing.T) {
	for _, c := range []struct {
		name string
		from string // of the article
		to   string
		want string // a part of what is named; "" where it is no injection
	}{
		{"a script", "</body>", `<script defer src="https://cdn.example/beacon.js"></script></body>`, "<script> https://cdn.example/beacon.js"},
		{"a script before the page's own", "<script>a()", "<script>b()</script><script>a()", "<script>"},
		{"a comment", "<p>", "<!-- served by edge 7 --><p>", "comment served by edge 7"},
		{"a comment within a text", "two three", "two <!-- x -->three", "comment x"},
		{"an attribute", `<body class="x">`, `<body class="x" data-ray="1">`, "attribute data-ray of <body>"},
		{"a pixel", "</body>", `<img src="//t.example/1.gif"></body>`, "<img> //t.example/1.gif"},
		{"white space", "</html>", "</html>\n", "white space"},
		{"nothing", "", "", ""},
		{"another text", "three", "four", ""},
		{"a text more", "</p>", "</p><p>Buy now!</p>", ""},
		{"a text less", "<p>One &amp; two three.</p>", "", ""},
		{"another script's content", "a()", "evil()", ""},
		{"an attribute changed", `class="x"`, `class="y"`, ""},
		{"an attribute less", ` class="x"`, "", ""},
		{"the end cut", "</body></html>", "", ""},
	} {
		live := strings.Replace(article, c.from, c.to, 1)
		got, ok := diff.Injection([]byte(article), []byte(live))
		if ok != (c.want != "") || !strings.Contains(strings.Join(got, "; "), c.want) {
			t.Errorf("%s: got %v %q, want %q", c.name, ok, got, c.want)
		}
	}
}

// FuzzInjection: a page is never an injection into itself, and nothing crashes or hangs.
func FuzzInjection(f *testing.F) {
	f.Add(article, article+"<script>x")
	f.Add("<script>", "<script></script")
	f.Fuzz(func(t *testing.T, ours, live string) {
		if _, ok := diff.Injection([]byte(ours), []byte(ours)); ok {
			t.Errorf("%q is injected into itself", ours)
		}
		what, _ := diff.Injection([]byte(ours), []byte(live))
		for _, w := range what {
			if len(w) > 200 {
				t.Errorf("%d bytes of name", len(w))
			}
		}
	})
}

func TestExcerpt(t *testing.T) {
	ours := "<html>\n<p>one\n<p>two\n</html>\n"
	if got := diff.Excerpt([]byte(ours), []byte(strings.Replace(ours, "two", "2", 1))); !strings.Contains(got, "-<p>two\n+<p>2") || strings.Contains(got, "---") {
		t.Errorf("got %q", got)
	}
	minified := strings.Repeat("<b>x</b><i>y</i>", 5000)
	got := diff.Excerpt([]byte(minified), []byte(minified[:40000]+"!"+minified[40000:]))
	if len(got) > 4000 || !strings.Contains(got, "!") {
		t.Errorf("of a minified page: %d bytes, %.300q", len(got), got)
	}
	if got := diff.Excerpt([]byte("\x00\x01"), []byte("\x00\x02")); got != "" {
		t.Errorf("of what is no text: %q", got)
	}
	if got := diff.Excerpt([]byte(ours), []byte(ours)); got != "" {
		t.Errorf("of equal texts: %q", got)
	}
}

func TestJudgeHeader(t *testing.T) {
	value := func(s string) *string { return &s }
	names := []string{"a", "b", "c"}
	for _, c := range []struct {
		name string
		sent []*string
		want []string
		odd  string // who differs
	}{
		{"alike", []*string{value("max-age=60"), value("Max-Age=60"), value("max-age=60 ")}, []string{"", "", ""}, ""},
		{"one differs", []*string{value("x"), value("y"), value("x")}, []string{"", "", ""}, "b"},
		{"the first differs", []*string{value("y"), value("x"), value("x")}, []string{"", "", ""}, "a"},
		{"of two the first counts", []*string{value("x"), value("y"), nil}, []string{"", "", ""}, "b"},
		{"one sends none", []*string{value("x"), value("x"), value("")}, []string{"", "", ""}, "c"},
		{"as promised, and others among themselves", []*string{value("p"), value("x"), value("x")}, []string{"p", "", ""}, ""},
		{"promise broken", []*string{value("x"), value("x"), value("x")}, []string{"p", "", ""}, "a"},
		{"one alone", []*string{nil, value("x"), nil}, []string{"", "", ""}, ""},
	} {
		odd := ""
		for i, detail := range diff.JudgeHeader("Cache-Control", names, c.sent, c.want) {
			if detail != "" {
				odd += names[i]
			}
		}
		if odd != c.odd {
			t.Errorf("%s: %q differs, want %q", c.name, odd, c.odd)
		}
	}
}
