package dashboard_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

var updateScreenshots = flag.String("update-screenshots", "", "write pictures of every page into this `folder`")

// axe returns the source of axe-core, which looks for what keeps people out of a page.
func axe(t *testing.T) string {
	t.Helper()
	f, err := os.Open("testdata/axe.min.js.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	source, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// violations asks axe what is wrong with the page, as "rule (impact): the first place".
const violations = `axe.run().then(r => r.violations.map(v => v.id + " (" + v.impact + "): " + v.nodes[0].html.slice(0, 200)))`

// fits fails the test where the page that is shown is too wide, or where axe finds a fault.
func (b *browser) fits(name, axe string) {
	b.t.Helper()
	if wide := run(b, chromedp.Evaluate[int]("document.documentElement.scrollWidth - innerWidth")); wide > 0 {
		b.t.Errorf("%s: %d pixels too wide", name, wide)
	}
	run(b, chromedp.Evaluate[bool](axe+";true"))
	for _, v := range run(b, chromedp.Evaluate[[]string](violations, chromedp.EvalAwaitPromise)) {
		b.t.Errorf("%s: axe says %s", name, v)
	}
}

func TestPagesInABrowser(t *testing.T) {
	w := newWorld(t, nil)
	w.lived()
	b := newBrowser(t)
	source := axe(t)
	for _, look := range []struct {
		width  int64
		scheme string
	}{{1280, "light"}, {390, "dark"}} {
		b.look(look.width, look.scheme)
		for _, path := range everyPage() {
			run(b, chromedp.Navigate(w.server.URL+path))
			if path == "/nowhere" {
				b.forgive("404")
			}
			b.quiet(w.server.URL)
			b.fits(fmt.Sprintf("%s at %d, %s", path, look.width, look.scheme), source)
		}
	}
}

func TestAxeFindsFaults(t *testing.T) {
	w := newWorld(t, nil)
	b := newBrowser(t)
	run(b, chromedp.Navigate(w.server.URL+"/"))
	run(b, chromedp.Evaluate[bool](axe(t)+`;document.querySelector("main").insertAdjacentHTML("beforeend", "<img src=/favicon.svg><button></button>");true`))
	found := run(b, chromedp.Evaluate[[]string](violations, chromedp.EvalAwaitPromise))
	for _, rule := range []string{"image-alt", "button-name"} {
		if !slices.ContainsFunc(found, func(v string) bool { return strings.HasPrefix(v, rule) }) {
			t.Errorf("axe does not find %s, only %q", rule, found)
		}
	}
}

// waitFor polls the page until an expression holds.
func (b *browser) waitFor(what, expression string) {
	b.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-tick.C {
		if run(b, chromedp.Evaluate[bool](expression)) {
			return
		}
	}
	b.t.Fatalf("%s: the page shows %s", what, run(b, chromedp.Evaluate[string](`document.body.innerText`)))
}

func TestAPageUpdatesByItself(t *testing.T) {
	w := newWorld(t, nil)
	w.check(noon().Add(-30 * time.Minute))
	b := newBrowser(t)
	run(b, chromedp.Navigate(w.server.URL+"/"))
	b.waitFor("the stream", `document.getElementById("live").textContent === "Updates by itself."`)
	run(b, chromedp.Evaluate[bool](`window.untouched = true; document.querySelector("table a").focus(); window.focused = document.activeElement; true`))

	w.check(noon().Add(-15*time.Minute), stale("bucket", "index.html"))
	w.dashboard.Changed()
	b.waitFor("drift", `document.querySelector("h1").textContent.includes("bucket drifts")`)
	b.waitFor("the announcement", `document.getElementById("live").textContent.includes("bucket drifts")`)
	w.check(noon())
	w.dashboard.Changed()
	b.waitFor("healed", `document.querySelector("h1").textContent.includes("All 3 origins agree")`)
	if !run(b, chromedp.Evaluate[bool](`window.untouched && document.activeElement === window.focused && document.title.startsWith("All 3 origins agree")`)) {
		t.Error("the page was loaded anew, lost the focus, or kept its title")
	}
	b.quiet(w.server.URL)

	w.dashboard.Close()
	b.waitFor("the loss", `document.getElementById("live").className === "bad"`)
}

func TestPagesWorkWithoutAMouse(t *testing.T) {
	w := newWorld(t, nil)
	w.lived()
	b := newBrowser(t)
	run(b, chromedp.Navigate(w.server.URL+"/"))
	var order []string
	for range 12 {
		run(b, chromedp.KeyEvent("\t"))
		order = append(order, run(b, chromedp.Evaluate[string](`document.activeElement.textContent.trim()`)))
	}
	want := []string{"Skip to the content", "mirror", "Now", "Releases", "Drift", "History", "Jobs"}
	if !slices.Equal(order[:len(want)], want) {
		t.Errorf("got %q, want %q first", order, want)
	}
	if order[8] != "pages" || order[9] != "bucket" {
		t.Errorf("the origins come after the release: %q", order[7:])
	}
	run(b, chromedp.Navigate(w.server.URL+"/"))
	run(b, chromedp.KeyEvent("\t\r"))
	if at := run(b, chromedp.Evaluate[string](`document.activeElement.id`)); at != "main" {
		t.Errorf("the skip link leads to %q", at)
	}
}

// TestScreenshots makes the pictures in docs/screenshots again:
// go test ./internal/dashboard -run Screenshots -update-screenshots=../../docs/screenshots
func TestScreenshots(t *testing.T) {
	if *updateScreenshots == "" {
		t.Skip("pictures are made with -update-screenshots")
	}
	w := newWorld(t, nil)
	w.lived()
	b := newBrowser(t)
	for name, path := range map[string]string{
		"now": "/", "origin": "/origins/bucket", "releases": "/publishes", "release": "/publishes/3", "failed": "/publishes/2", "drift": "/episodes", "episode": "/episodes/4",
		"history": "/history", "checks": "/checks", "jobs": "/jobs", "job": "/jobs/drift", "nowhere": "/nowhere",
	} {
		for _, width := range []int64{1280, 390} {
			for _, scheme := range []string{"light", "dark"} {
				b.look(width, scheme)
				run(b, chromedp.Navigate(w.server.URL+path))
				b.picture(fmt.Sprintf("%s-%d-%s", name, width, scheme))
			}
		}
	}
}

// picture writes what is shown into the folder of the pictures.
func (b *browser) picture(name string) {
	b.t.Helper()
	whole := true
	shown := call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &whole}).Data
	pixels, err := png.Decode(bytes.NewReader(shown))
	if err != nil {
		b.t.Fatal(err)
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, fewColours(pixels)); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*updateScreenshots, name+".png"), small.Bytes(), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// fewColours keeps the 256 most frequent colours of a picture, so that its file is small.
func fewColours(pixels image.Image) image.Image {
	seen := map[color.RGBA]int{}
	bounds := pixels.Bounds()
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(pixels.At(x, y)).(color.RGBA) }
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			seen[at(x, y)]++
		}
	}
	often := slices.SortedFunc(maps.Keys(seen), func(a, b color.RGBA) int { return cmp.Compare(seen[b], seen[a]) })
	var palette color.Palette
	for _, c := range often[:min(len(often), 256)] {
		palette = append(palette, c)
	}
	nearest := map[color.RGBA]uint8{}
	for _, c := range often {
		nearest[c] = uint8(palette.Index(c))
	}
	few := image.NewPaletted(bounds, palette)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			few.SetColorIndex(x, y, nearest[at(x, y)])
		}
	}
	return few
}
