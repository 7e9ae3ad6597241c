package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/internal/survey"
	"mirror/site"
)

// maxPage bounds the bytes of a page that is compared.
const maxPage = 256 << 20

// collector asks one origin and keeps what it answered.
type collector struct {
	at       origin.Endpoint
	client   *origin.Client
	hostless *sync.Pool // of *hostless; nil where hosts are compared
	pass     *survey.Pass
	answers  answers       // written by one answer after another, see survey.Pass.Count
	serves   bool          // some page; written as answers
	site     site.Manifest // the paths of the pages that are compared, see manifestOf
	elapsed  time.Duration
	err      error        // why the origin as a whole could not be read
	missed   atomic.Int64 // unanswered in a row, of pages that are asked for again

	matches     int
	recovered   int // pages that were answered otherwise at first
	hosts       int
	noise       []string
	differences []diff.Difference
}

// newCollector returns the collector of an origin. progress hears how many pages were asked for.
func newCollector(at origin.Endpoint, ignoreHost bool, pages int, progress func(done int)) *collector {
	s := &collector{at: at, client: origin.New(at), answers: newAnswers(pages)}
	s.pass = survey.NewPass(s.client, survey.PassOptions{Progress: progress})
	if ignoreHost {
		base := newOwnBase(at.URL)
		s.hostless = &sync.Pool{New: func() any { return newHostless(base) }}
	}
	return s
}

// collect asks once for the pages from one up to another. An origin that falls silent is not
// asked further.
func (s *collector) collect(ctx context.Context, from, to int, path func(i int) string) error {
	began := time.Now()
	var plain sync.WaitGroup
	plain.Go(func() { s.client.AskPlain(ctx) })
	s.pass.Run(ctx, survey.Silence{For: s.at.Timeout + time.Second}, func(ctx context.Context) {
		survey.Each(ctx, s.at.Concurrency, from, to, func(i int) {
			r := s.ask(ctx, s.client.Fetch, path(i))
			if ctx.Err() == nil {
				s.pass.Count(r.Status, r.Err, 0, func() { s.keep(i, r) })
			}
		})
	})
	plain.Wait()
	s.elapsed += time.Since(began)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("compare %s: %w", s.at.Name, err)
	}
	s.err = s.stopped()
	return nil
}

// keep keeps an answer.
func (s *collector) keep(i int, r read) {
	s.answers.keep(i, r.Answer, r.hosts)
	if r.recovered {
		s.recovered++
	}
	isProbe := i == len(s.answers.cells)-1
	s.serves = s.serves || !isProbe && r.Status >= 200 && r.Status < 300
}

// stopped is why the origin was not asked for everything, nil where it was.
func (s *collector) stopped() error {
	n := s.pass.Counts()
	last := n.Last
	if n.Silent != nil {
		last = n.Silent
	}
	switch {
	case n.Limit != nil:
		return fmt.Errorf("%d of %d pages were read: %w", n.Answered()-n.Limited, len(s.answers.cells), n.Limit)
	case n.Answered() == 0:
		return last
	case n.GaveUp || n.Silent != nil:
		return fmt.Errorf("the origin stopped answering after %d of %d pages: %w", n.Done-n.InARow, len(s.answers.cells), last)
	}
	return nil
}

// answer is the i-th answer, for the page at path.
func (s *collector) answer(i int, path string) diff.Answer {
	a := s.answers.at(i)
	a.Origin, a.URL = s.at.Name, s.url(path)
	s.relate(&a, i, path)
	return a
}

// relate adds to a refusal of the i-th page what tells whether it says that the page is not there:
// how the origin answers a path that never existed, and whether it serves other pages.
func (s *collector) relate(a *diff.Answer, i int, path string) {
	if !diff.IsRefusal(a.Status) {
		return
	}
	last := len(s.answers.cells) - 1 // of the path that never existed
	absence := diff.Absence{Unknown: s.answers.profileOf(last).status, Serves: s.serves}
	if i == last {
		absence.Unknown = a.Status
	}
	a.Removed = &diff.Removed{Path: path, Release: s.site, Style: s.at.Style, Absence: absence}
}

func (s *collector) url(path string) string { return s.at.URL.String() + s.at.Style.URLPath(path) }

func (s *collector) differ(d diff.Difference) {
	d.Origin = s.at.Name
	s.differences = append(s.differences, d)
}

// read is one answer with what is not kept of it.
type read struct {
	diff.Answer
	hosts     int  // links to the own host
	recovered bool // it was answered otherwise at first
}

// ask asks for one page.
func (s *collector) ask(ctx context.Context, fetch func(context.Context, origin.Page) site.Observation, path string) read {
	page := origin.Page{Path: path, URL: s.at.Style.URLPath(path)}
	var without *hostless
	if s.hostless != nil {
		page.Keep = func(_ int, header http.Header) io.Writer {
			if !isText(header.Get("Content-Type")) {
				return nil
			}
			if without == nil {
				without = s.hostless.Get().(*hostless)
			}
			without.reset()
			return without
		}
	}
	o := origin.FetchAny(ctx, fetch, page, maxPage)
	r := read{Answer: s.answerOf(o), recovered: o.Recovered}
	if without != nil {
		r.Hostless, r.hosts = without.sum()
		s.hostless.Put(without)
	}
	if r.hosts == 0 || o.Err != nil {
		r.Hostless, r.hosts = r.Digest, 0
	}
	return r
}

func (s *collector) answerOf(o site.Observation) diff.Answer {
	a := diff.Answer{
		Origin: s.at.Name, URL: o.URL, Status: o.Status, Digest: o.Digest, Size: o.Size, Err: o.Err,
		Type: o.Header.Get("Content-Type"), Attached: diff.Attached(o.Header),
	}
	a.Location, a.Target, a.Away = leads(s.at.URL, o)
	if errors.Is(o.Err, site.ErrTooLong) {
		a.Err = fmt.Errorf("too long to compare: %w", o.Err)
	}
	return a
}
