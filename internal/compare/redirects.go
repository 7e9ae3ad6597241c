package compare

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"mirror/internal/origin/pages"
)

// maxHops is how many redirects in a row are followed within an origin.
const maxHops = 3

// follow adds the pages that the origins lead to within themselves, as from a folder's name to
// the folder: a redirect that all of them answer says nothing of the page behind it.
func (c *comparison) follow(ctx context.Context) error {
	for range maxHops {
		more := c.landings()
		if len(more) == 0 {
			break
		}
		from := len(c.paths)
		c.paths = slices.Concat(c.paths, more)
		for _, s := range c.collectors {
			s.answers.cells = slices.Insert(s.answers.cells, from, make([]cell, len(more))...) // the last stays that of the probe
		}
		if err := c.collect(ctx, from, len(c.paths)); err != nil {
			return err
		}
	}
	c.landing = c.from("")
	return nil
}

// from returns where a page leads within the first origin that answers, "" where it does not.
func (c *comparison) from(path string) (landing string) {
	first := slices.IndexFunc(c.collectors, func(s *collector) bool { return s.err == nil })
	if first < 0 {
		return ""
	}
	s := c.collectors[first]
	for range maxHops {
		i := slices.Index(c.paths, path)
		if i < 0 {
			break
		}
		to, ok := s.answers.profileOf(i).lands()
		if !ok {
			break
		}
		path, landing = to, to
	}
	return landing
}

// landings lists where redirects lead to that is no page yet.
func (c *comparison) landings() []string {
	var more []string
	known := map[string]bool{}
	for _, path := range c.paths {
		known[path] = true
	}
	for _, s := range c.collectors {
		if s.err != nil {
			continue
		}
		for i := range c.paths {
			path, ok := s.answers.profileOf(i).lands()
			if ok && !known[path] {
				known[path] = true
				more = append(more, path)
			}
		}
	}
	return more
}

// lands returns the page below the own base that a redirect leads to.
func (m profile) lands() (path string, ok bool) {
	below, ok := strings.CutPrefix(m.target, "./")
	if !ok || m.away || strings.HasPrefix(below, "/") || strings.ContainsAny(below, "?:") {
		return "", false
	}
	path, err := url.PathUnescape(below)
	return path, err == nil && pages.IsPath(path)
}
