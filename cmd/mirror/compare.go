package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mirror/diff"
	"mirror/internal/workspace"
)

// liveFlags say how live sites are checked with no config.
type liveFlags struct {
	workspace.LiveOptions
	both, urls, site *pflag.FlagSet // flags by what they need: any URL, URLs alone, a built site
}

const aboutURLs = `With a SITE and URLs, no config is needed: SITE is the output of a build (a folder, a .tar,
.tar.gz, .tar.zst or .zip, or an image as in oci:ghcr.io/me/blog), and the live sites at the
URLs are compared with it. The check finds out whether a site serves about.html at /about.

With URLs alone, the live sites are compared with each other. The pages are those of their
sitemaps (with --crawl, also the pages that they link to) or of --pages, or else those that
links from the first site lead to. The home page and the sitemaps are always compared. A
sitemap that exists and cannot be read fails the check. The answer that most sites give for a
page is taken as right; without a majority, as between two sites, the difference is reported
for each of them. A link to a site's own host does not count as a difference. Pages that no
site has are reported separately; where those are most of the pages, or the home page, the
check does not report agreement.`

// flags adds the flags of a check of URLs, which have defaults as in a config.
func (f *liveFlags) flags(cmd *cobra.Command) {
	set := pflag.NewFlagSet("urls", pflag.ContinueOnError)
	set.StringVar(&f.List, "pages", "", "with URLs: compare the paths or URLs that this `file` lists, one a line; - for stdin")
	set.StringVar(&f.Compare.Sitemap, "sitemap", "", "with URLs: compare the pages of the sitemap at this `URL`")
	set.IntVar(&f.Compare.MaxPages, "max-pages", 0, "with URLs: look at `n` pages at most (default 10000 by links, 1000000 by sitemaps)")
	set.BoolVar(&f.Compare.Crawl, "crawl", false, "with URLs: follow links even where there is a sitemap, to find style sheets, scripts and images")
	set.BoolVar(&f.Compare.IgnoreHost, "ignore-host", true, "with URLs: treat links to a site's own host as relative links")
	both := pflag.NewFlagSet("both", pflag.ContinueOnError)
	both.Float64Var(&f.Rate, "rate", 200, "with URLs: requests a second, for each site; 0 for no limit")
	both.IntVar(&f.Concurrency, "concurrency", 16, "with URLs: requests at once, for each site")
	both.DurationVar(&f.Timeout, "timeout", 10*time.Second, "with URLs: how long one page may take")
	built := pflag.NewFlagSet("site", pflag.ContinueOnError)
	built.StringArrayVar(&f.Built.Earlier, "earlier", nil, "with SITE: an earlier build, in any form of SITE; its pages are reported as stale; may be repeated, newest first")
	built.StringArrayVar(&f.Built.Ignore, "ignore", nil, "with SITE: do not look at paths that match this `glob`; may be repeated")
	built.StringVar(&f.Built.NotFound, "not-found", "404.html", "with SITE: its `page` for paths that do not exist; \"\" checks only the status")
	_ = built.SetAnnotation("not-found", mayBeEmpty, []string{"status only"}) // fails only for an unknown flag
	built.StringVar(&f.Built.CleanURLs, "clean-urls", "auto", "with SITE: whether about.html is served at /about: auto, true or false")
	built.BoolVar(&f.Built.Index, "index", true, "with SITE: a folder's URL serves its index.html; false asks for index.html itself")
	built.StringVar(&f.Built.WebRoot, "web-root", "", "with SITE: the `folder` of an image that holds the site (default: found by label or by the usual names)")
	f.urls, f.both, f.site = set, both, built
	for _, set := range []*pflag.FlagSet{set, both, built} {
		cmd.Flags().AddFlagSet(set)
	}
}

// refuse refuses flags that were given and mean nothing here.
func refuse(cmd *cobra.Command, why string, sets ...*pflag.FlagSet) (err error) {
	for _, set := range sets {
		set.VisitAll(func(flag *pflag.Flag) {
			if err == nil && cmd.Flags().Changed(flag.Name) {
				err = usage(fmt.Errorf("--%s %s", flag.Name, why))
			}
		})
	}
	return err
}

// checkLive does the whole of `mirror check URL URL…` and `mirror check SITE URL…`.
func (a *app) checkLive(ctx context.Context, cmd *cobra.Command, arguments []string, f liveFlags) (diff.Verdict, error) {
	err := refuse(cmd, "is only for a check of a built site (hint: mirror check SITE URL…)", f.site)
	if workspace.NamesBuiltSite(arguments) {
		err = refuse(cmd, "is for a comparison of URLs; the pages of a check of a built site are its own", f.urls)
	}
	if a.configFile != "" || len(a.only) > 0 {
		err = usage(errors.New("--config and --target cannot be used with URLs, which are compared without a config"))
	}
	if err != nil {
		return diff.Verdict{}, err
	}
	f.Stdin = a.stdin
	d := a.console().Progress()
	defer d.Close()
	return workspace.CheckLive(ctx, arguments, f.LiveOptions, d)
}
