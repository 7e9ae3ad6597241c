package dashboard_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mirror/internal/browser"
	"mirror/internal/longtest"
)

var updateScreenshots = flag.String("update-screenshots", "", "write pictures of every page into this `folder`")

func TestPagesInABrowser(t *testing.T) {
	longtest.Skip(t, "drives a browser")
	w := newWorld(t, nil)
	w.lived()
	b := browser.Start(t)
	looks := []struct {
		width  int64
		scheme string
	}{{390, "dark"}, {1280, "light"}}
	if testing.Short() {
		looks = looks[:1]
	}
	for _, look := range looks {
		b.Look(look.width, look.scheme)
		for _, path := range everyPage() {
			b.Open(w.server.URL + path)
			if path == "/nowhere" {
				b.Forgive("404")
			}
			b.Quiet(w.server.URL)
			b.Fits(fmt.Sprintf("%s at %d, %s", path, look.width, look.scheme))
		}
	}
}

func TestAxeFindsFaults(t *testing.T) {
	longtest.Skip(t, "drives a browser")
	w := newWorld(t, nil)
	b := browser.Start(t)
	b.Open(w.server.URL + "/")
	b.Do(`document.querySelector("main").insertAdjacentHTML("beforeend", "<img src=/favicon.svg><button></button>")`)
	found := b.Violations()
	for _, rule := range []string{"image-alt", "button-name"} {
		if !slices.ContainsFunc(found, func(v string) bool { return strings.HasPrefix(v, rule) }) {
			t.Errorf("axe does not find %s, only %q", rule, found)
		}
	}
}

func TestAPageUpdatesByItself(t *testing.T) {
	longtest.Skip(t, "drives a browser")
	w := newWorld(t, nil)
	w.check(noon().Add(-30 * time.Minute))
	b := browser.Start(t)
	b.Open(w.server.URL + "/")
	b.Await("the stream", `document.getElementById("live").textContent === "Updates by itself."`)
	b.Do(`window.untouched = true; document.querySelector("table a").focus(); window.focused = document.activeElement`)

	w.check(noon().Add(-15*time.Minute), stale("bucket", "index.html"))
	w.dashboard.Changed()
	b.Await("drift", `document.querySelector("h1").textContent.includes("bucket drifts")`)
	b.Await("the announcement", `document.getElementById("live").textContent.includes("bucket drifts")`)
	w.check(noon())
	w.dashboard.Changed()
	b.Await("healed", `document.querySelector("h1").textContent.includes("All 3 origins agree")`)
	if !b.Holds(`window.untouched && document.activeElement === window.focused && document.title.startsWith("All 3 origins agree")`) {
		t.Error("the page was loaded anew, lost the focus, or kept its title")
	}
	b.Quiet(w.server.URL)

	w.dashboard.Close()
	b.Await("the loss", `document.getElementById("live").className === "bad"`)
}

// TestTimesOfTheBrowsersZone are beside those in UTC, also after the page has updated itself.
func TestTimesOfTheBrowsersZone(t *testing.T) {
	longtest.Skip(t, "drives a browser")
	w := newWorld(t, nil)
	w.check(noon().Add(-30 * time.Minute))
	b := browser.Start(t)
	b.Zone("Asia/Tokyo")
	b.Open(w.server.URL + "/")
	local := `[...document.querySelectorAll(".facts time")].map((t) => t.textContent + "|" + t.dataset.local).join(" ")`
	b.Await("local times", `(`+local+`).includes("22 Nov, 11:30:00|20:30:00")`)
	b.Await("the name of the zone", `document.getElementById("zone").textContent.includes("Asia/Tokyo")`)
	b.Await("the stream", `document.getElementById("live").textContent === "Updates by itself."`)
	w.check(noon().Add(10 * time.Hour))
	w.dashboard.Changed()
	b.Await("local times of a later check, on the next day", `(`+local+`).includes("22 Nov, 22:00:00|23 Nov, 07:00:00")`)
	b.Quiet(w.server.URL)
	b.Zone("UTC")
	b.Open(w.server.URL + "/")
	b.Await("the stream", `document.getElementById("live").textContent === "Updates by itself."`)
	if !b.Holds(`!document.querySelector("time[data-local]") && document.getElementById("zone").textContent === ""`) {
		t.Error("a browser in UTC shows each time twice")
	}
}

func TestPagesWorkWithoutAMouse(t *testing.T) {
	longtest.Skip(t, "drives a browser")
	w := newWorld(t, nil)
	w.lived()
	b := browser.Start(t)
	b.Open(w.server.URL + "/")
	var order []string
	for range 12 {
		b.Press("\t")
		order = append(order, b.Text(`document.activeElement.textContent.trim()`))
	}
	want := []string{"Skip to the content", "mirror", "Now", "Releases", "Drift", "History", "Jobs"}
	if !slices.Equal(order[:len(want)], want) {
		t.Errorf("got %q, want %q first", order, want)
	}
	if order[7] != "bucket: 2 pages are stale" || order[9] != "pages" || order[10] != "bucket" {
		t.Errorf("got %q, want what is wrong, the release and then the origins", order[7:])
	}
	b.Open(w.server.URL + "/")
	b.Press("\t\r")
	if at := b.Text(`document.activeElement.id`); at != "main" {
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
	b := browser.Start(t)
	for name, path := range map[string]string{
		"now": "/", "origin": "/origins/bucket", "releases": "/publishes", "release": "/publishes/3", "failed": "/publishes/2", "drift": "/episodes", "episode": "/episodes/4",
		"history": "/history", "checks": "/checks", "jobs": "/jobs", "job": "/jobs/drift", "nowhere": "/nowhere",
	} {
		for _, width := range []int64{1280, 390} {
			for _, scheme := range []string{"light", "dark"} {
				b.Look(width, scheme)
				b.Open(w.server.URL + path)
				picture(t, b.Picture(), fmt.Sprintf("%s-%d-%s", name, width, scheme))
			}
		}
	}
	back, _ := newRollbackWorld(t)
	back.lived()
	for _, width := range []int64{1280, 390} {
		for _, scheme := range []string{"light", "dark"} {
			b.Look(width, scheme)
			b.Open(back.server.URL + "/publishes/1")
			picture(t, b.View(), fmt.Sprintf("rollback-%d-%s", width, scheme))
			b.Do(`document.querySelector("[data-rollback=ask]").click()`)
			picture(t, b.View(), fmt.Sprintf("rollback-question-%d-%s", width, scheme))
		}
	}
	b.Zone("Asia/Tokyo")
	for _, width := range []int64{1280, 390} {
		b.Look(width, "light")
		b.Open(w.server.URL + "/")
		picture(t, b.Picture(), fmt.Sprintf("zone-%d-light", width))
	}
}

// picture writes a picture into the folder of the pictures.
func picture(t *testing.T, shot []byte, name string) {
	t.Helper()
	pixels, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, fewColours(pixels)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*updateScreenshots, name+".png"), small.Bytes(), 0o644); err != nil {
		t.Fatal(err)
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
