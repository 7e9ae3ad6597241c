package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
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
that links of the first site lead to.
What most sites answer for a page stands as right; where no side has more, as ever between
two sites, that is a tie, told on every side of it. Links to a site's own host do not
count as different, and are counted.`

// flags adds the flags of a check of URLs, which have defaults as in a config.
func (o *compareOptions) flags(cmd *cobra.Command) {
	f := pflag.NewFlagSet("urls", pflag.ContinueOnError)
	f.StringVar(&o.pages, "pages", "", "with URLs: compare the paths that this `file` lists, one a line; - for stdin")
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
	d := a.display()
	defer d.Close()
	found, err := a.find(ctx, origins, o)
	if err != nil {
		return diff.Verdict{}, err
	}
	d.line("comparing %d pages of %d sites, by %s", len(found.Paths), len(origins), found.From)
	paths := sampled(found.Paths, o.gate.sample)
	verdict, err := awaitAlike(ctx, o.gate.wait, func() (diff.Verdict, error) {
		return compare.Run(ctx, origins, paths, compare.Options{
			IgnoreHost: o.ignoreHost, Learn: o.gate.learn, Progress: d.checking,
			Again: func(pages int) { d.line("asking again for what differs: %d", pages) },
		})
	})
	if err != nil {
		return diff.Verdict{}, err
	}
	if len(paths) < len(found.Paths) {
		verdict.Pages, verdict.Sampled = len(found.Paths), len(paths)
	}
	verdict.Notes = append(found.Notes, verdict.Notes...)
	verdict.Tolerate(o.gate.tolerance)
	return verdict, nil
}

func (o *compareOptions) origins(urls []string) (all []compare.Origin, err error) {
	plain, err := plainOrigins(urls, o.rate)
	if err != nil {
		return nil, err
	}
	for _, at := range plain {
		at.Concurrency, at.Timeout, at.Confirm = o.concurrency, o.timeout, 1
		all = append(all, compare.Origin{Origin: at.Origin, Options: at.Options})
	}
	return all, nil
}

// find lists the pages to compare.
func (a *app) find(ctx context.Context, origins []compare.Origin, o compareOptions) (compare.Found, error) {
	switch {
	case o.pages != "":
		paths, err := a.readPages(o.pages, origins)
		if err != nil {
			return compare.Found{}, usage(fmt.Errorf("--pages: %w", err))
		}
		return compare.Named(paths, o.maxPages), nil
	case o.sitemap != "":
		return compare.FindAt(ctx, o.sitemap, origins, o.maxPages)
	}
	return compare.Find(ctx, origins, compare.Search{MaxPages: o.maxPages, Crawl: o.crawl})
}

// readPages reads a path a line, as in a URL: percent-encoded, with or without the slash at
// the start, or a whole URL below one of the sites.
func (a *app) readPages(name string, origins []compare.Origin) ([]string, error) {
	in := a.stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	return pagesOf(in, origins)
}

func pagesOf(in io.Reader, origins []compare.Origin) (paths []string, err error) {
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		for _, at := range origins {
			line = strings.TrimPrefix(line, at.URL.String())
		}
		path, err := url.PathUnescape(strings.TrimPrefix(line, "/"))
		if err != nil || !origin.IsPath(path) {
			return nil, fmt.Errorf("line %d: %q is no path below the sites (hint: about/, or 50%%25.html for 50%%.html)", n, line)
		}
		paths = append(paths, path)
	}
	return paths, lines.Err()
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
func awaitAlike(ctx context.Context, patience time.Duration, run func() (diff.Verdict, error)) (diff.Verdict, error) {
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		verdict, err := run()
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
