package s3

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"mirror/site"
)

// entry is one file of a release, as it lies in the bucket.
type entry struct {
	Path string
	Size int64
	content
}

// entries are a release's files by path.
type entries map[string]entry

// beacon is what goes live last.
type beacon struct {
	Path string `json:"path"`
	Body []byte `json:"body"`
}

// snapshot is the document of a release. Its files lie in parts, most of which it has in
// common with the release before, so that a small change makes a small document.
type snapshot struct {
	Version int       `json:"version"`
	Release site.ID   `json:"release"`
	Beacon  *beacon   `json:"beacon,omitempty"`
	Parts   []partRef `json:"parts"`
}

// partRef names a part and those of its entries that are not of this release.
type partRef struct {
	Path string `json:"path"`
	Gone []byte `json:"gone,omitempty"` // a bit for each entry, lowest first
}

func (p *partRef) drop(i int) {
	for len(p.Gone) <= i/8 {
		p.Gone = append(p.Gone, 0)
	}
	p.Gone[i/8] |= 1 << (i % 8)
}

func (p *partRef) has(i int) bool { return i/8 >= len(p.Gone) || p.Gone[i/8]&(1<<(i%8)) == 0 }

// part is a stored list of entries in path order, with their headers in a table.
type part struct {
	Headers []headers   `json:"headers"`
	Files   []partEntry `json:"files"`
}

// partEntry is [path, digest, size, index into the headers] in JSON.
type partEntry struct {
	path    string
	digest  site.Digest
	size    int64
	headers int
}

func (e partEntry) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{e.path, e.digest, e.size, e.headers})
}

func (e *partEntry) UnmarshalJSON(data []byte) error {
	fields := []any{&e.path, &e.digest, &e.size, &e.headers}
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	if len(fields) != 4 {
		return fmt.Errorf("an entry has %d fields, not 4", len(fields))
	}
	return nil
}

func (p *part) entry(i int) entry {
	f := p.Files[i]
	return entry{Path: f.path, Size: f.size, content: content{Digest: f.digest, Headers: p.Headers[f.headers]}}
}

func newPart(list []entry) *part {
	slices.SortFunc(list, func(a, b entry) int { return cmp.Compare(a.Path, b.Path) })
	p, table := &part{}, map[headers]int{}
	for _, e := range list {
		i, ok := table[e.Headers]
		if !ok {
			i = len(p.Headers)
			table[e.Headers], p.Headers = i, append(p.Headers, e.Headers)
		}
		p.Files = append(p.Files, partEntry{path: e.Path, digest: e.Digest, size: e.Size, headers: i})
	}
	return p
}

func decodePart(data []byte, p *part) error {
	if err := decodeDocument(data, p); err != nil {
		return err
	}
	for _, f := range p.Files {
		if f.headers < 0 || f.headers >= len(p.Headers) {
			return fmt.Errorf("%q has the headers %d of %d", f.path, f.headers, len(p.Headers))
		}
	}
	return nil
}

// readParts reads a snapshot's parts, in its order.
func (d *documents) readParts(ctx context.Context, s *snapshot) ([]*part, error) {
	all := make([]*part, len(s.Parts))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(d.limit)
	for i, ref := range s.Parts {
		g.Go(func() (err error) {
			all[i], err = byDigest(ctx, d, ref.Path, decodePart)
			return err
		})
	}
	return all, g.Wait()
}

// readSnapshot reads the document of a release; isMissing says that there is none.
func (d *documents) readSnapshot(ctx context.Context, id site.ID) (*snapshot, error) {
	var s snapshot
	if err := d.readDocument(ctx, releasePath(id), &s); err != nil {
		return nil, err
	}
	if s.Version != version || s.Release != id {
		return nil, fmt.Errorf("read %q: written by another version of mirror", releasePath(id))
	}
	return &s, nil
}

// readEntries reads all files of a release.
func (d *documents) readEntries(ctx context.Context, s *snapshot) (entries, error) {
	all, err := d.readParts(ctx, s)
	if err != nil {
		return nil, err
	}
	out := entries{}
	for i, p := range all {
		for j := range p.Files {
			if s.Parts[i].has(j) {
				out[p.Files[j].path] = p.entry(j)
			}
		}
	}
	return out, nil
}

// maxPart is the estimated size in bytes up to which a part is merged with new entries,
// which bounds what a Stage sends for it.
const maxPart = 16 << 10

func cost(e entry) int { return 40 + len(e.Path)/3 }

// deriveParts describes the wanted files with the parts of another release as far as they
// go. The entries that are left over, and those of small parts, are returned to be stored.
func deriveParts(base *snapshot, baseParts []*part, want entries) (refs []partRef, rest []entry) {
	type candidate struct {
		ref  partRef
		kept []entry
		cost int
	}
	covered := map[string]bool{}
	var old []candidate
	for i, p := range baseParts {
		c := candidate{ref: partRef{Path: base.Parts[i].Path}}
		for j := range p.Files {
			e := p.entry(j)
			if !base.Parts[i].has(j) || want[e.Path] != e || covered[e.Path] {
				c.ref.drop(j)
				continue
			}
			covered[e.Path] = true
			c.kept, c.cost = append(c.kept, e), c.cost+cost(e)
		}
		old = append(old, c)
	}
	size := 0
	for path, e := range want {
		if !covered[path] {
			rest, size = append(rest, e), size+cost(e)
		}
	}
	fresh := len(rest) > 0
	slices.SortStableFunc(old, func(a, b candidate) int { return cmp.Compare(a.cost, b.cost) })
	for _, c := range old {
		switch {
		case c.cost == 0:
		case fresh && size+c.cost <= maxPart:
			rest, size = append(rest, c.kept...), size+c.cost
		default:
			refs = append(refs, c.ref)
		}
	}
	return refs, rest
}

// writeSnapshot stores the document of a release, sharing parts with the release base,
// which may be None.
func (d *documents) writeSnapshot(ctx context.Context, base site.ID, id site.ID, want entries, b *beacon) error {
	s := &snapshot{Version: version, Release: id, Beacon: b}
	old, parts0 := d.baseParts(ctx, base)
	refs, rest := deriveParts(old, parts0, want)
	s.Parts = refs
	if len(rest) > 0 {
		p := newPart(rest)
		data, err := encodeDocument(p)
		if err != nil {
			return fmt.Errorf("encode the release: %w", err)
		}
		path, err := d.writeByDigest(ctx, parts, data)
		if err != nil {
			return err
		}
		d.remember(path, p)
		s.Parts = append(s.Parts, partRef{Path: path})
	}
	return d.writeDocument(ctx, releasePath(id), s)
}

// baseParts reads the parts to share. Without them the new release is stored in full.
func (d *documents) baseParts(ctx context.Context, base site.ID) (*snapshot, []*part) {
	if base == site.None {
		return &snapshot{}, nil
	}
	s, err := d.readSnapshot(ctx, base)
	if err == nil {
		var all []*part
		if all, err = d.readParts(ctx, s); err == nil {
			return s, all
		}
	}
	d.log.Warn("the live release's document is not readable; the new one is stored in full", "release", base, "err", err)
	return &snapshot{}, nil
}
