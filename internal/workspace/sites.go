package workspace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"

	"mirror/diff"
	"mirror/internal/compare"
	"mirror/internal/humanize"
	"mirror/internal/origin"
	"mirror/internal/origin/pages"
	"mirror/internal/wait"
	"mirror/internal/watch"
	"mirror/site"
)

// Sites are live sites that are compared with each other, or watched, with no config.
type Sites struct {
	Origins []origin.Endpoint
	Events  Events
}

// SiteOptions say how sites are asked.
type SiteOptions struct {
	Rate        float64 // requests a second, for each site; 0 for no limit
	Concurrency int     // requests at once, for each site
	Timeout     time.Duration
	Confirm     int // how often an answer that does not agree is asked for again
}

// DefaultSiteOptions are those of a check of URLs.
func DefaultSiteOptions() SiteOptions {
	return SiteOptions{Rate: 200, Concurrency: 16, Timeout: 10 * time.Second, Confirm: 1}
}

// OpenSites names the sites by their hosts. Every error is a *UsageError.
func OpenSites(urls []string, o SiteOptions, events Events) (*Sites, error) {
	s := &Sites{Events: events}
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, usage(fmt.Errorf("%q is not the URL of a site (hint: https://host/ or https://host/path/)", text))
		}
		if !strings.HasSuffix(u.Path, "/") {
			u = u.JoinPath("/")
		}
		at := origin.Endpoint{
			Name: strings.TrimSuffix(u.Host+u.Path, "/"), URL: u, Style: site.URLStyle{NoIndex: true},
			Options: origin.Options{
				Concurrency: o.Concurrency, Rate: o.Rate, Pace: origin.NewPace(o.Rate), Timeout: o.Timeout, Confirm: o.Confirm,
			},
		}
		if slices.ContainsFunc(s.Origins, func(o origin.Endpoint) bool { return o.Name == at.Name }) {
			return nil, usage(fmt.Errorf("%s is named twice", text))
		}
		s.Origins = append(s.Origins, at)
	}
	return s, nil
}

// CompareOptions say how live sites are compared.
type CompareOptions struct {
	Names      io.Reader // lists the pages, one a line; nil for none
	Sitemap    string    // URL of the sitemap that lists the pages; "" for none
	MaxPages   int       // 0 for the default
	Crawl      bool      // follow links where there are sitemaps, too
	IgnoreHost bool      // take links to a site's own host for relative ones
}

// Compare compares the sites with each other until they agree or look.Wait has run out, and at
// least once.
func (s *Sites) Compare(ctx context.Context, look CheckOptions, o CompareOptions) (diff.Verdict, error) {
	c := &comparison{Sites: s, look: look, options: o}
	if o.Names != nil {
		names, err := s.names(o)
		if err != nil {
			return diff.Verdict{}, usage(fmt.Errorf("--pages: %w", err))
		}
		c.names = names
	}
	verdict, err := awaitAlike(ctx, look.Wait, c.once)
	if err != nil {
		return diff.Verdict{}, err
	}
	verdict.Tolerate(look.Tolerance)
	return verdict, nil
}

// names reads the pages that a person names.
func (s *Sites) names(o CompareOptions) (*compare.Found, error) {
	paths, queries, err := compare.ReadNames(o.Names, s.Origins)
	if err != nil {
		return nil, err
	}
	found := compare.Named(paths, o.MaxPages)
	if queries > 0 {
		found.Notes = append(found.Notes, fmt.Sprintf("the list: %d URLs with a query were not looked at", queries))
	}
	return &found, nil
}

// comparison is a comparison that may be made more than once.
type comparison struct {
	*Sites
	look    CheckOptions
	options CompareOptions
	names   *compare.Found // that a person gave, nil for none
	found   compare.Found
	paths   []string // those of found that are looked at; nil until they are known
}

