package check

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/site"
)

// visit is one origin being looked at.
type visit struct {
	at      Origin
	index   int // among the origins
	client  *origin.Client
	wants   []diff.Expectation
	options Options
	headers *headerBook
	known   map[string]Validator // of the pages as they were verified last

	verdict diff.OriginVerdict
}

func (v *visit) claim(ctx context.Context) site.Beacon {
	return Claim(ctx, v.client, v.options.BeaconPath)
}

func (v *visit) page(i int) origin.Page {
	want := v.wants[i]
	p := origin.Page{Path: want.File.Path, URL: v.at.Style.URLPath(want.File.Path), Size: want.File.Size}
	switch {
	case want.NotFound:
		p.URL = "mirror-" + rand.Text() + ".html"
	case !want.Absent:
		if known, ok := v.known[want.File.Path]; ok && known.Digest == want.File.Digest {
			p.ETag, p.Modified = known.ETag, known.Modified
		}
	}
	return p
}

// look asks for everything once, after the origin was asked what it claims to serve.
func (v *visit) look(ctx context.Context, claim site.Beacon) error {
	began := time.Now()
	v.known = v.options.Trust.known(v.at.URL.String())
	s := &sight{visit: v, patience: max(2*v.at.Concurrency, 8), verified: map[string]Validator{}}
	err := s.observe(ctx)
	noise := s.noise
	slices.Sort(noise)
	v.verdict = s.tally.Verdict(v.at.Name, v.at.URL.String())
	v.verdict.Release, v.verdict.Published, v.verdict.Noise = claim.Release, claim.Published, noise
	v.verdict.Elapsed, v.verdict.Pages = time.Since(began), pageCount(v.wants)
	if s.gaveUp && v.verdict.Err == nil {
		v.verdict.Err = fmt.Errorf("the origin stopped answering after %d of %d pages: %w", s.done-s.silent, len(v.wants), s.last)
	}
	v.options.Trust.keep(v.at.URL.String(), s.verified)
	return err
}

// sight gathers the answers of one origin, and gives up on one that has fallen silent.
type sight struct {
	*visit
	patience int // how many unanswered requests in a row are enough

	mu       sync.Mutex
	tally    diff.Tally
	verified map[string]Validator
	noise    []string
	done     int
	silent   int // unanswered in a row
	last     error
	gaveUp   bool
}

func (s *sight) observe(ctx context.Context) error {
	inner, giveUp := context.WithCancel(ctx)
	defer giveUp()
	agrees := func(i int, o site.Observation) bool {
		_, ok := diff.Judge(s.wants[i], o)
		return ok || s.unchanged(i, o)
	}
	err := s.client.Observe(inner, len(s.wants), s.page, agrees, func(i int, o site.Observation) {
		if s.see(inner, i, o) {
			giveUp()
		}
	})
	if ctx.Err() == nil {
		return nil // given up or done
	}
	return err
}

// unchanged reports whether the origin says that a page is as it was verified.
func (s *sight) unchanged(i int, o site.Observation) bool {
	known, ok := s.known[s.wants[i].File.Path]
	return ok && o.Status == http.StatusNotModified && known.Digest == s.wants[i].File.Digest
}

// see takes the last answer for a page and reports whether to give up on the origin.
func (s *sight) see(ctx context.Context, i int, o site.Observation) bool {
	want := s.wants[i]
	if s.unchanged(i, o) {
		return s.add(o, func() { s.tally.Trust(); s.verified[want.File.Path] = s.known[want.File.Path] })
	}
	d, ok := diff.Judge(want, o)
	if !ok && d.Kind == diff.Altered && !want.Absent && !want.NotFound {
		switch {
		case s.forgives(ctx, s.page(i), want.File):
			o.Digest = want.File.Digest
		case s.options.Learn && s.isNoise(ctx, i, o):
			return s.add(o, func() { s.tally.Skip(); s.noise = append(s.noise, want.File.Path) })
		}
	}
	return s.add(o, func() {
		if s.tally.Add(want, o) && !want.Absent && !want.NotFound {
			s.headers.note(s.index, i, o.Header)
			s.verify(want.File, o)
		}
	})
}

// isNoise reports whether the origin answers something else again.
func (s *sight) isNoise(ctx context.Context, i int, o site.Observation) bool {
	again := s.client.FetchFresh(ctx, s.page(i))
	return again.Err == nil && again.Status == o.Status && again.Digest != o.Digest && again.Digest != s.wants[i].File.Digest
}

// verify remembers by what a page that was read in full can be asked for next time.
func (s *sight) verify(f site.File, o site.Observation) {
	if s.options.Trust == nil {
		return
	}
	v := Validator{ETag: o.Header.Get("ETag"), Modified: o.Header.Get("Last-Modified"), Digest: f.Digest, Verified: o.Answered}
	if v.ETag != "" || v.Modified != "" {
		s.verified[f.Path] = v
	}
}

// add counts an answer and reports whether to give up.
func (s *sight) add(o site.Observation, count func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	count()
	s.done++
	if s.options.Progress != nil {
		s.options.Progress(s.at.Name, s.done, len(s.wants))
	}
	if o.Status != 0 {
		s.silent = 0
		return false
	}
	s.silent, s.last = s.silent+1, o.Err
	s.gaveUp = s.gaveUp || s.silent >= s.patience
	return s.gaveUp
}
