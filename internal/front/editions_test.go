package front

import (
	"fmt"
	"testing"

	"mirror/internal/front/upstream"
	"mirror/site"
)

// TestKnownEditionsAreBounded has releases of many files become known, one after the other: only the one that is served and
// the latest stay, while of small ones more do.
func TestKnownEditionsAreBounded(t *testing.T) {
	for files, want := range map[int]int{10: maxEditions, maxKnown/2 + 1: 2, maxKnown / 3: 3, maxFiles: 2} {
		k := editions{all: map[site.ID]*edition{}}
		id := func(i int) site.ID { return site.ID(fmt.Sprintf("%064x", i+1)) }
		many := make(site.Manifest, files)
		for i := range 10 {
			k.add(&edition{standing: standing{release: id(i)}, manifest: many})
			k.pin(id(0))
		}
		served, _ := k.get(id(0))
		latest, _ := k.get(id(9))
		if served == nil || latest == nil || len(k.all) != want || len(k.order) != want {
			t.Errorf("of 10 releases of %d files %d are known, want %d; that which is served: %v", files, len(k.all), want, served != nil)
		}
	}
}

// TestPagesShareTheirFields makes the header fields of two pages.
func TestPagesShareTheirFields(t *testing.T) {
	f := &Front{origins: upstream.New(nil)}
	f.options.Header = func(path, name string) string {
		if path == "c.html" && name == "Cache-Control" {
			return "no-cache"
		}
		return ""
	}
	of := func(path string) *fields { return f.fieldsOf(&page{file: site.File{Path: path}}, nil) }
	if of("a.html") != of("b.html") || of("a.html") == of("c.html") || of("a.html") == of("a.css") {
		t.Error("pages with equal fields do not share them, or others do")
	}
}
