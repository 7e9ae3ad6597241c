package dir_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"mirror/site"
	"mirror/targets/targettest"
)

// benchSite has 5,000 pages of 8 KB; every hundredth is of the given edition.
func benchSite(edition int) *site.Release {
	files := targettest.Files{}
	for i := range 5000 {
		text := fmt.Sprintf("<p>page %d ", i)
		if i%100 == 0 {
			text += fmt.Sprintf("edition %d ", edition)
		}
		files[fmt.Sprintf("%02d/page-%04d.html", i%50, i)] = string(bytes.Repeat([]byte(text), 8<<10/len(text)))
	}
	return targettest.Release(files)
}

func BenchmarkStage(b *testing.B) {
	b.Run("unchanged", func(b *testing.B) { benchStage(b, func(int) int { return 0 }) })
	b.Run("1% changed", func(b *testing.B) { benchStage(b, func(n int) int { return n }) })
}

func benchStage(b *testing.B, edition func(n int) int) {
	tgt := open(b, filepath.Join(b.TempDir(), "blog"))
	if _, err := targettest.Publish(b.Context(), tgt, benchSite(0)); err != nil {
		b.Fatal(err)
	}
	var sent meter
	n := 0
	for b.Loop() {
		b.StopTimer()
		n++
		rel := benchSite(edition(n))
		b.StartTimer()
		if err := tgt.Stage(b.Context(), rel, &sent); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(sent.bytes.Load())/float64(b.N), "sent-bytes/op")
}

// meter sums what is sent.
type meter struct{ bytes atomic.Int64 }

func (m *meter) Expect(int, int64)       {}
func (m *meter) Sent(_ int, bytes int64) { m.bytes.Add(bytes) }
