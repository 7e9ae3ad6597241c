package s3_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirror/targets/targettest"
)

// bigSite makes n files of about size bytes that do not compress, spread over folders.
func bigSite(n, size int) targettest.Files {
	files := targettest.Files{}
	for i := range n {
		files[fmt.Sprintf("posts/%03d/a-longer-page-title-%05d/index.html", i%100, i)] = noise(uint64(i), size)
	}
	return files
}

func noise(seed uint64, size int) string {
	r := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	for b.Len() < size {
		fmt.Fprintf(&b, "%016x", r.Uint64())
	}
	return b.String()[:size]
}

// touch changes one file in a hundred, all over the site, and tells their bytes.
func touch(files targettest.Files, round, size int) (next targettest.Files, changed int64) {
	next = targettest.Files{}
	for path, text := range files {
		next[path] = text
	}
	for i := range len(files) / 100 {
		n := (i*100 + round*37) % len(files)
		next[fmt.Sprintf("posts/%03d/a-longer-page-title-%05d/index.html", n%100, n)] = noise(uint64(round)<<32|uint64(n), size)
		changed += int64(size)
	}
	return next, changed
}

// age makes all files of the gateway look an hour old, as they would be by the next publish.
func (p *place) age(t testing.TB) {
	t.Helper()
	then := time.Now().Add(-time.Hour)
	err := filepath.WalkDir(p.folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chtimes(path, then, then)
	})
	if err != nil {
		t.Fatal(err)
	}
}

const benchFiles, benchSize = 5000, 4096

// BenchmarkStage measures a publish (plan, stage and, where anything changed, commit) of
// a site of 5,000 files to the real gateway.
func BenchmarkStage(b *testing.B) {
	p := gateway(b)
	rec := p.recorder()
	state := b.TempDir()
	files := bigSite(benchFiles, benchSize)
	start := time.Now()
	publish(b, p.openAs(b, "bench", state, rec), targettest.Release(files))
	requests, sent := rec.count()
	b.Logf("cold: %s, %d requests, %d bytes sent", time.Since(start).Round(time.Millisecond), requests, sent)
	p.age(b)
	b.Run("unchanged", func(b *testing.B) {
		rel := targettest.Release(files)
		if _, err := p.openAs(b, "bench", state, rec).Plan(b.Context(), rel); err != nil {
			b.Fatal(err) // what this Plan reads, the state folder remembers
		}
		rec.reset()
		for b.Loop() {
			plan, err := p.openAs(b, "bench", state, rec).Plan(b.Context(), rel)
			if err != nil || !plan.Changes.Empty() {
				b.Fatal(plan.Changes, err)
			}
		}
		report(b, rec)
	})
	b.Run("1%changed", func(b *testing.B) {
		round := 0
		rec.reset()
		for b.Loop() {
			b.StopTimer()
			round++
			var changed int64
			files, changed = touch(files, round, benchSize)
			rel := targettest.Release(files)
			_, before := rec.count()
			b.StartTimer()
			publish(b, p.openAs(b, "bench", state, rec), rel)
			_, after := rec.count()
			if limit := changed*12/10 + 64<<10; after-before > limit {
				b.Fatalf("sent %d bytes for %d changed, more than %d", after-before, changed, limit)
			}
		}
		report(b, rec)
	})
}

func report(b *testing.B, rec *recorder) {
	requests, sent := rec.count()
	b.ReportMetric(float64(requests)/float64(b.N), "requests/op")
	b.ReportMetric(float64(sent)/float64(b.N), "sent-bytes/op")
}
