package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/internal/origin"
	"mirror/internal/watch"
	"mirror/reports"
	"mirror/site"
)

type watchFlags struct {
	until string
	csv   string
	pages []string
	rate  float64
}

func (a *app) watchCommand() *cobra.Command {
	var f watchFlags
	cmd := &cobra.Command{
		Use:   "watch [URL URL…]",
		Short: "Measure the inconsistency window of a change, ours or anyone's, until it closes",
		Long: `Without arguments: watch the configured origins until they serve the local site, and say
how long they disagreed. With URLs, no config is needed: wait for the next change on the
pages of the first one's sitemap.xml (or those that --page names) and measure how it
spreads over all of them.

The window is given as bounds that rest on what was asked and answered, and on nothing
else; docs/window.md says how.

` + exitCodes,
		Example: `  mirror watch
  mirror watch --until 10m --csv answers.csv
  mirror watch https://me.github.io/ https://my-blog.example.com/ --page about/ --page feed.xml`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.watch(cmd.Context(), f, args) },
	}
	cmd.Flags().StringVar(&f.until, "until", "agree", "`agree`, or how long to watch at most, such as 10m")
	cmd.Flags().StringVar(&f.csv, "csv", "", "write every answer to this `file`")
	cmd.Flags().StringArrayVar(&f.pages, "page", nil, "with URLs: watch this page, by `path` below them; may be repeated")
	cmd.Flags().Float64Var(&f.rate, "rate", 50, "with URLs: requests a second, for each origin")
	return cmd
}

// watch does the whole of `mirror watch`.
func (a *app) watch(ctx context.Context, f watchFlags, urls []string) (err error) {
	limited, cancel, err := until(ctx, f.until)
	if err != nil {
		return usage(err)
	}
	defer cancel()
	log, err := openAnswers(f.csv)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	var origins []origin.Endpoint
	var o watch.Options
	if len(urls) > 0 {
		origins, o, err = a.nextChange(limited, f, urls)
	} else {
		origins, o, err = a.toLocalSite(limited)
	}
	if err != nil {
		if limited.Err() != nil && ctx.Err() == nil {
			return &exit{exitDisagree, errors.New("no change was seen in the time given")}
		}
		return err
	}
	o.See = log.write
	return a.follow(limited, origins, o)
}

