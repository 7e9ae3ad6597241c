package watch

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/site"
)

// absence tells by diff.Gone which answers of one origin say that a page is not there. What a
// refusal such as 403 says is only known beside other answers of the same time, so they are
// asked for when a page is refused.
type absence struct {
	at      origin.Endpoint
	client  *origin.Client
	release site.Manifest
	alive   []string // paths, one of which answers 200 while the origin serves the site

	mu   sync.Mutex
	seen diff.Absence
	when time.Time // of seen, zero before
}

// fresh is for how long the answers beside a refusal tell what it says, and freshShare how many
// more requests the origin's rate has room for meanwhile.
const (
	fresh      = time.Second
	freshShare = 16
)

// read returns what an answer says to a watch: 404 where it is one of those by which the origin
// says that the page is not there, else the answer.
func (a *absence) read(ctx context.Context, o site.Observation) site.Observation {
	r := diff.Removed{Path: o.Path, Release: a.release, Style: a.at.Style}
	if o.Err == nil && diff.IsRefusal(o.Status) {
		r.Absence = a.beside(ctx)
	}
	if diff.Gone(o, r) {
		o.Status, o.Digest, o.Raw, o.Err = http.StatusNotFound, site.Digest{}, site.Digest{}, nil
	}
	return o
}

// beside returns how the origin answers at this time for a path that never existed, and whether
// it serves the site.
func (a *absence) beside(ctx context.Context) diff.Absence {
	a.mu.Lock()
	defer a.mu.Unlock()
	valid := fresh
	if a.at.Rate > 0 {
		valid = max(valid, time.Duration(freshShare/a.at.Rate*float64(time.Second)))
	}
	if !a.when.IsZero() && time.Since(a.when) < valid {
		return a.seen
	}
	a.seen = diff.Absence{Unknown: a.ask(ctx, origin.Page{Path: "not-found", URL: "mirror-" + rand.Text() + ".html"})}
	if diff.IsRefusal(a.seen.Unknown) {
		a.seen.Serves = slices.ContainsFunc(a.alive, func(path string) bool {
			return a.ask(ctx, origin.Page{Path: path, URL: a.at.Style.URLPath(path)}) == http.StatusOK
		})
	}
	a.when = time.Now()
	return a.seen
}

// ask returns the status of an answer, 0 where there is none.
func (a *absence) ask(ctx context.Context, p origin.Page) int {
	if a.at.Waited && a.at.Pace.Wait(ctx) != nil {
		return 0
	}
	return a.client.Fetch(ctx, p).Status
}

// maxAlive bounds how many pages are asked for until one answers 200.
const maxAlive = 3

// alive lists pages of which one should answer 200 while an origin serves the site, before and
// after the change.
func (o Options) alive() []string {
	var paths []string
	if o.BeaconPath != "" {
		paths = append(paths, o.BeaconPath)
	}
	if len(o.Manifest) > 0 {
		stays := slices.IndexFunc(o.Manifest, func(f site.File) bool {
			return !slices.ContainsFunc(o.Changes, func(c diff.Change) bool { return c.Path == f.Path })
		})
		paths = append(paths, o.Manifest[max(stays, 0)].Path)
	}
	for _, c := range o.Changes {
		if !c.New.IsZero() && len(paths) < maxAlive {
			paths = append(paths, c.Path)
		}
	}
	return append(paths, "")
}
