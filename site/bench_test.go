package site_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"mirror/site"
)

// benchSite writes 5,000 pages of 8 KB in 50 folders.
func benchSite(b *testing.B) string {
	b.Helper()
	files := map[string]string{}
	for i := range 5000 {
		page := bytes.Repeat(fmt.Appendf(nil, "<p>page %d</p>", i), 700)
		files[fmt.Sprintf("%02d/page-%04d.html", i%50, i)] = string(page[:8<<10])
	}
	return tree(b, files)
}

func BenchmarkScanCold(b *testing.B) {
	dir := benchSite(b)
	for b.Loop() {
		report(b, mustScan(b, dir, site.ScanOptions{}))
	}
	perSecond(b)
}

func BenchmarkScanWarm(b *testing.B) {
	dir, file := benchSite(b), filepath.Join(b.TempDir(), "scan")
	<-time.After(2500 * time.Millisecond) // only files at rest are remembered
	for b.Loop() {
		cache, err := site.OpenCache(file)
		if err != nil {
			b.Fatal(err)
		}
		report(b, mustScan(b, dir, site.ScanOptions{Cache: cache}))
		if err := cache.Save(); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b)
}

func report(b *testing.B, rel *site.Release) {
	b.SetBytes(rel.Manifest.Bytes())
	if len(rel.Manifest) != 5000 {
		b.Fatalf("%d files", len(rel.Manifest))
	}
}

func perSecond(b *testing.B) {
	b.ReportMetric(5000*float64(b.N)/b.Elapsed().Seconds(), "files/s")
}