// until ends a watch after the time that the flag gives.
func until(ctx context.Context, text string) (context.Context, context.CancelFunc, error) {
	if text == "agree" {
		ctx, cancel := context.WithCancel(ctx)
		return ctx, cancel, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return nil, nil, fmt.Errorf("--until %s: want agree or a duration such as 10m", text)
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	return ctx, cancel, nil
}

// follow watches until every page is confirmed or ctx ends, and shows the window.
func (a *app) follow(ctx context.Context, origins []origin.Endpoint, o watch.Options) error {
	w := watch.Start(ctx, origins, o)
	live := a.liveTable(o.Began)
	names := make([]string, len(origins))
	for i, at := range origins {
		names[i] = at.Name
	}
	settled := make(chan []string, 1)
	go func() { settled <- w.Settle(ctx, names) }()
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	var late []string
	for waiting := true; waiting; {
		select {
		case late = <-settled:
			waiting = false
		case <-tick.C:
			live.draw(w.Status())
		}
	}
	status := w.Status()
	w.Stop()
	live.clear()
	verdict := watchExit(late, status)
	doc := reports.WindowOf(w.Window())
	doc.Ending = reports.Ending{Error: text(verdict), Warnings: a.warnings.take()}
	return ending(verdict, a.show(doc))
}

// watchExit is 0 for a window that closed, 3 where those that are late never answered.
func watchExit(late []string, status []watch.Status) error {
	if len(late) == 0 {
		return nil
	}
	code := exitFailed
	for _, s := range status {
		if slices.Contains(late, s.Name) && s.Heard {
			code = exitDisagree
		}
	}
	return &exit{code, fmt.Errorf("the window is still open at %s", strings.Join(late, ", "))}
}

// toLocalSite finds out where the live origins differ from the local site.
func (a *app) toLocalSite(ctx context.Context) ([]origin.Endpoint, watch.Options, error) {
	w, err := a.open()
	if err != nil {
		return nil, watch.Options{}, err
	}
	if len(w.origins()) == 0 {
		return nil, watch.Options{}, usage(fmt.Errorf("%s: no target has an origin, so there is nothing to watch", w.config.File))
	}
	d := a.display()
	defer d.Close()
	rel, done, err := w.reference(ctx, &stores{w: w, display: d}, d)
	if err != nil {
		return nil, watch.Options{}, err
	}
	defer done()
	absent := w.removed(ctx, rel.Manifest)
	v, err := check.Run(ctx, w.origins(), w.lookFor(rel, absent, d))
	if err != nil {
		return nil, watch.Options{}, err
	}
	o := differing(v, rel.Manifest, w.unwatchable)
	o.Began, o.Release, o.Manifest, o.BeaconPath, o.Newer = time.Now(), rel.ID(), rel.Manifest, w.beacon(), w.newer(ctx, rel)
	return w.origins(), o, nil
}

// differing lists the pages that some origin does not serve as the manifest says, which of
// them each origin does not, and what is served there.
func differing(v diff.Verdict, m site.Manifest, skip func(site.File) bool) watch.Options {
	index, earlier, own := map[string]int{}, map[string][]site.Digest{}, map[string][]string{}
	var changes []diff.Change
	for _, o := range v.Origins {
		differences := o.Differences
		if o.Err != nil || len(differences) == 1 && differences[0].Path == "*" {
			differences = everyPage(m)
		}
		for _, d := range differences {
			f, inRelease := m.Find(d.Path)
			if skip(f) {
				continue
			}
			own[o.Name] = append(own[o.Name], d.Path)
			if i, ok := index[d.Path]; ok {
				if changes[i].Old.IsZero() && d.Kind != diff.Missing {
					changes[i].Old = d.Got
				}
				earlier[d.Path] = append(earlier[d.Path], d.Got)
				continue
			}
			if inRelease || d.Kind == diff.Extra {
				index[d.Path] = len(changes)
				changes = append(changes, diff.Change{Path: d.Path, Old: d.Got, New: f.Digest})
			}
		}
	}
	return watch.Options{Changes: changes[:min(len(changes), watchedPages)], Earlier: earlier, Own: own}
}

// everyPage is for an origin that differs as a whole.
func everyPage(m site.Manifest) []diff.Difference {
	all := make([]diff.Difference, len(m))
	for i, f := range m {
		all[i] = diff.Difference{Path: f.Path, Kind: diff.Missing}
	}
	return all
}

// nextChange waits for the next change on any of the URLs.
func (a *app) nextChange(ctx context.Context, f watchFlags, urls []string) ([]origin.Endpoint, watch.Options, error) {
	origins, err := plainOrigins(urls, f.rate)
	if err != nil {
		return nil, watch.Options{}, usage(err)
	}
	paths := f.pages
	if len(paths) == 0 {
		paths = a.sitemap(ctx, origins[0])
	}
	paths = spread(paths, watchedPages)
	if !a.quiet {
		fmt.Fprintf(a.stderr, "watching %d pages of %d origins for the next change; Ctrl-C ends\n", len(paths), len(origins))
	}
	for {
		o, err := watch.Next(ctx, origins, paths)
		if err != nil || len(o.Changes) > 0 {
			return origins, o, err
		}
	}
}

// sitemap lists the pages of an origin, its home page alone where it has no sitemap.
func (a *app) sitemap(ctx context.Context, at origin.Endpoint) []string {
	client := origin.New(at)
	defer client.Close()
	paths, err := client.Sitemap(ctx)
	if err != nil || len(paths) == 0 {
		if !a.quiet {
			fmt.Fprintf(a.stderr, "%s has no usable sitemap (%v); watching its home page (hint: --page names others)\n", at.Name, err)
		}
		return []string{""}
	}
	return paths
}

// plainOrigins are origins without a config, named by their hosts.
func plainOrigins(urls []string, rate float64) ([]origin.Endpoint, error) {
	var all []origin.Endpoint
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("%q is no URL of a site (hint: https://host/ or https://host/path/)", text)
		}
		if !strings.HasSuffix(u.Path, "/") {
			u = u.JoinPath("/")
		}
		at := origin.Endpoint{
			Name: strings.TrimSuffix(u.Host+u.Path, "/"), URL: u, Style: site.URLStyle{NoIndex: true},
			Options: origin.Options{Concurrency: 8, Rate: rate, Pace: origin.NewPace(rate), Timeout: 10 * time.Second},
		}
		if slices.ContainsFunc(all, func(o origin.Endpoint) bool { return o.Name == at.Name }) {
			return nil, fmt.Errorf("%s is named twice", text)
		}
		all = append(all, at)
	}
	return all, nil
}
