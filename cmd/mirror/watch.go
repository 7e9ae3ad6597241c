package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mirror/internal/origin"
	"mirror/internal/output"
	"mirror/internal/vantage/windows"
	"mirror/internal/watch"
	"mirror/internal/workspace"
	"mirror/reports"
)

type watchFlags struct {
	until string
	csv   string
	pages []string
	rate  float64
	// places has the agents watch, too.
	places bool
}

func (a *app) watchCommand() *cobra.Command {
	var f watchFlags
	cmd := &cobra.Command{
		Use:   "watch [URL URL…]",
		Short: "Measure the inconsistency window of a change until it closes",
		Long: `Without arguments: watch the configured origins until they serve the local site, and report
for how long they disagreed. With URLs, no config is needed: wait for the next change of the
home page or of a page in the first site's sitemap (or of those that --page names), and
measure how it spreads over all sites.

The window is given as a lower and an upper bound, which are computed from requests and
answers alone; see docs/window.md.

` + exitCodes,
		Example: `  mirror watch
  mirror watch --until 10m --csv answers.csv
  mirror watch https://me.github.io/ https://my-blog.example.com/ --page about/ --page feed.xml`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.watch(cmd.Context(), f, args) },
	}
	cmd.Flags().StringVar(&f.until, "until", "agree", "`agree`, or how long to watch at most, such as 10m")
	cmd.Flags().StringVar(&f.csv, "csv", "", "write every answer to this `file`")
	cmd.Flags().BoolVar(&f.places, "places", false, "without URLs: watch from the places of the agents too (vantages in the config, mirror agent)")
	cmd.Flags().StringArrayVar(&f.pages, "page", nil, "with URLs: watch this page, as a `path` below the URLs; may be repeated")
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
	log, err := output.OpenCSVLog(f.csv, a.secrets)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if len(urls) == 0 {
		return a.watchLocal(ctx, limited, f.places, log)
	}
	origins, o, err := a.nextChange(limited, f, urls)
	if err != nil {
		return noChange(ctx, limited, err)
	}
	o.See = log.Write
	return a.follow(limited, origins, &windows.Joint{Began: o.Began, Watch: watch.Start(limited, origins, o)}, nil)
}

// noChange tells that the time was over before there was anything to watch.
func noChange(ctx, limited context.Context, err error) error {
	if limited.Err() != nil && ctx.Err() == nil {
		return &exit{exitDisagree, errors.New("no change was seen in the time given")}
	}
	return err
}

// watchLocal watches where the origins differ from the local site, until limited ends.
func (a *app) watchLocal(ctx, limited context.Context, places bool, log *output.CSVLog) error {
	d := a.console().Progress()
	w, err := a.open(d)
	if err != nil {
		d.Close()
		return err
	}
	return errors.Join(a.fromPlaces(ctx, w, places, func() error {
		origins, o, err := w.WatchLocal(limited)
		d.Close()
		if err != nil {
			return noChange(ctx, limited, err)
		}
		o.See = log.Write
		j, notes := w.WatchFrom(limited, origins, o)
		return a.follow(limited, origins, j, notes)
	}), w.Close())
}

// nextChange waits for the next change of the sites.
func (a *app) nextChange(ctx context.Context, f watchFlags, urls []string) (origins []origin.Endpoint, o watch.Options, err error) {
	if f.places {
		return nil, o, usage(errors.New("--places is for the origins of a config, and agents look at no others"))
	}
	d := a.console().Progress()
	defer d.Close()
	sites, err := workspace.OpenSites(urls, workspace.SiteOptions{Rate: f.rate, Concurrency: 8, Timeout: 10 * time.Second}, d)
	if err != nil {
		return nil, o, err
	}
	o, err = sites.NextChange(ctx, f.pages)
	return sites.Origins, o, err
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
func (a *app) follow(ctx context.Context, origins []origin.Endpoint, j *windows.Joint, notes []string) error {
	live := a.console().Table(j.Began, a.texts())
	names := make([]string, len(origins))
	for i, at := range origins {
		names[i] = at.Name
	}
	late, status := live.Settle(ctx, j, names)
	window := j.Stop(ctx)
	live.Clear()
	verdict := watchExit(late, status)
	doc := reports.WindowOf(window)
	doc.Notes = slices.Concat(notes, j.Notes(), windows.Notes(window))
	doc.Ending = reports.Ending{Error: text(verdict), Warnings: a.warnings.Take()}
	return ending(verdict, a.show(doc))
}

// watchExit is 0 for a window that closed, 3 where those that are late never answered.
func watchExit(late []string, status []watch.Progress) error {
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
