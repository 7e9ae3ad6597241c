package image

import (
	"crypto/sha256"
	"io"
	"io/fs"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"mirror/site"
)

// zeros is a file system with one file of n bytes that are nowhere stored.
type zeros struct{ n int64 }

func (z zeros) Open(string) (fs.File, error) {
	return zeroFile{io.LimitReader(endless{}, z.n), z}, nil
}

type zeroFile struct {
	io.Reader
	zeros
}

func (zeroFile) Stat() (fs.FileInfo, error) { return nil, fs.ErrInvalid }
func (zeroFile) Close() error               { return nil }

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		rest = rest[copy(rest, counting):]
	}
	return len(p), nil
}

// counting is the bytes from 0 to 255, over and over.
var counting = func() (all []byte) {
	for i := range 64 << 10 {
		all = append(all, byte(i))
	}
	return all
}()

// TestLayerStreams makes a layer of 128 MB and watches the heap meanwhile.
func TestLayerStreams(t *testing.T) {
	const size, most = 128 << 20, 64 << 20
	fsys := zeros{size}
	h := sha256.New()
	f, _ := fsys.Open("film.bin")
	if _, err := io.CopyBuffer(struct{ io.Writer }{h}, f, make([]byte, 256<<10)); err != nil {
		t.Fatal(err)
	}
	files := site.Manifest{{Path: "film.bin", Size: size, Digest: site.Digest(h.Sum(nil))}}
	rel := site.NewRelease(files, fsys, "", time.Time{})
	stop := watchHeap(t, most)
	b, err := WriteBlob(Gzip(1), func(w io.Writer) error { return WriteSite(t.Context(), w, rel, "/site") })
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

// watchHeap fails the test if the heap grows by more than most bytes until stop is called.
func watchHeap(t *testing.T, most uint64) (stop func()) {
	t.Helper()
	var start runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&start)
	var peak atomic.Uint64
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			peak.Store(max(peak.Load(), now.HeapAlloc))
			select {
			case <-quit:
				return
			case <-tick.C:
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
		if grown := peak.Load() - min(peak.Load(), start.HeapAlloc); grown > most {
			t.Errorf("the heap grew by %d MB, want %d at most", grown>>20, most>>20)
		} else {
			t.Logf("the heap grew by %d MB", grown>>20)
		}
	}
}
