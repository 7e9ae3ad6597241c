package survey

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/site"
)

// AbsenceProbe tells by diff.Gone which answers of one origin say that a page is not there. What a
// refusal such as 403 says is only known beside other answers of the same time, so they are
// asked for when a page is refused.
type AbsenceProbe struct {
	client  *origin.Client
	release site.Manifest
	alive   []string

	mu   sync.Mutex
	seen diff.Absence
	when time.Time // of seen, zero before
}

// NewAbsenceProbe returns the probe of a client's origin. release is nil where unknown.
// alive are paths, one of which answers 200 while the origin serves the site.
func NewAbsenceProbe(client *origin.Client, release site.Manifest, alive []string) *AbsenceProbe {
	return &AbsenceProbe{client: client, release: release, alive: alive}
}

// absenceValid is for how long the answers beside a refusal tell what it says, and absenceShare how
// many more requests the origin's rate has room for meanwhile.
const (
	absenceValid = time.Second
	absenceShare = 16
)

// Read returns what an answer says of its page: 404 where it is one of those by which the origin
// says that the page is not there, else the answer.
func (p *AbsenceProbe) Read(ctx context.Context, o site.Observation) site.Observation {
	r := diff.Removed{Path: o.Path, Release: p.release, Style: p.client.Endpoint().Style}
	if o.Err == nil && diff.IsRefusal(o.Status) {
		r.Absence = p.absence(ctx)
	}
	if diff.Gone(o, r) {
		o.Status, o.Digest, o.Raw, o.Err = http.StatusNotFound, site.Digest{}, site.Digest{}, nil
	}
	return o
}

// absence returns how the origin answers at this time for a path that never existed, and whether
// it serves the site.
func (p *AbsenceProbe) absence(ctx context.Context) diff.Absence {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, valid := p.client.Endpoint(), absenceValid
	if rate := p.client.Rate(); rate > 0 {
		valid = max(valid, time.Duration(absenceShare/rate*float64(time.Second)))
	}
	if !p.when.IsZero() && time.Since(p.when) < valid {
		return p.seen
	}
	p.seen = diff.Absence{Unknown: p.status(ctx, origin.Page{Path: "not-found", URL: Nonexistent()})}
	if diff.IsRefusal(p.seen.Unknown) {
		p.seen.Serves = slices.ContainsFunc(p.alive, func(path string) bool {
			return p.status(ctx, origin.Page{Path: path, URL: at.Style.URLPath(path)}) == http.StatusOK
		})
	}
	p.when = time.Now()
	return p.seen
}

// status returns the status of an answer, 0 where there is none. It leaves nothing in caches that visitors get.
func (p *AbsenceProbe) status(ctx context.Context, page origin.Page) int {
	at := p.client.Endpoint()
	if at.Waited && at.Pace.Wait(ctx) != nil {
		return 0
	}
	page.BypassCache = at.CDN && p.client.PastCaches() > 0
	return p.client.Fetch(ctx, page).Status
}
