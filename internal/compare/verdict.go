package compare

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/survey"
	"mirror/site"
)

// unjudged tells why nothing is known of the origins although they answer alike: what is
// nowhere was compared with nothing.
func (c *comparison) unjudged() error {
	absent, pages := c.gone.pages+c.closed.pages, len(c.paths)
	if c.options.Named && pages > 1 && slices.Contains(c.paths, "") { // which need not have been named
		pages--
		if c.rootless {
			absent--
		}
	}
	switch {
	case c.options.Unlisted != nil:
		return c.options.Unlisted
	case c.homeless && !c.options.Named:
		return errors.New("no origin shows a home page, so this may not be the site (hint: look at the URLs, or name the pages with --pages)")
	case 2*absent > pages:
		return fmt.Errorf("%d of %d pages are on no origin, so these may not be the site's pages (hint: look at the URLs, or name the pages with --pages)", absent, pages)
	}
	return nil
}

func (c *comparison) result() diff.Verdict {
	if err := c.unjudged(); err != nil {
		for _, s := range c.electorate {
			s.err = err
		}
	}
	for _, s := range c.collectors {
		s.err = cmp.Or(s.err, c.options.Unread[s.at.Name])
	}
	v := diff.Verdict{
		Release: site.None, Pages: len(c.paths), Nowhere: c.gone.pages, Closed: c.closed.pages,
		Started: c.started, Elapsed: time.Since(c.started), Notes: c.notes(),
	}
	compared := v.Pages - v.Nowhere - v.Closed
	for _, s := range c.collectors {
		o := diff.OriginVerdict{
			Name: s.at.Name, URL: s.at.URL.String(), Pages: compared, Match: s.matches, Elapsed: s.elapsed,
			Differences: s.differences, Noise: s.noise, Recovered: s.recovered, Err: s.err,
		}
		o.Facts.Hosts = s.hosts
		survey.Measure(s.client, &o)
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
		if len(c.collectors) == 2 {
			hint = " (hint: a third URL decides)"
		}
		notes = append(notes, fmt.Sprintf("%s: a tie, so which origin is right is unknown%s", c.ties, hint))
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
	for _, s := range c.collectors {
		if note := survey.LimitNote(s.client, "--rate"); note != "" {
			notes = append(notes, note)
		}
	}
	var forgiven []string
	for _, s := range c.collectors {
		if s.hosts > 0 {
			forgiven = append(forgiven, fmt.Sprintf("%d on %s", s.hosts, s.at.Name))
		}
	}
	if len(forgiven) > 0 {
		notes = append(notes, fmt.Sprintf("links to an origin's own host were taken for relative ones: %s (hint: --ignore-host=false compares them)", strings.Join(forgiven, ", ")))
	}
	return notes
}
