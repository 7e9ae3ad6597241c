// Package check looks at every live origin and says where it does not serve the release:
// internal/origin fetches, diff judges, and this package brings the two together.
package check

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/site"
)

// Origin is one origin to look at and how to ask it.
type Origin struct {
	origin.Origin
	origin.Options
}

// Options says what to look for.
type Options struct {
	Release    site.ID
	Manifest   site.Manifest
	BeaconPath string   // "" for none
	NotFound   string   // the site's not-found page; "" where only the status counts
	Absent     []string // paths that the release does not have and that may be served all the same
	Ignore     []string // doublestar globs over paths that are not looked at
	Normalize  Normalizer
	// Waiting, if set, hears how an origin stands each time that Await has looked in vain.
	Waiting func(v diff.OriginVerdict)
	// Progress, if set, hears of each page that was judged, from several goroutines.
	Progress func(origin string, done, total int)
}

// Run looks at all origins at once. The error is only ctx's: what an origin does wrong is
// in the verdict.
func Run(ctx context.Context, origins []Origin, o Options) (diff.Verdict, error) {
	v := diff.Verdict{
		Release: o.Release, Pages: len(o.Manifest), Started: time.Now(),
		Origins: make([]diff.OriginVerdict, len(origins)),
	}
	wants := o.expectations()
	errs := make([]error, len(origins))
	var all sync.WaitGroup
	for i, at := range origins {
		all.Go(func() { v.Origins[i], errs[i] = look(ctx, at, wants, o) })
	}
	all.Wait()
	v.Elapsed = time.Since(v.Started)
	return v, errors.Join(errs...)
}

// expectations lists what to ask for: the release's pages, what should be absent, and a
// path that never existed.
func (o Options) expectations() []diff.Expectation {
	var wants []diff.Expectation
	for _, f := range o.Manifest {
		if !o.ignored(f.Path) {
			wants = append(wants, diff.Expectation{File: f})
		}
	}
	for _, path := range o.Absent {
		if _, ok := o.Manifest.Find(path); !ok && !o.ours(path) && !o.ignored(path) {
			wants = append(wants, diff.Expectation{File: site.File{Path: path}, Absent: true})
		}
	}
	probe := diff.Expectation{File: site.File{Path: "not-found"}, NotFound: true}
	if f, ok := o.Manifest.Find(o.NotFound); ok {
		probe.File = f
	}
	return append(wants, probe)
}

// ours reports whether an origin may serve a path though no release has it: the beacon, and
// the settings that a git host reads from the branch and that no publish takes away.
func (o Options) ours(path string) bool {
	return path == o.BeaconPath || path == "CNAME" || path == ".nojekyll"
}

func (o Options) ignored(path string) bool {
	return slices.ContainsFunc(o.Ignore, func(glob string) bool { return doublestar.MatchUnvalidated(glob, path) })
}

func pageOf(at Origin, want diff.Expectation) origin.Page {
	p := origin.Page{Path: want.File.Path, URL: at.Style.URLPath(want.File.Path), Size: want.File.Size}
	if want.NotFound {
		p.URL = "mirror-" + rand.Text() + ".html"
	}
	return p
}

// look asks one origin for everything.
func look(ctx context.Context, at Origin, wants []diff.Expectation, o Options) (diff.OriginVerdict, error) {
	began := time.Now()
	client := origin.New(at.Origin, at.Options)
	defer client.Close()
	claim := Claim(ctx, client, o.BeaconPath)
	s := &sight{wants: wants, normalize: o.Normalize, patience: max(2*at.Concurrency, 8), notify: func(done int) {
		if o.Progress != nil {
			o.Progress(at.Name, done, len(wants))
		}
	}}
	err := s.observe(ctx, client, func(i int) origin.Page { return pageOf(at, wants[i]) })
	v := s.tally.Verdict(at.Name, at.URL.String())
	v.Release, v.Elapsed, v.Pages = claim, time.Since(began), pageCount(wants)
	v.Requests, v.Bytes = client.Counts()
	if s.gaveUp && v.Err == nil {
		v.Err = fmt.Errorf("the origin stopped answering after %d of %d pages: %w", s.done-s.silent, len(wants), s.last)
	}
	return v, err
}

// pageCount is how many of the expectations are pages of the release.
func pageCount(wants []diff.Expectation) (n int) {
	for _, w := range wants {
		if !w.Absent && !w.NotFound {
			n++
		}
	}
	return n
}

// sight gathers the answers of one origin, and gives up on one that has fallen silent.
type sight struct {
	wants     []diff.Expectation
	normalize Normalizer
	patience  int // how many unanswered requests in a row are enough
	notify    func(done int)

	mu     sync.Mutex
	tally  diff.Tally
	done   int
	silent int // unanswered in a row
	last   error
	gaveUp bool
}

func (s *sight) observe(ctx context.Context, client *origin.Client, page func(i int) origin.Page) error {
	inner, giveUp := context.WithCancel(ctx)
	defer giveUp()
	agrees := func(i int, ob site.Observation) bool {
		_, ok := diff.Judge(s.wants[i], ob)
		return ok
	}
	err := client.Observe(inner, len(s.wants), page, agrees, func(i int, ob site.Observation) {
		if s.normalize.forgives(inner, client, page(i), s.wants[i], ob) {
			ob.Digest = s.wants[i].File.Digest
		}
		if s.add(s.wants[i], ob) {
			giveUp()
		}
	})
	if ctx.Err() == nil {
		return nil // given up or done
	}
	return err
}

// add takes an answer and reports whether to give up.
func (s *sight) add(want diff.Expectation, o site.Observation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally.Add(want, o)
	s.done++
	s.notify(s.done)
	if o.Status != 0 {
		s.silent = 0
		return false
	}
	s.silent, s.last = s.silent+1, o.Err
	s.gaveUp = s.gaveUp || s.silent >= s.patience
	return s.gaveUp
}

// Claim returns what the origin claims to serve; a claim is no proof, so an origin
// without one, or with one that cannot be read, just claims nothing.
func Claim(ctx context.Context, client *origin.Client, path string) site.ID {
	if path == "" {
		return site.None
	}
	text, err := client.Body(ctx, origin.Page{Path: path, URL: site.URLStyle{}.URLPath(path)})
	if err != nil {
		return site.None
	}
	var b site.Beacon
	if json.Unmarshal(text, &b) != nil {
		return site.None
	}
	id, err := site.ParseID(string(b.Release))
	if err != nil {
		return site.None
	}
	return id
}
