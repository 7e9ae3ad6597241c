package check

import (
	"context"
	"crypto/sha256"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/internal/survey"
	"mirror/site"
)

// visit is one origin that is read for one release.
type visit struct {
	at      origin.Endpoint
	index   int // among the origins
	client  *origin.Client
	wants   []diff.Expectation
	options Options
	headers *headerBook
	others  []*visit             // of the same round, this one included
	known   map[string]Validator // of the pages as they were verified last
	limit   context.Context      // ends with the time that the origin has

	verdict diff.OriginVerdict
	failing bool // every answer of the last read was a permanent failure
	noise   []noise
}

// moment is how much longer than an answer may take an origin may give nothing at all, and how
// long it may when its time is over.
const moment = time.Second

func (v *visit) claim(ctx context.Context) site.Beacon {
	return survey.Claim(ctx, v.client, v.options.BeaconPath)
}

// page is what to ask for the i-th expectation.
func (v *visit) page(i int) origin.Page {
	want := v.wants[i]
	p := origin.Page{Path: want.File.Path, Size: sizeOf(want.File)}
	switch {
	case want.NotFound:
		p.URL = survey.Nonexistent()
		return p
	case want.Folder:
		p.URL = site.FolderPath(want.File.Path)
		return p
	}
	p.URL = v.at.Style.URLPath(want.File.Path)
	if known, ok := v.known[want.File.Path]; ok && !want.Absent && known.Digest == want.File.Digest {
		p.ETag, p.Modified = known.ETag, known.Modified
	}
	return p
}

// want is the i-th expectation with what this origin's answer for a removed path is judged by.
func (v *visit) want(i int) diff.Expectation {
	want := v.wants[i]
	if want.Absent {
		r := v.options.removed(v.at.Style, want.File.Path)
		want.Removed = &r
	}
	return want
}

// largestUnknown bounds the bytes of a page whose size is unknown.
const largestUnknown = 256 << 20

// sizeOf is the size to expect of a file: lists of digests alone do not tell it.
func sizeOf(f site.File) int64 {
	if f.Size == 0 && !f.Digest.IsZero() && f.Digest != sha256.Sum256(nil) {
		return largestUnknown
	}
	return f.Size
}

// isPage reports whether an expectation is of a page of the release at its own URL.
func isPage(want diff.Expectation) bool { return !want.Absent && !want.NotFound && !want.Folder }
