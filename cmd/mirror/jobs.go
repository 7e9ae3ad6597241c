package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"mirror/diff"
	"mirror/internal/config"
	"mirror/internal/daemon"
	"mirror/internal/history"
	"mirror/internal/notify"
	"mirror/internal/publish"
	"mirror/reports"
	"mirror/scheduler"
	"mirror/targets"
)

// setup is what a config asks of the daemon.
func (s *service) setup(w *workspace) (daemon.Setup, error) {
	jobs, err := jobsOf(w.config)
	if err != nil {
		return daemon.Setup{}, err
	}
	recipients, err := w.recipients()
	if err != nil {
		return daemon.Setup{}, err
	}
	dir, err := filepath.Abs(w.config.Site.Dir)
	if err != nil {
		return daemon.Setup{}, err
	}
	c := w.config.Daemon
	setup := daemon.Setup{
		Jobs: jobs, Work: s.work(w), Recipients: recipients, Site: dir, Ignored: w.ignored, WindowLimit: c.WindowLimit,
	}
	for _, o := range w.origins() {
		setup.Origins = append(setup.Origins, o.Name)
	}
	if slices.ContainsFunc(jobs, func(j daemon.Job) bool { return j.Run == daemon.Check }) && len(setup.Origins) == 0 {
		return setup, fmt.Errorf("%s: no target has an origin, so there is nothing to check (hint: add origin: {url: …})", w.config.File)
	}
	if c.URL != nil {
		setup.Link = c.URL.String()
	}
	return setup, nil
}

// ignored reports whether a path in the site's folder is not published.
func (w *workspace) ignored(path string) bool {
	if path == ".git" {
		return true
	}
	return slices.ContainsFunc(w.excludes(), func(glob string) bool { return doublestar.MatchUnvalidated(glob, path) })
}

// jobsOf makes jobs of the config's schedule. Where it has none the origins are checked every
// 15 minutes. What is too old is forgotten once a day in any case.
func jobsOf(c *config.Config) ([]daemon.Job, error) {
	listed := slices.Clone(c.Schedule)
	if len(listed) == 0 {
		listed = append(listed, config.Job{Name: "check", Cron: "*/15 * * * *", Run: "check", Timeout: time.Hour, CatchUp: true})
	}
	if !slices.ContainsFunc(listed, func(j config.Job) bool { return j.Run == "prune" }) {
		name := "prune"
		for slices.ContainsFunc(listed, func(j config.Job) bool { return j.Name == name }) {
			name = "daily-" + name
		}
		listed = append(listed, config.Job{Name: name, Cron: "17 3 * * *", Run: "prune", Timeout: time.Hour, Jitter: time.Hour, CatchUp: true})
	}
	var jobs []daemon.Job
	for _, j := range listed {
		schedule, err := scheduler.Parse(j.Cron)
		if err != nil {
			return nil, fmt.Errorf("job %s: %w", j.Name, err)
		}
		jobs = append(jobs, daemon.Job{
			Name: j.Name, Run: daemon.Kind(j.Run), Schedule: schedule, Timeout: j.Timeout, Jitter: j.Jitter,
			CatchUp: j.CatchUp, Watch: j.Watch, Build: j.Build,
		})
	}
	return jobs, nil
}

// recipients are the places that the config notifies.
func (w *workspace) recipients() ([]notify.Recipient, error) {
	var all []notify.Recipient
	for _, n := range w.config.Notify {
		r := notify.Recipient{Name: n.Name, URL: notify.Secret(n.URL), On: kindsOf(n.On), Urgent: kindsOf(n.Urgent)}
		if n.SecretEnv != "" {
			r.Key = notify.Secret(w.app.getenv(n.SecretEnv))
			if r.Key == "" {
				return nil, fmt.Errorf("notify %s: the environment has no %s (secret_env), and what is sent would not be signed", n.Name, n.SecretEnv)
			}
		}
		if n.Quiet != "" {
			quiet, err := notify.ParseQuiet(n.Quiet)
			if err != nil {
				return nil, fmt.Errorf("notify %s: quiet: %w", n.Name, err)
			}
			r.Quiet = quiet
		}
		all = append(all, r)
	}
	return all, nil
}

func kindsOf(names []string) []notify.Kind {
	var all []notify.Kind
	for _, name := range names {
		all = append(all, notify.Kind(name))
	}
	return all
}