// once compares the sites. The pages are looked for until they were found once.
func (c *comparison) once(ctx context.Context) (diff.Verdict, error) {
	if c.paths == nil || !c.found.Complete() {
		var err error
		if c.found, err = c.find(ctx); err != nil {
			return diff.Verdict{}, err
		}
		c.Events.Line("comparing %s of %s, by %s", humanize.Plural(len(c.found.Paths), "page"), humanize.Plural(len(c.Origins), "site"), c.found.From)
		c.paths = sampled(c.found.Paths, c.look.Sample)
	}
	verdict, err := compare.Run(ctx, c.Origins, c.paths, compare.Options{
		IgnoreHost: c.options.IgnoreHost, Learn: c.look.Learn, Named: c.names != nil, Unlisted: c.found.Unlisted, Unread: c.found.Unread, Progress: c.Events.Checking,
		Again: func(pages int) { c.Events.Line("requesting %s again", humanize.Plural(pages, "differing page")) },
	})
	if err != nil {
		return diff.Verdict{}, err
	}
	if len(c.paths) < len(c.found.Paths) {
		verdict.Pages, verdict.Sampled = len(c.found.Paths), len(c.paths)
	}
	verdict.Notes = append(slices.Clone(c.found.Notes), verdict.Notes...)
	return verdict, nil
}

// find lists the pages to compare.
func (c *comparison) find(ctx context.Context) (compare.Found, error) {
	switch {
	case c.names != nil:
		return *c.names, nil
	case c.options.Sitemap != "":
		found, err := compare.FindAt(ctx, c.options.Sitemap, c.Origins, c.options.MaxPages)
		if errors.Is(err, compare.ErrNoURL) {
			err = usage(fmt.Errorf("--sitemap: %w", err))
		}
		return found, err
	}
	return compare.Find(ctx, c.Origins, compare.Search{MaxPages: c.options.MaxPages, Crawl: c.options.Crawl})
}

// sampled picks n of the pages at random, beside the home page; all where n is 0.
func sampled(paths []string, n int) []string {
	if n == 0 || n >= len(paths) {
		return paths
	}
	picked := make([]string, 0, n+1)
	for _, i := range rand.Perm(len(paths))[:n] {
		picked = append(picked, paths[i])
	}
	if slices.Contains(paths, "") && !slices.Contains(picked, "") {
		picked = append(picked, "")
	}
	slices.Sort(picked)
	return picked
}

// alikePause is the pause between two comparisons of sites that do not agree yet.
const alikePause = 2 * time.Second

// awaitAlike compares until the sites agree or patience has run out, and at least once.
func awaitAlike(ctx context.Context, patience time.Duration, run func(ctx context.Context) (diff.Verdict, error)) (diff.Verdict, error) {
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		verdict, err := run(ctx)
		if err != nil || verdict.Agree() {
			return verdict, err
		}
		if wait.Sleep(patient, alikePause) != nil {
			return verdict, ctx.Err()
		}
	}
}

// NextChange waits for the next change on any of the sites, on the given pages, or where none
// are given on those of the first site's sitemap. The home page is one of those.
func (s *Sites) NextChange(ctx context.Context, pages []string) (watch.Options, error) {
	if len(pages) == 0 {
		pages = s.sitemap(ctx)
	}
	pages = spread(pages, watchedPages)
	s.Events.Line("watching %s of %s for the next change; Ctrl-C ends", humanize.Plural(len(pages), "page"), humanize.Plural(len(s.Origins), "origin"))
	for {
		o, err := watch.Next(ctx, s.Origins, pages)
		if err != nil || len(o.Changes) > 0 {
			o.RateKey = "--rate"
			return o, err
		}
	}
}

// sitemap lists the pages of the first site, sorted: its home page, which comes first, and those of
// its sitemap, where it has one.
func (s *Sites) sitemap(ctx context.Context) []string {
	at := s.Origins[0]
	client := origin.New(at)
	defer client.Close()
	o := pages.Listing{}
	for _, site := range s.Origins {
		o.Bases = append(o.Bases, site.URL)
	}
	l, err := pages.ListSitemap(ctx, client, pages.ReadHome(ctx, client, o), o)
	if err = cmp.Or(l.Unread, err); err != nil {
		s.Events.Line("%s: not all pages are known: %v (hint: --page names others)", at.Name, err)
	}
	all := append(l.Paths, "")
	slices.Sort(all)
	return slices.Compact(all)
}
