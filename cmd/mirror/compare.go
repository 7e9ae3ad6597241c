package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mirror/diff"
	"mirror/internal/workspace"
)

// compareFlags say how live sites are compared with each other, and only mean
// something with URLs.
type compareFlags struct {
	pages       string // file of paths, - for stdin
	sitemap     string // URL
	maxPages    int
	crawl       bool
	ignoreHost  bool
	rate        float64
	concurrency int
	timeout     time.Duration

	check checkFlags // what a check with a config has too
	set   *pflag.FlagSet
}

const aboutURLs = `With URLs, no config is needed: the live sites are compared with each other. The pages are
those of all their sitemaps (with --crawl, what they link to as well), or --pages, or else those
that links of the first site lead to; the home page and the sitemaps are always compared. A sitemap
that is there and cannot be read fails the check. What most sites answer for a page stands as right; where
no side has more, as ever between two sites, that is a tie, told on every side of it. Links to
a site's own host do not count as different, and are counted. Pages that are on none of the sites
are told apart; where that is most of them, or the home page, nothing is said to agree.`

// flags adds the flags of a check of URLs, which have defaults as in a config.
func (f *compareFlags) flags(cmd *cobra.Command) {
	set := pflag.NewFlagSet("urls", pflag.ContinueOnError)
	set.StringVar(&f.pages, "pages", "", "with URLs: compare the paths or URLs that this `file` lists, one a line; - for stdin")
	set.StringVar(&f.sitemap, "sitemap", "", "with URLs: compare the pages of the sitemap at this `URL`")
	set.IntVar(&f.maxPages, "max-pages", 0, "with URLs: look at `n` pages at most (default 10000 by links, 1000000 by sitemaps)")
	set.BoolVar(&f.crawl, "crawl", false, "with URLs: follow links where there is a sitemap too, and so find styles, scripts and pictures")
	set.BoolVar(&f.ignoreHost, "ignore-host", true, "with URLs: take links to a site's own host for relative ones")
	set.Float64Var(&f.rate, "rate", 200, "with URLs: requests a second, for each site; 0 for no limit")
	set.IntVar(&f.concurrency, "concurrency", 16, "with URLs: requests at once, for each site")
	set.DurationVar(&f.timeout, "timeout", 10*time.Second, "with URLs: how long one page may take")
	f.set = set
	cmd.Flags().AddFlagSet(set)
}

// unused refuses flags that mean nothing without URLs.
func (f *compareFlags) unused(cmd *cobra.Command) error {
	var err error
	f.set.VisitAll(func(flag *pflag.Flag) {
		if err == nil && cmd.Flags().Changed(flag.Name) {
			err = usage(fmt.Errorf("--%s is for a comparison of URLs (hint: mirror check URL URL…)", flag.Name))
		}
	})
	return err
}

// validate refuses what cannot be meant. Every error is a usage error.
func (f *compareFlags) validate(a *app, urls []string) error {
	switch {
	case a.configFile != "" || len(a.only) > 0:
		return usage(errors.New("URLs are compared with each other, with no config: --config and --target do not go with them"))
	case len(urls) == 1:
		return usage(fmt.Errorf("%s alone has nothing to be compared with (hint: mirror check URL URL…)", urls[0]))
	case f.check.liveOnly || f.check.trustETag || f.check.maxAge != 0:
		return usage(errors.New("--live-only, --trust-etag and --max-age need a release to compare with, and so a config"))
	case f.pages != "" && f.sitemap != "":
		return usage(errors.New("--pages and --sitemap both say which pages to compare (hint: give one)"))
	case f.maxPages < 0 || f.rate < 0 || f.concurrency < 1 || f.concurrency > 1024 || f.timeout <= 0:
		return usage(errors.New("--max-pages and --rate cannot be negative, --concurrency is 1 to 1024, --timeout a time such as 10s"))
	}
	return nil
}

// compare does the whole of `mirror check URL URL…`.
func (a *app) compare(ctx context.Context, urls []string, f compareFlags) (diff.Verdict, error) {
	if err := f.validate(a, urls); err != nil {
		return diff.Verdict{}, err
	}
	o := workspace.CompareOptions{
		Sitemap: f.sitemap, MaxPages: f.maxPages, Crawl: f.crawl, IgnoreHost: f.ignoreHost,
		Sample: f.check.sample, Learn: f.check.learn, Wait: f.check.wait, Tolerance: f.check.tolerance,
	}
	switch f.pages {
	case "":
	case "-":
		o.Names = a.stdin
	default:
		file, err := os.Open(f.pages)
		if err != nil {
			return diff.Verdict{}, usage(fmt.Errorf("--pages: %w", err))
		}
		defer file.Close()
		o.Names = file
	}
	d := a.display()
	defer d.Close()
	sites, err := workspace.OpenSites(urls, workspace.SiteOptions{Rate: f.rate, Concurrency: f.concurrency, Timeout: f.timeout, Confirm: 1}, d)
	if err != nil {
		return diff.Verdict{}, err
	}
	return sites.Compare(ctx, o)
}
