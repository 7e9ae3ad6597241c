package s3

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/sync/errgroup"

	"mirror/internal/compression"
	"mirror/site"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
)

// maxCompressed is the size of the largest file that is stored compressed: it is held in memory for that.
const maxCompressed = 8 << 20

// codingFor is the coding that the last matching rule with one names, "" for none.
func codingFor(rules []HeaderRule, name string) compression.Coding {
	for _, r := range slices.Backward(rules) {
		if len(r.Compress) > 0 && doublestar.MatchUnvalidated(r.Match, name) {
			return compression.Coding(r.Compress[0])
		}
	}
	return ""
}

// compresses reports whether a file may be stored compressed.
func (t *Target) compresses(e documents.Entry) (compression.Coding, bool) {
	coding := codingFor(t.rules, e.Path)
	return coding, coding != "" && e.Headers.Encoding == "" && e.Size <= maxCompressed && compression.Compressible(e.Headers.Type)
}

// compress has the files that rules compress stored as variants: it changes their entries, and returns the release with the
// bytes to store.
func (t *Target) compress(ctx context.Context, rel *site.Release, want documents.Entries) (*site.Release, error) {
	codings := map[string]compression.Coding{}
	for path, e := range want {
		if coding, ok := t.compresses(e); ok {
			codings[path] = coding
		}
	}
	if len(codings) == 0 {
		return rel, nil
	}
	stored, err := t.variants.all(ctx, rel, codings)
	if err != nil {
		return nil, err
	}
	m, bodies := slices.Clone(rel.Manifest), map[string]func() ([]byte, error){}
	for i, f := range m {
		s, ok := stored[f.Path]
		if !ok {
			continue
		}
		coding, e := codings[f.Path], want[f.Path]
		e.Plain = documents.Plain{Digest: f.Digest, Size: f.Size}
		e.Digest, e.Size, e.Headers.Encoding = s.Digest, s.Size, string(coding)
		want[f.Path] = e
		m[i].Digest, m[i].Size = s.Digest, s.Size
		bodies[f.Path] = func() ([]byte, error) { return t.variants.body(rel, f, coding) }
	}
	return rel.Stored(m, bodies), nil
}

// all returns how files are to be stored, by path; those that a coding does not make smaller are not among them. A file
// that is known is not read.
func (v *variants) all(ctx context.Context, rel *site.Release, codings map[string]compression.Coding) (map[string]storedAs, error) {
	made := make([]storedAs, len(rel.Manifest))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range rel.Manifest {
		coding := codings[f.Path]
		if coding == "" {
			continue
		}
		if known, ok := v.get(f.Digest, coding); ok {
			made[i] = known
			continue
		}
		if !rel.Readable() {
			continue // it is planned as it is
		}
		g.Go(func() (err error) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			made[i], err = v.make(rel, f, coding)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	v.save(rel.Manifest)
	all := map[string]storedAs{}
	for i, f := range rel.Manifest {
		if made[i].Size > 0 {
			all[f.Path] = made[i]
		}
	}
	return all, nil
}

// asPlain replaces, in what was read back, the compressed files that the live release has by the site's own.
func (t *Target) asPlain(ctx context.Context, h documents.StateDocument, m site.Manifest) error {
	if h.None() || h.Base() == site.None || !slices.ContainsFunc(t.rules, func(r HeaderRule) bool { return len(r.Compress) > 0 }) {
		return nil
	}
	_, all, err := t.pastEntries(ctx, h.Base())
	if bucket.IsMissing(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	for i, f := range m {
		if e := all[f.Path]; e.Plain != (documents.Plain{}) && e.Digest == f.Digest {
			m[i] = e.File()
		}
	}
	return nil
}

// decoded returns the reader of the site's file in an object.
func decoded(e documents.Entry, object io.Reader) (io.ReadCloser, error) {
	if e.Plain == (documents.Plain{}) {
		return io.NopCloser(object), nil
	}
	return compression.Decode(compression.Coding(bucket.ContentCoding(e.Headers.Encoding)), object)
}
