package browser

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"testing"

	"github.com/chromedp/chromedp"
)

//go:embed testdata/axe.min.js.gz
var axe []byte

// source is that of axe-core, which looks for what keeps people out of a page.
func source(t testing.TB) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(axe))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// violations asks axe what is wrong with the page, as "rule (impact): the first place".
const violations = `axe.run().then(r => r.violations.map(v => v.id + " (" + v.impact + "): " + v.nodes[0].html.slice(0, 200)))`

// Violations lists what axe-core finds wrong with the page that is shown, each beginning
// with the name of the rule.
func (b *Browser) Violations() []string {
	b.t.Helper()
	if !b.Holds("window.axe") {
		b.Do(source(b.t))
	}
	return run(b, chromedp.Evaluate[[]string](violations, chromedp.EvalAwaitPromise))
}

// Fits fails the test where the page that is shown is wider than its window, or where
// axe-core finds a fault of any kind. name is what the failure calls the page.
func (b *Browser) Fits(name string) {
	b.t.Helper()
	if wide := run(b, chromedp.Evaluate[int]("document.documentElement.scrollWidth - innerWidth")); wide > 0 {
		b.t.Errorf("%s: %d pixels too wide", name, wide)
	}
	for _, v := range b.Violations() {
		b.t.Errorf("%s: axe says %s", name, v)
	}
}
