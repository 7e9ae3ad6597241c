package check_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mirror/internal/check"
	"mirror/internal/origin"
	"mirror/internal/realserver"
	"mirror/site"
)

// benchPages is how many pages of 8 KB the benchmarks read.
const benchPages = 5000

// benchOrigin serves the pages with nginx.
func benchOrigin(b *testing.B) (*url.URL, site.Manifest) {
	b.Helper()
	dir := b.TempDir()
	var m site.Manifest
	for i := range benchPages {
		path := fmt.Sprintf("%02d/page-%04d.html", i%50, i)
		text := []byte(strings.Repeat(fmt.Sprintf("<p>page %d</p>", i), 700)[:8<<10])
		file := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			b.Fatal(err)
		}
		m = append(m, site.File{Path: path, Size: int64(len(text)), Digest: sha256.Sum256(text)})
	}
	m.Sort()
	u, err := url.Parse(realserver.Nginx(b, dir) + "/")
	if err != nil {
		b.Fatal(err)
	}
	return u, m
}

// BenchmarkCheck checks one nginx origin on loopback.
func BenchmarkCheck(b *testing.B) {
	u, m := benchOrigin(b)
	at := origin.Endpoint{
		Name: "nginx", URL: u,
		Options: origin.Options{Concurrency: 16, Timeout: 10 * time.Second, Confirm: 1},
	}
	before := cpu(b)
	for b.Loop() {
		v := run(b, check.Options{Release: m.ID(), Manifest: m}, at)
		if !v.Agree() {
			b.Fatalf("got %q", drifts(v))
		}
		b.ReportMetric(float64(v.Origins[0].Requests), "requests/op")
	}
	perPage(b, cpu(b)-before, 1)
}

// BenchmarkCheckThree checks three origins side by side, of one nginx.
func BenchmarkCheckThree(b *testing.B) {
	u, m := benchOrigin(b)
	var origins []origin.Endpoint
	for _, name := range []string{"a", "b", "c"} {
		origins = append(origins, origin.Endpoint{
			Name: name, URL: u,
			Options: origin.Options{Concurrency: 16, Timeout: 10 * time.Second, Confirm: 1},
		})
	}
	before := cpu(b)
	for b.Loop() {
		if v := run(b, check.Options{Release: m.ID(), Manifest: m}, origins...); !v.Agree() {
			b.Fatalf("got %q", drifts(v))
		}
	}
	perPage(b, cpu(b)-before, len(origins))
}

// BenchmarkCurl reads the pages with curl, 16 at once, into sha256sum: what a shell script does.
func BenchmarkCurl(b *testing.B) {
	if _, err := exec.LookPath("curl"); err != nil {
		b.Skip("curl is not installed")
	}
	u, m := benchOrigin(b)
	var list strings.Builder
	for _, f := range m {
		fmt.Fprintf(&list, "url = %q\n", u.String()+f.Path)
	}
	config := filepath.Join(b.TempDir(), "urls")
	if err := os.WriteFile(config, []byte(list.String()), 0o644); err != nil {
		b.Fatal(err)
	}
	for name, script := range map[string]string{
		"Z":       "curl -s -Z --parallel-max 16 -K " + config + " | sha256sum",
		"16curls": "split -n l/16 " + config + " " + config + "- && for part in " + config + "-*; do curl -s -K $part | sha256sum & done; wait",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if out, err := exec.CommandContext(b.Context(), "bash", "-c", script).CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, out)
				}
			}
			b.ReportMetric(benchPages*float64(b.N)/b.Elapsed().Seconds(), "pages/s")
		})
	}
}

// BenchmarkBareLoop does the least that a Go program can: GET and hash, 16 at once.
func BenchmarkBareLoop(b *testing.B) {
	u, m := benchOrigin(b)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, MaxConnsPerHost: 16, DisableCompression: true}}
	before := cpu(b)
	for b.Loop() {
		var next atomic.Int64
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				for i := next.Add(1) - 1; i < int64(len(m)); i = next.Add(1) - 1 {
					if err := getAndHash(client, u.String()+m[i].Path, m[i].Digest); err != nil {
						b.Error(err)
					}
				}
			})
		}
		all.Wait()
	}
	perPage(b, cpu(b)-before, 1)
}

func getAndHash(client *http.Client, from string, want site.Digest) error {
	resp, err := client.Get(from)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	h := sha256.New()
	if _, err := io.Copy(h, resp.Body); err != nil {
		return err
	}
	if site.Digest(h.Sum(nil)) != want {
		return fmt.Errorf("%s has other bytes", from)
	}
	return nil
}

// perPage reports speed, and what one page costs this process.
func perPage(b *testing.B, used time.Duration, origins int) {
	pages := float64(benchPages*origins) * float64(b.N)
	b.ReportMetric(pages/b.Elapsed().Seconds(), "pages/s")
	b.ReportMetric(float64(used.Microseconds())/pages, "cpu-µs/page")
}
