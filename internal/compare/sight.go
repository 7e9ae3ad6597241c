package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/site"
)

// maxPage bounds the bytes of a page that is compared.
const maxPage = 256 << 20

// sight is what one origin answered.
type sight struct {
	at       origin.Endpoint
	client   *origin.Client
	hostless *sync.Pool // of *hostless; nil where hosts are compared
	cells    []cell     // by page
	elapsed  time.Duration
	err      error // why the origin as a whole could not be seen

	mu      sync.Mutex
	manners []manner
	index   map[mannerKey]uint32
	done    int
	answers int
	serves  bool // some page
	silent  int  // unanswered in a row
	last    error
	missed  atomic.Int64 // unanswered in a row, of pages that are asked for again

	match       int
	recovered   int // pages that were answered otherwise at first
	hosts       int
	noise       []string
	differences []diff.Difference
}

// cell is one answer, kept small: there is one for each page and origin.
type cell struct {
	digest   site.Digest
	hostless site.Digest // zero where no link to the own host is in the page
	hosts    uint32      // how many there are
	manner   uint32      // of the answer: most pages share one
}

// manner is what an answer is beside its bytes.
type manner struct {
	status           int
	mediaType        string
	location, target string
	away, attached   bool
	err              error
}

type mannerKey struct {
	status              int
	mediaType, location string
	target              string
	attached            bool
	err                 string
}

func newSight(at origin.Endpoint, ignoreHost bool, pages int) *sight {
	s := &sight{at: at, client: origin.New(at), cells: make([]cell, pages), index: map[mannerKey]uint32{}}
	if ignoreHost {
		base := newOwnBase(at.URL)
		s.hostless = &sync.Pool{New: func() any { return newHostless(base) }}
	}
	return s
}

// patience is how many unanswered requests in a row are enough.
func (s *sight) patience() int { return max(2*s.at.Concurrency, 8) }

// survey asks once for the pages from one up to another. An origin that falls silent is not
// asked further.
func (s *sight) survey(ctx context.Context, from, to int, path func(i int) string, notify func(done int)) error {
	began := time.Now()
	heard, stop := s.client.UntilSilent(ctx, origin.Silence{For: s.at.Timeout + time.Second})
	inner, giveUp := context.WithCancel(heard)
	defer giveUp()
	var next atomic.Int64
	next.Store(int64(from))
	var workers sync.WaitGroup
	for range min(max(s.at.Concurrency, 1), to-from) {
		workers.Go(func() {
			for i := int(next.Add(1) - 1); i < to && inner.Err() == nil; i = int(next.Add(1) - 1) {
				r := s.ask(inner, s.client.Fetch, path(i))
				if inner.Err() == nil && s.keep(i, r, i == len(s.cells)-1, notify) {
					giveUp()
				}
			}
		})
	}
	workers.Wait()
	if silent := context.Cause(heard); silent != nil {
		s.last = silent
	}
	gaveUp := inner.Err() != nil
	stop()
	s.elapsed += time.Since(began)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("compare %s: %w", s.at.Name, err)
	}
	switch {
	case s.answers == 0:
		s.err = s.last
	case gaveUp:
		s.err = fmt.Errorf("the origin stopped answering after %d of %d pages: %w", s.done-s.silent, len(s.cells), s.last)
	}
	return nil
}

// keep stores an answer and reports whether to give up.
func (s *sight) keep(i int, r read, isProbe bool, notify func(done int)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cells[i] = cell{digest: r.Digest, hosts: uint32(r.hosts), manner: s.intern(r.Answer)} //nolint:gosec // a page has fewer links than that
	if r.hosts > 0 {
		s.cells[i].hostless = r.Hostless
	}
	s.done++
	notify(s.done)
	if r.Status == 0 {
		s.silent, s.last = s.silent+1, r.Err
		return s.silent >= s.patience()
	}
	s.silent = 0
	s.answers++
	s.serves = s.serves || !isProbe && r.Status >= 200 && r.Status < 300
	return false
}

