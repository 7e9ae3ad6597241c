package documents

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"mirror/site"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/verified"
)

// Entry is one file of a release, as it lies in the bucket.
type Entry struct {
	Path string
	Size int64
	verified.Content
	Plain Plain // of the site's file, where the bucket has a compressed one; else zero
}

// Plain is the site's own file.
type Plain struct {
	Digest site.Digest
	Size   int64
}

// File is the site's file.
func (e Entry) File() site.File {
	if e.Plain != (Plain{}) {
		return site.File{Path: e.Path, Size: e.Plain.Size, Digest: e.Plain.Digest}
	}
	return site.File{Path: e.Path, Size: e.Size, Digest: e.Digest}
}

// Entries are a release's files by path.
type Entries map[string]Entry

// Beacon is what goes live last.
type Beacon struct {
	Path string `json:"path"`
	Body []byte `json:"body"`
}

// Snapshot is the document of a release. Its files lie in parts, most of which it has in
// common with the release before, so that a small change makes a small document.
type Snapshot struct {
	Version int       `json:"version"`
	Release site.ID   `json:"release"`
	Beacon  *Beacon   `json:"beacon,omitempty"`
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
	Headers []bucket.Headers `json:"headers"`
	Files   []partEntry      `json:"files"`
}

// partEntry is [path, digest, size, index into the headers] in JSON, followed by digest and size of the site's file where
// the bucket has a compressed one.
type partEntry struct {
	path    string
	digest  site.Digest
	size    int64
	headers int
	plain   Plain
}

// MarshalJSON writes the fields as a list.
func (e partEntry) MarshalJSON() ([]byte, error) {
	fields := []any{e.path, e.digest, e.size, e.headers}
	if e.plain != (Plain{}) {
		fields = append(fields, e.plain.Digest, e.plain.Size)
	}
	return json.Marshal(fields)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *partEntry) UnmarshalJSON(data []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	fields := []any{&e.path, &e.digest, &e.size, &e.headers, &e.plain.Digest, &e.plain.Size}
	if len(raw) != 4 && len(raw) != len(fields) {
		return fmt.Errorf("an entry has %d fields, not 4 or 6", len(raw))
	}
	for i, text := range raw {
		if err := json.Unmarshal(text, fields[i]); err != nil {
			return err
		}
	}
	return nil
}

func (p *part) entry(i int) Entry {
	f := p.Files[i]
	return Entry{Path: f.path, Size: f.size, Content: verified.Content{Digest: f.digest, Headers: p.Headers[f.headers]}, Plain: f.plain}
}

func newPart(list []Entry) *part {
	slices.SortFunc(list, func(a, b Entry) int { return cmp.Compare(a.Path, b.Path) })
	p, table := &part{}, map[bucket.Headers]int{}
	for _, e := range list {
		i, ok := table[e.Headers]
		if !ok {
			i = len(p.Headers)
			table[e.Headers], p.Headers = i, append(p.Headers, e.Headers)
		}
		p.Files = append(p.Files, partEntry{path: e.Path, digest: e.Digest, size: e.Size, headers: i, plain: e.Plain})
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
func (d *Store) readParts(ctx context.Context, s *Snapshot) ([]*part, error) {
	all := make([]*part, len(s.Parts))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(d.bucket.Limit)
	for i, ref := range s.Parts {
		g.Go(func() (err error) {
			all[i], err = byDigest(ctx, d, ref.Path, decodePart)
			return err
		})
	}
	return all, g.Wait()
}

// ReadSnapshot reads the document of a release; bucket.IsMissing says that there is none.
func (d *Store) ReadSnapshot(ctx context.Context, id site.ID) (*Snapshot, error) {
	var s Snapshot
	if err := d.readDocument(ctx, ReleasePath(id), &s); err != nil {
		return nil, err
	}
	if s.Version != Version || s.Release != id {
		return nil, fmt.Errorf("read %q: written by another version of mirror", ReleasePath(id))
	}
	return &s, nil
}

// ReadEntries reads all files of a release.
func (d *Store) ReadEntries(ctx context.Context, s *Snapshot) (Entries, error) {
	all, err := d.readParts(ctx, s)
	if err != nil {
		return nil, err
	}
	out := Entries{}
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

func cost(e Entry) int { return 40 + len(e.Path)/3 }

// deriveParts describes the wanted files with the parts of another release as far as they
// go. The entries that are left over, and those of small parts, are returned to be stored.
func deriveParts(base *Snapshot, baseParts []*part, want Entries) (refs []partRef, rest []Entry) {
	type candidate struct {
		ref  partRef
		kept []Entry
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

// WriteSnapshot stores the document of a release, sharing parts with the release base,
// which may be None.
func (d *Store) WriteSnapshot(ctx context.Context, base site.ID, id site.ID, want Entries, b *Beacon) error {
	s := &Snapshot{Version: Version, Release: id, Beacon: b}
	old, parts0 := d.baseParts(ctx, base)
	refs, rest := deriveParts(old, parts0, want)
	s.Parts = refs
	if len(rest) > 0 {
		p := newPart(rest)
		data, err := EncodeDocument(p)
		if err != nil {
			return fmt.Errorf("encode the release: %w", err)
		}
		path, err := d.WriteByDigest(ctx, parts, data)
		if err != nil {
			return err
		}
		d.remember(path, p)
		s.Parts = append(s.Parts, partRef{Path: path})
	}
	return d.WriteDocument(ctx, ReleasePath(id), s)
}

// baseParts reads the parts to share. Without them the new release is stored in full.
func (d *Store) baseParts(ctx context.Context, base site.ID) (*Snapshot, []*part) {
	if base == site.None {
		return &Snapshot{}, nil
	}
	s, err := d.ReadSnapshot(ctx, base)
	if err == nil {
		var all []*part
		s = d.withoutLost(s)
		if all, err = d.readParts(ctx, s); err == nil {
			return s, all
		}
	}
	d.log.Warn("the live release's document is not readable; the new one is stored in full", "release", base, "err", err)
	return &Snapshot{}, nil
}

// withoutLost leaves out the parts that a listing did not show: a new release must not name them.
func (d *Store) withoutLost(s *Snapshot) *Snapshot {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.etags == nil {
		return s
	}
	there := *s
	there.Parts = slices.DeleteFunc(slices.Clone(s.Parts), func(p partRef) bool { _, ok := d.etags[p.Path]; return !ok })
	return &there
}

// maxParts bounds the parts of one release.
const maxParts = 10_000

// InBounds refuses a document that names more, or other, parts than a release has.
func (s *Snapshot) InBounds() error {
	if len(s.Parts) > maxParts {
		return fmt.Errorf("it has %d parts: not written by mirror", len(s.Parts))
	}
	for _, p := range s.Parts {
		if !strings.HasPrefix(p.Path, parts) {
			return fmt.Errorf("it names %q as a part: not written by mirror", p.Path)
		}
	}
	return nil
}

// Published is the time that the release's beacon tells.
func (s *Snapshot) Published() time.Time {
	var b site.Beacon
	if s.Beacon == nil || json.Unmarshal(s.Beacon.Body, &b) != nil {
		return time.Time{}
	}
	return b.Published
}
