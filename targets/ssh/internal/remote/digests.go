package remote

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"mirror/site"
)

// slowestDisk is how fast a host reads at least, in bytes a second.
const slowestDisk = 4 << 20

// Digests hashes regular files below a folder: on the host by one command where it has sha256sum, else by
// their bytes. A file that cannot be read, or that goes away, is left out.
func (h *Host) Digests(ctx context.Context, root string, files []Entry) (map[string]site.Digest, error) {
	sums := make(map[string]site.Digest, len(files))
	script := ""
	switch {
	case len(files) < 2 || !h.has(ctx, "xargs"):
	case h.has(ctx, "openssl"): // it uses what the processor has for that
		script = scriptOpenSSL
	case h.has(ctx, "sha256sum"):
		script = scriptSums
	}
	if script != "" {
		if err := h.sumsThere(ctx, script, root, files, sums); err != nil {
			return nil, err
		}
	}
	rest := slices.DeleteFunc(slices.Clone(files), func(f Entry) bool { _, done := sums[f.Path]; return done })
	var mu sync.Mutex // guards sums
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, f := range rest {
		group.Go(func() error {
			d, err := h.hashBytes(ctx, root, f)
			if errors.Is(err, os.ErrPermission) || errors.Is(err, os.ErrNotExist) || errors.Is(err, errGrown) {
				return nil
			}
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				sums[f.Path] = d
			}
			return err
		})
	}
	return sums, group.Wait()
}

// sumsThere takes what sha256sum, or openssl in its format, prints. It may fail for some files, and for all: those are left out. A name
// with a line break is not given to it, since not every sha256sum escapes it.
func (h *Host) sumsThere(ctx context.Context, script, root string, files []Entry, sums map[string]site.Digest) error {
	asked := make(map[string]bool, len(files))
	all := make([]string, 0, len(files))
	var text, size int64
	for _, f := range files {
		if strings.ContainsAny(f.Path, "\\\n\r") {
			continue
		}
		asked[f.Path] = true
		all = append(all, "./"+f.Path)
		text += int64(len(f.Path)) + 128
		size += f.Size
	}
	if len(all) == 0 {
		return nil
	}
	r, w := io.Pipe()
	parsed := make(chan struct{})
	go func() {
		defer close(parsed)
		readSums(r, asked, sums)
		_, _ = io.Copy(io.Discard, r) // the writer must not wait
	}()
	err := h.script(ctx, script, []string{root}, names(all), &limited{w, int(text) + maxProbe}, time.Duration(size/slowestDisk)*time.Second)
	_ = w.Close() // it never fails
	<-parsed
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil && len(sums) == 0 {
		return h.do(ctx, func(*session) error { return nil }) // the host may be gone
	}
	return nil
}

// readSums reads the lines that are of a file that was asked for.
func readSums(r io.Reader, asked map[string]bool, sums map[string]site.Digest) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxProbe)
	for lines.Scan() {
		sum, name, ok := strings.Cut(lines.Text(), " ")
		d, err := site.ParseDigest(sum)
		if !ok || err != nil || len(name) < 3 {
			continue
		}
		if name = name[1:]; strings.HasPrefix(name, "./") && asked[name[2:]] {
			sums[name[2:]] = d
		}
	}
}

var errGrown = errors.New("the file grows while it is read")

// exactly is a hash that takes no more bytes than a file had when it was listed.
type exactly struct {
	hash.Hash
	left int64
	took func()
}

// Write hashes.
func (e *exactly) Write(p []byte) (int, error) {
	e.took()
	if e.left -= int64(len(p)); e.left < 0 {
		return 0, errGrown
	}
	return e.Hash.Write(p)
}

func (h *Host) hashBytes(ctx context.Context, root string, e Entry) (d site.Digest, err error) {
	err = h.do(ctx, func(s *session) error {
		f, err := s.client.Open(path.Join(root, e.Path))
		if err != nil {
			return err
		}
		sum := &exactly{sha256.New(), e.Size, s.watch.progress}
		_, err = f.WriteTo(sum)
		d = site.Digest(sum.Sum(nil))
		return errors.Join(err, f.Close())
	})
	return d, at("read", e.Path, err)
}