func (s *sight) intern(a diff.Answer) uint32 {
	key := mannerKey{a.Status, a.Type, a.Location, a.Target, a.Attached, ""}
	if a.Err != nil {
		key.err = a.Err.Error()
	}
	i, ok := s.index[key]
	if !ok {
		i = uint32(len(s.manners)) //nolint:gosec // there are no more than pages
		s.index[key] = i
		s.manners = append(s.manners, manner{a.Status, a.Type, a.Location, a.Target, a.Away, a.Attached, a.Err})
	}
	return i
}

// answer is the i-th answer again.
func (s *sight) answer(i int, path string) diff.Answer {
	c := s.cells[i]
	m := s.manners[c.manner]
	a := diff.Answer{
		Origin: s.at.Name, URL: s.url(path), Status: m.status, Digest: c.digest, Hostless: c.hostless, Type: m.mediaType,
		Location: m.location, Target: m.target, Away: m.away, Attached: m.attached, Serves: s.serves, Err: m.err,
	}
	if a.Hostless.IsZero() {
		a.Hostless = a.Digest
	}
	return a
}

func (s *sight) url(path string) string { return s.at.URL.String() + urlPath(path) }

func urlPath(path string) string { return site.URLStyle{NoIndex: true}.URLPath(path) }

func (s *sight) differ(d diff.Difference) {
	d.Origin = s.at.Name
	s.differences = append(s.differences, d)
}

// read is one answer with what is not kept of it.
type read struct {
	diff.Answer
	hosts int // links to the own host
}

// ask asks for one page.
func (s *sight) ask(ctx context.Context, fetch func(context.Context, origin.Page) site.Observation, path string) read {
	page := origin.Page{Path: path, URL: urlPath(path)}
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
	r := read{Answer: s.answerOf(o)}
	if without != nil {
		r.Hostless, r.hosts = without.sum()
		s.hostless.Put(without)
	}
	if r.hosts == 0 || o.Err != nil {
		r.Hostless, r.hosts = r.Digest, 0
	}
	return r
}

func (s *sight) answerOf(o site.Observation) diff.Answer {
	a := diff.Answer{
		Origin: s.at.Name, URL: o.URL, Status: o.Status, Digest: o.Digest, Size: o.Size, Err: o.Err,
		Type: o.Header.Get("Content-Type"), Attached: diff.Attached(o.Header),
	}
	a.Location, a.Target, a.Away = s.leads(o)
	if errors.Is(o.Err, site.ErrTooLong) {
		a.Err = fmt.Errorf("too long to compare: %w", o.Err)
	}
	return a
}

// leads returns where an answer leads elsewhere, be it a redirect or a page with a Refresh
// header: as it was sent, and as leadsTo has it.
func (s *sight) leads(o site.Observation) (location, target string, away bool) {
	if o.Status/100 == 3 {
		location = o.Header.Get("Location")
	} else {
		location = diff.RefreshTo(o.Header.Get("Refresh"))
	}
	if location == "" {
		return "", "", false
	}
	target, away = s.leadsTo(o.URL, location)
	if self, _ := s.leadsTo(o.URL, ""); o.Status/100 != 3 && target == self {
		return "", "", false
	}
	return location, target, away
}

// leadsTo returns where a redirect leads: below the own base where it stays there, so that
// it can be compared between origins, else as a whole URL.
func (s *sight) leadsTo(from, location string) (target string, away bool) {
	at, err := url.Parse(from)
	if err != nil {
		return location, true
	}
	to, err := at.Parse(location)
	if err != nil {
		return location, true
	}
	if !strings.EqualFold(to.Hostname(), s.at.URL.Hostname()) || portOf(to) != portOf(s.at.URL) {
		return to.String(), true
	}
	target = "/" + to.EscapedPath()
	if below, ok := strings.CutPrefix(to.Path, s.at.URL.Path); ok {
		target = (&url.URL{Path: below}).EscapedPath()
	}
	if to.Scheme != s.at.URL.Scheme {
		target = to.Scheme + ":" + target
	}
	if to.RawQuery != "" {
		target += "?" + to.RawQuery
	}
	return "./" + target, false
}

// portOf is a URL's port, "" for those that http and https have by themselves.
func portOf(u *url.URL) string {
	if p := u.Port(); p != "80" && p != "443" {
		return p
	}
	return ""
}
