package site_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"testing"
	"testing/fstest"
	"time"

	"mirror/site"
)

// endless is a tree in which each file has no end. read is called at each read.
type endless struct {
	fstest.MapFS
	read func()
}

func (e endless) Open(name string) (fs.File, error) {
	f, err := e.MapFS.Open(name)
	if info, statErr := fs.Stat(e.MapFS, name); err == nil && statErr == nil && !info.IsDir() {
		return endlessFile{f, e.read}, nil
	}
	return f, err
}

type endlessFile struct {
	fs.File
	read func()
}

func (f endlessFile) Read(p []byte) (int, error) { f.read(); return len(p), nil }

// TestReadingEndsWithItsContext cancels while a file without end is read. A test that hangs has failed.
func TestReadingEndsWithItsContext(t *testing.T) {
	file := site.File{Path: "video.mp4", Size: 1 << 62}
	for name, do := range map[string]func(ctx context.Context, fsys fs.FS) error{
		"scan": func(ctx context.Context, fsys fs.FS) error {
			_, err := site.Scan(ctx, fsys, site.ScanOptions{})
			return err
		},
		"read a release": func(ctx context.Context, fsys fs.FS) error {
			r, err := site.NewRelease(site.Manifest{file}, fsys, "", time.Now()).OpenContext(ctx, file)
			if err != nil {
				return err
			}
			defer r.Close()
			_, err = io.Copy(io.Discard, r)
			return err
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		reads := 0
		fsys := endless{fstest.MapFS{file.Path: {Data: []byte("x")}}, func() {
			if reads++; reads == 3 {
				cancel()
			}
		}}
		if err := do(ctx, fsys); !errors.Is(err, context.Canceled) || reads != 3 {
			t.Errorf("%s: got %v after %d reads", name, err, reads)
		}
		cancel()
	}
}
