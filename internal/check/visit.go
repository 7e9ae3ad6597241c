package check

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"strings"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/internal/survey"
	"mirror/site"
)

// visit is one origin being looked at.
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
	noise   []noise
}

func (v *visit) claim(ctx context.Context) site.Beacon {
	return survey.Claim(ctx, v.client, v.options.BeaconPath)
}

func (v *visit) page(i int) origin.Page {
	want := v.wants[i]
	p := origin.Page{Path: want.File.Path, URL: v.at.Style.URLPath(want.File.Path), Size: sizeOf(want.File)}
	switch {
	case want.NotFound:
		p.URL = "mirror-" + rand.Text() + ".html"
	case want.Folder:
		p.URL = strings.TrimSuffix(site.URLStyle{}.URLPath(want.File.Path), "/")
	case !want.Absent:
		if known, ok := v.known[want.File.Path]; ok && known.Digest == want.File.Digest {
			p.ETag, p.Modified = known.ETag, known.Modified
		}
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

// largestUnknown bounds the bytes of a page whose size nobody knows.
const largestUnknown = 256 << 20

// sizeOf is the size to expect of a file: lists of digests alone do not tell it.
func sizeOf(f site.File) int64 {
	if f.Size == 0 && !f.Digest.IsZero() && f.Digest != sha256.Sum256(nil) {
		return largestUnknown
	}
	return f.Size
}

// noise is a page that was answered otherwise each time.
type noise struct {
	answers [2]diff.Difference
}
