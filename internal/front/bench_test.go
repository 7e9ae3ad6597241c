package front_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"mirror/internal/front"
)

// BenchmarkFront answers a page of 1 KB from memory, and from an origin.
func BenchmarkFront(b *testing.B) {
	files := v1()
	for i := range 1000 {
		files[fmt.Sprintf("p%d.html", i)] = fmt.Sprintf("%1024d", i)
	}
	for name, memory := range map[string]int64{"memory": 0, "origin": 1} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, 1, front.Options{Quorum: 1, Memory: memory})
			w.publish(release(b, 1, files), 0)
			w.start()
			w.await("/", "home 1")
			h := w.front
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					r, _ := http.NewRequest(http.MethodGet, fmt.Sprintf("/p%d.html", i%1000), nil)
					h.ServeHTTP(&discard{header: http.Header{}}, r)
				}
			})
		})
	}
}

type discard struct {
	header http.Header
	io.Writer
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
