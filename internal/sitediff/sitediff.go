// Package sitediff says what separates two states of a site (releases, builds, live sites): which paths
// were added, changed, deleted and renamed, how the text of them differs, and which of the two each
// origin serves. It changes nothing, and reads a bounded number of bytes.
package sitediff

import (
	"context"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"mirror/internal/contentdiff"
	"mirror/reports"
	"mirror/site"
)

// Side is one of the two states.
type Side struct {
	reports.DiffSide
	Manifest site.Manifest
	// Read returns the bytes of a file of the manifest; nil where they are not known.
	Read func(ctx context.Context, f site.File) ([]byte, error)
}

// OfRelease is the side of a release.
func OfRelease(about reports.DiffSide, rel *site.Release) Side {
	about.Release = rel.ID()
	s := Side{DiffSide: about, Manifest: rel.Manifest}
	if rel.Readable() {
		s.Read = func(ctx context.Context, f site.File) ([]byte, error) {
			r, err := rel.OpenContext(ctx, f)
			if err != nil {
				return nil, err
			}
			defer r.Close()
			return io.ReadAll(io.LimitReader(r, f.Size+1)) // the end compares the digest
		}
	}
	return s
}

// Of returns the differences from a to b, in path order, without text.
func Of(a, b Side) reports.Diff {
	d := reports.Diff{Schema: reports.DiffSchema, A: a.about(), B: b.about(), Changes: []reports.DiffChange{}, Origins: []reports.DiffOrigin{}}
	var deleted, added []site.File
	old, next := a.Manifest, b.Manifest
	for len(old) > 0 || len(next) > 0 {
		switch {
		case len(next) == 0 || len(old) > 0 && old[0].Path < next[0].Path:
			deleted, old = append(deleted, old[0]), old[1:]
		case len(old) == 0 || next[0].Path < old[0].Path:
			added, next = append(added, next[0]), next[1:]
		default:
			if old[0].Digest == next[0].Digest {
				d.Same++
			} else {
				d.Changes = append(d.Changes, changeOf(reports.DiffChanged, old[0], next[0]))
			}
			old, next = old[1:], next[1:]
		}
	}
	d.Changes = append(d.Changes, renames(deleted, added)...)
	slices.SortFunc(d.Changes, func(x, y reports.DiffChange) int { return strings.Compare(x.Path, y.Path) })
	return d
}

func (s Side) about() reports.DiffSide {
	s.Files, s.Bytes = len(s.Manifest), s.Manifest.Bytes()
	return s.DiffSide
}

func changeOf(status string, old, next site.File) reports.DiffChange {
	c := reports.DiffChange{Status: status, Path: next.Path, OldBytes: old.Size, NewBytes: next.Size, OldSHA256: old.Digest.String(), NewSHA256: next.Digest.String()}
	if next.Path == "" {
		c.Path = old.Path
	}
	if status == reports.DiffRenamed {
		c.OldPath = old.Path
	}
	return c
}

// renames pairs deleted files with added ones: those of the same content, then those whose names differ
// only in a hash of the content, where that pairs one file with one.
func renames(deleted, added []site.File) (all []reports.DiffChange) {
	pair := func(key func(f site.File) string) {
		from := map[string][]site.File{}
		for _, f := range deleted {
			if k := key(f); k != "" {
				from[k] = append(from[k], f)
			}
		}
		to := map[string]int{}
		for _, f := range added {
			to[key(f)]++
		}
		left := added[:0:0]
		gone := map[string]bool{}
		for _, f := range added {
			k := key(f)
			if len(from[k]) == 0 || len(from[k]) != to[k] {
				left = append(left, f)
				continue
			}
			i := max(0, slices.IndexFunc(from[k], func(o site.File) bool { return path.Base(o.Path) == path.Base(f.Path) }))
			all = append(all, changeOf(reports.DiffRenamed, from[k][i], f))
			gone[from[k][i].Path] = true
			from[k] = slices.Delete(from[k], i, i+1)
			to[k]--
		}
		added = left
		deleted = slices.DeleteFunc(slices.Clone(deleted), func(f site.File) bool { return gone[f.Path] })
	}
	pair(func(f site.File) string {
		if f.Size == 0 {
			return ""
		}
		return f.Digest.String()
	})
	pair(func(f site.File) string { return unhashed(f.Path) })
	for _, f := range deleted {
		all = append(all, changeOf(reports.DiffDeleted, f, site.File{}))
	}
	for _, f := range added {
		all = append(all, changeOf(reports.DiffAdded, site.File{}, f))
	}
	return all
}

// hashed is a file name with a part that may be a hash of the content. Where it is none, that costs a
// pair of lines of a report being one.
var hashed = regexp.MustCompile(`^(.*[._-])?([0-9A-Za-z_]{8,64})(\.[0-9A-Za-z.]{1,20})$`)

// unhashed is a path without the hash in its name, "" where it has none.
func unhashed(name string) string {
	dir, base := path.Split(name)
	m := hashed.FindStringSubmatch(base)
	if m == nil || !strings.ContainsAny(m[2], "0123456789") || strings.Trim(m[2], "0123456789") == "" {
		return ""
	}
	return dir + m[1] + "*" + m[3]
}

// Bounds of the texts of one comparison.
const (
	MaxTexts = 100 // files whose text is compared
	readers  = 4   // at once
)

// AddTexts adds to the first MaxTexts changed files how their text differs.
func AddTexts(ctx context.Context, d *reports.Diff, a, b Side) {
	var next []int
	for i, c := range d.Changes {
		if c.Status == reports.DiffChanged || c.Status == reports.DiffRenamed && c.OldSHA256 != c.NewSHA256 {
			next = append(next, i)
		}
	}
	d.Undiffed = max(0, len(next)-MaxTexts)
	next = next[:min(len(next), MaxTexts)]
	var all sync.WaitGroup
	turn := make(chan struct{}, readers)
	for _, i := range next {
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			d.Changes[i].Diff, d.Changes[i].Note = textOf(ctx, d.Changes[i], a, b)
		})
	}
	all.Wait()
}

// textOf compares the texts of one file. The note says why there is no diff, or how it was made.
func textOf(ctx context.Context, c reports.DiffChange, a, b Side) (hunks, note string) {
	if c.OldBytes > contentdiff.MaxBytes || c.NewBytes > contentdiff.MaxBytes {
		return "", fmt.Sprintf("not compared: larger than %d MiB", contentdiff.MaxBytes>>20)
	}
	from := c.Path
	if c.OldPath != "" {
		from = c.OldPath
	}
	old, why := a.read(ctx, from)
	next, whyNext := b.read(ctx, c.Path)
	if why+whyNext != "" {
		return "", "not compared: " + strings.Join(slices.DeleteFunc([]string{why, whyNext}, func(s string) bool { return s == "" }), "; ")
	}
	return contentdiff.Unified(old, next)
}

// read returns the content of a file, or why it cannot be read.
func (s Side) read(ctx context.Context, name string) (content []byte, why string) {
	f, ok := s.Manifest.Find(name)
	switch {
	case !ok:
		return nil, ""
	case s.Read == nil:
		return nil, "the content of " + s.Name + " is not held anywhere"
	}
	content, err := s.Read(ctx, f)
	if err != nil {
		return nil, s.Name + ": " + err.Error()
	}
	return content, ""
}
