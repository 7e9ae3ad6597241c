package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mirror/diff"
	"mirror/internal/compare"
	"mirror/internal/origin"
)

// compareOptions says how live sites are compared with each other, as the flags say that
// only mean something with URLs.
type compareOptions struct {
	pages       string // file of paths, - for stdin
	sitemap     string // URL
	maxPages    int
	crawl       bool
	ignoreHost  bool
	rate        float64
	concurrency int
	timeout     time.Duration

	gate gate // what a check with a config has too
	set  *pflag.FlagSet
}

const aboutURLs = `With URLs, no config is needed: the live sites are compared with each other. The pages are
those of all their sitemaps (with --crawl, what they link to as well), or --pages, or else those
that links of the first site lead to. What most sites answer for a page stands as right; where
no side has more, as ever between two sites, that is a tie, told on every side of it. Links to
a site's own host do not count as different, and are counted. Pages that are on none of the sites
are told apart; where that is most of them, or the home page, nothing is said to agree.`

// flags adds the flags of a check of URLs, which have defaults as in a config.
func (o *compareOptions) flags(cmd *cobra.Command) {
	f := pflag.NewFlagSet("urls", pflag.ContinueOnError)
	f.StringVar(&o.pages, "pages", "", "with URLs: compare the paths or URLs that this `file` lists, one a line; - for stdin")
	f.StringVar(&o.sitemap, "sitemap", "", "with URLs: compare the pages of the sitemap at this `URL`")
	f.IntVar(&o.maxPages, "max-pages", 0, "with URLs: look at `n` pages at most (default 10000 by links, 1000000 by sitemaps)")
	f.BoolVar(&o.crawl, "crawl", false, "with URLs: follow links where there is a sitemap too, and so find styles, scripts and pictures")
	f.BoolVar(&o.ignoreHost, "ignore-host", true, "with URLs: take links to a site's own host for relative ones")
	f.Float64Var(&o.rate, "rate", 200, "with URLs: requests a second, for each site; 0 for no limit")
	f.IntVar(&o.concurrency, "concurrency", 16, "with URLs: requests at once, for each site")
	f.DurationVar(&o.timeout, "timeout", 10*time.Second, "with URLs: how long one page may take")
	o.set = f
	cmd.Flags().AddFlagSet(f)
}

// unused refuses flags that mean nothing without URLs.
func (o *compareOptions) unused(cmd *cobra.Command) error {
	var err error
	o.set.VisitAll(func(f *pflag.Flag) {
		if err == nil && cmd.Flags().Changed(f.Name) {
			err = usage(fmt.Errorf("--%s is for a comparison of URLs (hint: mirror check URL URL…)", f.Name))
		}
	})
	return err
}

// judge refuses what cannot be meant. Every error is a usage error.
func (o *compareOptions) judge(a *app, urls []string) error {
	switch {
	case a.configFile != "" || len(a.only) > 0:
		return usage(errors.New("URLs are compared with each other, with no config: --config and --target do not go with them"))
	case len(urls) == 1:
		return usage(fmt.Errorf("%s alone has nothing to be compared with (hint: mirror check URL URL…)", urls[0]))
	case o.gate.liveOnly || o.gate.trustETag || o.gate.maxAge != 0:
		return usage(errors.New("--live-only, --trust-etag and --max-age need a release to compare with, and so a config"))
	case o.pages != "" && o.sitemap != "":
		return usage(errors.New("--pages and --sitemap both say which pages to compare (hint: give one)"))
	case o.maxPages < 0 || o.rate < 0 || o.concurrency < 1 || o.concurrency > 1024 || o.timeout <= 0:
		return usage(errors.New("--max-pages and --rate cannot be negative, --concurrency is 1 to 1024, --timeout a time such as 10s"))
	}
	return nil
}

// compare does the whole of `mirror check URL URL…`.
func (a *app) compare(ctx context.Context, urls []string, o compareOptions) (diff.Verdict, error) {
	if err := o.judge(a, urls); err != nil {
		return diff.Verdict{}, err
	}
	origins, err := o.origins(urls)
	if err != nil {
		return diff.Verdict{}, usage(err)
	}
	names, err := a.names(o, origins)
	if err != nil {
		return diff.Verdict{}, usage(fmt.Errorf("--pages: %w", err))
	}
	d := a.display()
	defer d.Close()
	c := &comparison{compareOptions: o, display: d, origins: origins, names: names}
	verdict, err := awaitAlike(ctx, o.gate.wait, c.once)
	if err != nil {
		return diff.Verdict{}, err
	}
	verdict.Tolerate(o.gate.tolerance)
	return verdict, nil
}

// comparison is a comparison that may be made more than once.
type comparison struct {
	compareOptions
	display *display
	origins []origin.Endpoint
	names   *compare.Found // that a person gave, nil for none
	found   compare.Found
	paths   []string // those of found that are looked at; nil until they are known
}

// once compares the sites. The pages are looked for until they were found once.
func (c *comparison) once(ctx context.Context) (diff.Verdict, error) {
	if c.paths == nil || c.found.Unlisted != nil {
		var err error
		if c.found, err = c.find(ctx); err != nil {
			return diff.Verdict{}, err
		}
		c.display.line("comparing %d pages of %d sites, by %s", len(c.found.Paths), len(c.origins), c.found.From)
		c.paths = sampled(c.found.Paths, c.gate.sample)
	}
	verdict, err := compare.Run(ctx, c.origins, c.paths, compare.Options{
		IgnoreHost: c.ignoreHost, Learn: c.gate.learn, Named: c.names != nil, Unlisted: c.found.Unlisted, Progress: c.display.checking,
		Again: func(pages int) { c.display.line("asking again for what differs: %d", pages) },
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
	case c.sitemap != "":
		found, err := compare.FindAt(ctx, c.sitemap, c.origins, c.maxPages)
		if errors.Is(err, compare.ErrNoURL) {
			err = usage(fmt.Errorf("--sitemap: %w", err))
		}
		return found, err
	}
	return compare.Find(ctx, c.origins, compare.Search{MaxPages: c.maxPages, Crawl: c.crawl})
}

func (o *compareOptions) origins(urls []string) (all []origin.Endpoint, err error) {
	plain, err := plainOrigins(urls, o.rate)
	if err != nil {
		return nil, err
	}
	for _, at := range plain {
		at.Concurrency, at.Timeout, at.Confirm = o.concurrency, o.timeout, 1
		all = append(all, at)
	}
	return all, nil
}

// names reads the pages that a person names; nil where nobody does.
func (a *app) names(o compareOptions, origins []origin.Endpoint) (*compare.Found, error) {
	if o.pages == "" {
		return nil, nil //nolint:nilnil // no names are no error
	}
	in := a.stdin
	if o.pages != "-" {
		file, err := os.Open(o.pages)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	paths, queries, err := compare.ReadNames(in, origins)
	if err != nil {
		return nil, err
	}
	found := compare.Named(paths, o.maxPages)
	if queries > 0 {
		found.Notes = append(found.Notes, fmt.Sprintf("the list: %d URLs with a query were not looked at", queries))
	}
	return &found, nil
}

// sampled picks n of the pages at random; all where n is 0.
func sampled(paths []string, n int) []string {
	if n == 0 || n >= len(paths) {
		return paths
	}
	picked := make([]string, 0, n)
	for _, i := range rand.Perm(len(paths))[:n] {
		picked = append(picked, paths[i])
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
		select {
		case <-patient.Done():
			return verdict, ctx.Err()
		case <-time.After(alikePause):
		}
	}
}
