package oci

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"mirror/internal/realserver"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/oci/internal/image"
	"mirror/targets/targettest"
)

// BenchmarkStage stages a site of 5,000 files on a real registry: as it is there already,
// and with one file in a hundred changed each time.
func BenchmarkStage(b *testing.B) {
	b.Run("unchanged", func(b *testing.B) { benchStage(b, func(int) string { return "the same" }) })
	b.Run("changed=1%", func(b *testing.B) { benchStage(b, func(n int) string { return fmt.Sprint("round ", n) }) })
}

func benchStage(b *testing.B, text func(n int) string) {
	p := newPlace(b, realserver.Registry(b, realserver.Distribution, nil))
	var meter traffic
	tgt := p.open(b, targets.Env{State: b.TempDir(), Transport: &meter})
	stage := func(n int) {
		rel := fiveThousand(text(n))
		b.StartTimer()
		defer b.StopTimer()
		if err := tgt.Stage(b.Context(), rel, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	stage(0)
	b.ResetTimer()
	meter.requests, meter.sent = 0, 0
	for n := 1; n <= b.N; n++ {
		stage(n)
	}
	b.ReportMetric(float64(meter.requests)/float64(b.N), "requests/op")
	b.ReportMetric(float64(meter.sent)/float64(b.N), "sent-bytes/op")
}

// fiveThousand is a site of 5,000 pages of 8 KB, 50 of which bear the text. The pages
// compress about as well as prose does.
func fiveThousand(text string) *site.Release {
	files := targettest.Files{}
	words := strings.Fields("the release of a site goes out to every origin at once and")
	for i := range 5000 {
		var page strings.Builder
		for r := rand.New(rand.NewPCG(uint64(i), 1)); page.Len() < 8<<10; {
			fmt.Fprintf(&page, "%s %x ", words[r.IntN(len(words))], r.IntN(1<<12))
		}
		if i%100 == 0 {
			page.WriteString(text)
		}
		files[fmt.Sprintf("posts/%02d/%04d/index.html", i%100, i)] = page.String()
	}
	return targettest.Release(files)
}

func BenchmarkLayer(b *testing.B) {
	for _, name := range []string{"gzip", "zstd"} {
		b.Run(name, func(b *testing.B) {
			c, err := image.ParseCompression(name)
			if err != nil {
				b.Fatal(err)
			}
			rel := fiveThousand("")
			b.SetBytes(rel.Manifest.Bytes())
			for b.Loop() {
				l, err := image.WriteBlob(c, func(w io.Writer) error { return image.WriteSite(b.Context(), w, rel, "/site") })
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(l.Info.Size), "layer-bytes")
				if err := l.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
