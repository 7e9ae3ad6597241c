package check

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

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

// look asks for everything once, after the origin was asked what it claims to serve.
func (v *visit) look(ctx context.Context, claim func(context.Context) site.Beacon) error {
	began := time.Now()
	v.known = v.options.Trust.known(v.at.URL.String())
	s := &sight{visit: v, patience: max(2*v.at.Concurrency, 8), budget: time.Duration(4*max(v.at.Concurrency, 1)) * v.at.Timeout, verified: map[string]Validator{}}
	inner, stop := v.client.UntilSilent(ctx, origin.Silence{For: v.at.Timeout + moment, Over: v.limit.Done(), Then: moment})
	claimed := claim(inner)
	s.observe(inner)
	silent := context.Cause(inner)
	stop()
	if ctx.Err() != nil {
		return fmt.Errorf("check %s: %w", v.at.Name, ctx.Err())
	}
	v.verdict = s.tally.Verdict(v.at.Name, v.at.URL.String())
	v.verdict.Release, v.verdict.Published = claimed.Release, claimed.Published
	v.noise = s.noise
	v.verdict.Elapsed, v.verdict.Pages = time.Since(began), pageCount(v.wants)
	if v.verdict.Err == nil {
		v.verdict.Err = s.fellSilent(silent)
	}
	v.options.Trust.keep(v.at.URL.String(), s.verified)
	return nil
}

// moment is how much longer than an answer may take an origin may give nothing at all, and how
// long it may when its time is over.
const moment = time.Second

// sight gathers the answers of one origin, and gives up on one that has fallen silent.
type sight struct {
	*visit
	patience int           // how many unanswered requests in a row are enough
	budget   time.Duration // and how long may be spent on such, over all

	mu         sync.Mutex
	tally      diff.Tally
	verified   map[string]Validator
	noise      []noise
	done       int
	unanswered int
	waited     time.Duration // for nothing
	silent     int           // unanswered in a row
	last       error
	gaveUp     bool
	unknown    int // status of the answer for a path that never existed, 0 while there is none
}

// observe asks for everything until ctx ends or the origin is given up.
func (s *sight) observe(ctx context.Context) {
	inner, giveUp := context.WithCancel(ctx)
	defer giveUp()
	agrees := func(i int, o site.Observation) bool {
		_, ok := diff.Judge(s.want(i), o)
		return ok || s.unchanged(i, o) || s.refusesAsUnknown(i, o)
	}
	_ = s.client.Observe(inner, len(s.wants), s.page, agrees, func(i int, o site.Observation) { // its error is inner's
		if s.see(inner, i, o) {
			giveUp()
		}
	})
}

// fellSilent is why the origin was not asked for everything, nil where it was.
func (s *sight) fellSilent(silent error) error {
	switch {
	case s.gaveUp:
		return fmt.Errorf("the origin stopped answering: %d of %d requests had no answer: %w", s.unanswered, s.done, s.last)
	case silent != nil && s.done == s.unanswered:
		return silent
	case silent != nil:
		return fmt.Errorf("the origin stopped answering after %d of %d pages: %w", s.done-s.unanswered, len(s.wants), silent)
	}
	return nil
}

// refusesAsUnknown reports whether a removed path is answered as one that never existed: there is
// nothing to confirm then, though the whole of the answers decides what that says.
func (s *sight) refusesAsUnknown(i int, o site.Observation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wants[i].Absent && o.Err == nil && diff.IsRefusal(o.Status) && o.Status == s.unknown
}

// unchanged reports whether the origin says that a page is as it was verified.
func (s *sight) unchanged(i int, o site.Observation) bool {
	known, ok := s.known[s.wants[i].File.Path]
	return ok && o.Status == http.StatusNotModified && known.Digest == s.wants[i].File.Digest
}

// see takes the last answer for a page and reports whether to give up on the origin.
func (s *sight) see(ctx context.Context, i int, o site.Observation) bool {
	want := s.want(i)
	if s.unchanged(i, o) {
		return s.add(o, func() { s.tally.Trust(); s.verified[want.File.Path] = s.known[want.File.Path] })
	}
	d, ok := diff.Judge(want, o)
	if !ok && d.Kind == diff.Altered && !want.Absent && !want.NotFound && !want.Folder {
		switch on := s.normalized(ctx, s.page(i), want.File); {
		case on == forgiven:
			o.Digest = want.File.Digest
		case on == doubtful:
			d.Kind, d.Detail = diff.Unreachable, "differs, and cannot be normalized: the release's bytes are not at hand (hint: have site.dir hold the release)"
			return s.add(o, func() { s.tally.Put(d) })
		case s.options.Learn:
			if again, ok := s.readAgain(ctx, i, o); ok {
				return s.add(o, func() { s.tally.Skip(); s.noise = append(s.noise, noise{[2]diff.Difference{d, again}}) })
			}
		}
	}
	return s.add(o, func() {
		if want.NotFound {
			s.unknown = o.Status
		}
		if s.tally.Add(want, o) && !want.Absent && !want.NotFound && !want.Folder {
			s.headers.note(s.index, i, o.Header)
			s.verify(want.File, o)
		}
	})
}

// readAgain reports whether the origin answers a page that differs otherwise again, and how.
func (s *sight) readAgain(ctx context.Context, i int, o site.Observation) (diff.Difference, bool) {
	again := s.client.FetchFresh(ctx, s.page(i))
	d, ok := diff.Judge(s.wants[i], again)
	return d, !ok && d.Kind == diff.Altered && again.Status == o.Status && again.Err == nil && again.Digest != o.Digest
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
	s.silent, s.unanswered, s.last = s.silent+1, s.unanswered+1, o.Err
	s.waited += o.Answered.Sub(o.Asked)
	s.gaveUp = s.gaveUp || s.silent >= s.patience || s.waited >= s.budget
	return s.gaveUp
}
