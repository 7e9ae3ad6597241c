package targettest

import (
	"strings"
	"testing"

	"mirror/targets"
)

// contents reads single files of what is live. One that is missing or over the limit is left out,
// and what is only staged is not read.
func contents(t *testing.T, f Fixture) {
	tgt := f.Open(t, nil)
	reader, ok := tgt.(targets.ContentReader)
	if !ok {
		t.Skip("this kind returns no single files")
	}
	empty, err := reader.ReadContents(t.Context(), []string{"index.html"}, 1<<10)
	if err != nil || len(empty) > 0 {
		t.Errorf("of an empty place: got %q, %v; want nothing", empty, err)
	}
	mustPublish(t, tgt, Files{"index.html": "home", "文章/你好 世界.html": "post", "big.bin": strings.Repeat("x", 100), "other.html": "not asked for"})
	if err := tgt.Stage(t.Context(), Release(Files{"index.html": "staged"}), nil); err != nil {
		t.Fatal(err)
	}
	again := f.Open(t, nil).(targets.ContentReader)
	got, err := again.ReadContents(t.Context(), []string{"index.html", "文章/你好 世界.html", "big.bin", "missing.html"}, 99)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || string(got["index.html"]) != "home" || string(got["文章/你好 世界.html"]) != "post" {
		t.Errorf("got %q, want the two small files", got)
	}
}