// work is what the jobs do: the same as the commands.
func (s *service) work(w *workspace) daemon.Work {
	work := daemon.Work{
		Check: func(ctx context.Context, log io.Writer) (diff.Verdict, error) {
			in := s.within(w, log)
			defer in.end()
			if err := in.awaitPublish(ctx); err != nil {
				return diff.Verdict{}, err
			}
			g := gate{unreachable: "0", published: true}
			if err := g.judge(); err != nil {
				return diff.Verdict{}, err
			}
			return in.check(ctx, g)
		},
		Publish: func(ctx context.Context, log io.Writer) (history.Publish, error) {
			in := s.within(w, log)
			defer in.end()
			if err := in.awaitPublish(ctx); err != nil {
				return history.Publish{}, err
			}
			report, err := in.release(ctx, publishFlags{})
			if report == nil {
				return history.Publish{Outcome: string(publish.Failed)}, err
			}
			for _, warning := range report.Warnings {
				in.app.warnings.add("%s", warning)
			}
			return rememberedPublish(report), failure(report, err)
		},
		Report: func(ctx context.Context, job string, since, until time.Time, log io.Writer) error {
			in := s.within(w, log)
			defer in.end()
			return in.writeReport(ctx, s.history, job, since, until)
		},
		Prune: func(ctx context.Context, log io.Writer) error {
			in := s.within(w, log)
			defer in.end()
			return in.prune(ctx, s.history)
		},
	}
	if w.config.Site.Build != "" {
		work.Build = func(ctx context.Context, log io.Writer) error {
			in := s.within(w, log)
			defer in.end()
			return in.build(ctx)
		}
	}
	return work
}

// runWorkspace is a workspace for one run of a job, whose output is kept.
type runWorkspace struct {
	*workspace
	end func() // of the run: what it printed last is told
}

// within prints what is done to the run's log, and to the daemon's where that shows details.
func (s *service) within(w *workspace, log io.Writer) runWorkspace {
	quiet := *s.app
	lines, detail := io.Pipe()
	told := make(chan struct{})
	go func() {
		defer close(told)
		for scan := bufio.NewScanner(lines); scan.Scan(); {
			s.log.Debug(scan.Text())
		}
		_, _ = io.Copy(io.Discard, lines) // a line was too long; what wrote it must not wait
	}()
	scrubbed := s.app.secrets.Writer(io.MultiWriter(log, detail))
	quiet.stderr, quiet.stdout, quiet.quiet, quiet.verbose = scrubbed, io.Discard, false, true
	quiet.warnings = &warnings{}
	in := *w
	in.app = &quiet
	return runWorkspace{&in, func() {
		for _, warning := range quiet.warnings.take() {
			fmt.Fprintf(quiet.stderr, "warning  %s\n", reports.Clean(warning))
		}
		_ = scrubbed.Flush() // to memory
		_ = detail.Close()   // it never fails
		<-told
	}}
}

// awaitPublish waits while somebody else publishes from the same state folder: in the middle
// of that, origins do not agree.
func (w runWorkspace) awaitPublish(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for said := false; ; said = true {
		journal, _, err := publish.OpenJournal(w.state.Dir())
		if err == nil {
			return journal.Close()
		}
		if !errors.Is(err, publish.ErrBusy) {
			return err
		}
		if !said {
			fmt.Fprintln(w.app.stderr, "another publish is running here; waiting for its end")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", err, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// rememberedPublish is what the history keeps of a publish.
func rememberedPublish(r *publish.Report) history.Publish {
	p := history.Publish{Outcome: string(r.Outcome), Release: r.Release, Previous: r.Previous, Files: r.Files, Window: r.Window}
	for _, t := range r.Targets {
		p.Sent += t.SentBytes
	}
	return p
}

// failure is why a publish is not live everywhere, nil where it is.
func failure(r *publish.Report, err error) error {
	if err != nil {
		return err
	}
	if publishExit(r, nil) != nil {
		return fmt.Errorf("the publish is %s: the origins do not agree", r.Outcome)
	}
	return nil
}

// runsKept is for how long runs are remembered at most: their logs are long.
const runsKept = 30 * 24 * time.Hour

// prune forgets what is too old, here and on the targets.
func (w runWorkspace) prune(ctx context.Context, h *history.Store) error {
	d := w.app.display()
	defer d.Close()
	keep := time.Duration(w.config.Daemon.KeepDays) * 24 * time.Hour
	pruned, err := h.Prune(ctx, time.Now(), history.Retention{
		Checks: keep, Episodes: keep, Publishes: keep, Runs: min(keep, runsKept), Bytes: int64(w.config.Daemon.MaxSizeMB) * 1_000_000,
	})
	if err != nil {
		return err
	}
	d.line("history  forgot %d checks, %d episodes, %d publishes, %d runs; %d bytes less", pruned.Checks, pruned.Episodes, pruned.Publishes, pruned.Runs, pruned.Bytes)
	return w.pruneTargets(ctx, h, d)
}

// pruneTargets has the targets drop the releases that are beyond the newest.
func (w runWorkspace) pruneTargets(ctx context.Context, h *history.Store, d *display) error {
	keep, err := w.retention(ctx, h)
	if err != nil {
		return err
	}
	dests, err := w.destinations(ctx)
	errs := []error{err}
	for _, dest := range dests {
		if p, ok := dest.Target.(targets.Pruner); ok {
			if err := p.Prune(ctx, keep); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", dest.Name, err))
				continue
			}
			d.Note(dest.Name, "old releases are dropped")
		}
	}
	return errors.Join(errs...)
}
