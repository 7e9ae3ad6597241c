package compare

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"mirror/diff"
	"mirror/site"
)

// hollow tells that an origin answers the same on every page, as one that is parked, shut
// down or empty does: it has no pages that could be compared, and its number should not
// outvote those that have. Pages far apart are asked for again before that counts.
func (s *sight) hollow(ctx context.Context, paths []string, probe string) (diff.Difference, bool) {
	n := len(paths)
	if n < 2 {
		return diff.Difference{}, false
	}
	first, d := s.answer(0, paths[0]), diff.Difference{}
	for i, path := range paths {
		a := s.answer(i, path)
		same := false
		if d, same = sameHollow(first, a); !same {
			return d, false
		}
	}
	if d.Kind == diff.Altered {
		if a := s.answer(n, probe); a.Status != http.StatusOK || a.Digest != first.Digest {
			return d, false
		}
	}
	for _, i := range []int{0, n / 2, n - 1} {
		again := s.ask(ctx, s.client.FetchFresh, paths[i])
		if _, same := sameHollow(first, again.Answer); !same {
			return d, false
		}
	}
	d.Path, d.URL, d.Got, d.Status, d.Location = "*", s.at.URL.String(), first.Digest, first.Status, first.Location
	d.Detail = fmt.Sprintf("the whole origin answers the same on all %d pages: %s", n, d.Detail)
	return d, true
}

// sameHollow tells which drift it is when a page answers as another one does.
func sameHollow(first, a diff.Answer) (d diff.Difference, same bool) {
	d = diff.Difference{Kind: diff.Unreachable, Detail: fmt.Sprintf("answered %d", a.Status)}
	switch {
	case first.Err != nil || a.Err != nil || first.Status != a.Status:
		return d, false
	case a.Status == http.StatusOK:
		d.Kind, d.Detail = diff.Altered, "one page, for a path that does not exist too"
		return d, first.Digest == a.Digest
	case a.Status == http.StatusNotFound || a.Status == http.StatusGone:
		d.Kind = diff.Missing
	case a.Location != "":
		d.Kind = diff.Redirected
		d.Detail += ", away to another host"
		return d, first.Away && a.Away && hostOf(first.Target) == hostOf(a.Target)
	}
	return d, a.Status < 200 || a.Status >= 300
}

func hostOf(target string) string {
	_, rest, _ := strings.Cut(target, "//")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// sample is pages of which something is to be said: how many, and one of them.
type sample struct {
	pages int
	first string
}

func (s *sample) addIf(ok bool, path string) {
	if !ok {
		return
	}
	if s.pages++; s.pages == 1 || path < s.first {
		s.first = path
	}
}

// String tells how many pages there are, and one of them.
func (s sample) String() string {
	if s.pages == 1 {
		return fmt.Sprintf("1 page (/%s)", s.first)
	}
	return fmt.Sprintf("%d pages (such as /%s)", s.pages, s.first)
}

// unjudged tells why nothing is known of the origins although they answer alike: what is
// nowhere was compared with nothing.
func (c *comparison) unjudged() error {
	absent, pages := c.gone.pages+c.closed.pages, len(c.paths)
	if c.options.Named && pages > 1 && slices.Contains(c.paths, "") { // which nobody need have named
		pages--
		if c.rootless {
			absent--
		}
	}
	switch {
	case c.options.Unlisted != nil:
		return c.options.Unlisted
	case c.homeless && !c.options.Named:
		return errors.New("no origin shows a home page, so that nobody can say whether this is the site (hint: look at the URLs, or name the pages with --pages)")
	case 2*absent > pages:
		return fmt.Errorf("%d of %d pages are on no origin, so that nobody can say whether these are the site's (hint: look at the URLs, or name the pages with --pages)", absent, pages)
	}
	return nil
}

func (c *comparison) verdict() diff.Verdict {
	if err := c.unjudged(); err != nil {
		for _, s := range c.electorate {
			s.err = err
		}
	}
	v := diff.Verdict{
		Release: site.None, Pages: len(c.paths), Nowhere: c.gone.pages, Closed: c.closed.pages,
		Started: c.started, Elapsed: time.Since(c.started), Notes: c.notes(),
	}
	compared := v.Pages - v.Nowhere - v.Closed
	for _, s := range c.sights {
		o := diff.OriginVerdict{
			Name: s.at.Name, URL: s.at.URL.String(), Pages: compared, Match: s.match, Elapsed: s.elapsed,
			Differences: s.differences, Noise: s.noise, Recovered: s.recovered, Err: s.err,
		}
		f := s.client.Facts()
		o.Facts = diff.Facts{Protocol: f.Protocol, TLS: f.TLS, Expires: f.Expires, HSTS: f.HSTS, Mixed: f.Mixed, Hosts: s.hosts}
		o.Requests, o.Bytes = s.client.Counts()
		slices.SortFunc(o.Differences, func(a, b diff.Difference) int { return cmp.Compare(a.Path, b.Path) })
		slices.Sort(o.Noise)
		v.Origins = append(v.Origins, o)
	}
	return v
}

// notes says what no single origin is to be blamed for.
func (c *comparison) notes() (notes []string) {
	if c.ties.pages > 0 {
		hint := ""
		if len(c.sights) == 2 {
			hint = " (hint: a third URL decides)"
		}
		notes = append(notes, fmt.Sprintf("%s: a tie, so that nobody can say which origin is right%s", c.ties, hint))
	}
	if c.gone.pages > 0 {
		notes = append(notes, fmt.Sprintf("%s: listed or linked, and not there on any origin", c.gone))
	}
	if c.closed.pages > 0 {
		notes = append(notes, fmt.Sprintf("%s: every origin wants visitors to log in, so what is behind was not compared", c.closed))
	}
	if c.away.pages > 0 {
		notes = append(notes, fmt.Sprintf("%s: every origin leads to the same place on another host", c.away))
	}
	if c.alone {
		notes = append(notes, "only one origin answered some pages as a site does: those were compared with nothing")
	}
	var forgiven []string
	for _, s := range c.sights {
		if s.hosts > 0 {
			forgiven = append(forgiven, fmt.Sprintf("%d on %s", s.hosts, s.at.Name))
		}
	}
	if len(forgiven) > 0 {
		notes = append(notes, fmt.Sprintf("links to an origin's own host were taken for relative ones: %s (hint: --ignore-host=false compares them)", strings.Join(forgiven, ", ")))
	}
	return notes
}
