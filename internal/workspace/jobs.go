package workspace

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"mirror/diff"
	"mirror/internal/config"
	"mirror/internal/daemon"
	"mirror/internal/history"
	"mirror/internal/notify"
	"mirror/internal/publish"
	"mirror/reports"
	"mirror/scheduler"
)

// DaemonSetup is what the config asks of the daemon. What the runs of its jobs print goes to
// log as well, where that shows details.
func (w *Workspace) DaemonSetup(log *slog.Logger) (daemon.Setup, error) {
	jobs, err := jobsOf(w.Config)
	if err != nil {
		return daemon.Setup{}, err
	}
	recipients, err := w.Recipients()
	if err != nil {
		return daemon.Setup{}, err
	}
	dir, err := filepath.Abs(w.Config.Site.Dir)
	if err != nil {
		return daemon.Setup{}, err
	}
	c := w.Config.Daemon
	setup := daemon.Setup{
		Jobs: jobs, Work: w.work(log), Recipients: recipients, Config: w.fingerprint(), Site: dir, Ignored: w.Ignores, WindowLimit: c.WindowLimit,
	}
	if last := w.leftover(); last.Interrupted() {
		setup.Broken, setup.Unfinished = !last.Rollback, last.Rollback
	}
	for _, o := range w.Origins() {
		setup.Origins = append(setup.Origins, o.Name)
	}
	if slices.ContainsFunc(jobs, func(j daemon.Job) bool { return j.Kind == daemon.Check }) && len(setup.Origins) == 0 {
		return setup, fmt.Errorf("%s: no target has an origin, so there is nothing to check (hint: add origin: {url: …})", w.Config.File)
	}
	if c.URL != nil {
		setup.Link = c.URL.String()
	}
	return setup, nil
}

// leftover is what the latest publish from here left, nothing while one runs: that will end.
func (w *Workspace) leftover() publish.Page {
	journal, last, err := publish.OpenJournal(w.State.Dir())
	if err != nil || journal.Close() != nil {
		return publish.Page{}
	}
	return last
}

// jobsOf makes jobs of the config's schedule. Where it has none the origins are checked every
// 15 minutes. What is too old is forgotten once a day in any case. The job of rollbacks has no slots.
func jobsOf(c *config.Config) ([]daemon.Job, error) {
	listed := slices.Clone(c.Schedule)
	if len(listed) == 0 {
		listed = append(listed, config.Job{Name: "check", Cron: "*/15 * * * *", Run: "check", Timeout: time.Hour, CatchUp: true})
	}
	if !slices.ContainsFunc(listed, func(j config.Job) bool { return j.Run == "prune" }) {
		listed = append(listed, config.Job{Name: freeName(listed, "daily-", "prune"), Cron: "17 3 * * *", Run: "prune", Timeout: time.Hour, Jitter: time.Hour, CatchUp: true})
	}
	var jobs []daemon.Job
	for _, j := range listed {
		schedule, err := scheduler.Parse(j.Cron)
		if err != nil {
			return nil, fmt.Errorf("job %s: %w", j.Name, err)
		}
		job := daemon.Job{
			Name: j.Name, Kind: daemon.Kind(j.Run), Schedule: schedule, Timeout: j.Timeout, Jitter: j.Jitter,
			CatchUp: j.CatchUp, Watch: j.Watch, Build: j.Build, Release: j.Release,
		}
		if j.Release != "" {
			job.Kind = daemon.Release
		}
		jobs = append(jobs, job)
	}
	if c.Daemon.TokenEnv != "" && len(c.Targets) > 0 { // those with the token may ask for it
		jobs = append(jobs, daemon.Job{Name: freeName(listed, "requested-", "rollback"), Kind: daemon.Rollback, Timeout: time.Hour})
	}
	return jobs, nil
}

// freeName is a name that no job has: name, after as many prefixes as that takes.
func freeName(jobs []config.Job, prefix, name string) string {
	for slices.ContainsFunc(jobs, func(j config.Job) bool { return j.Name == name }) {
		name = prefix + name
	}
	return name
}

// Recipients are the places that the config notifies.
func (w *Workspace) Recipients() ([]notify.Recipient, error) {
	var all []notify.Recipient
	for _, n := range w.Config.Notify {
		r := notify.Recipient{Name: n.Name, URL: notify.Secret(n.URL), On: kindsOf(n.On), Urgent: kindsOf(n.Urgent)}
		if n.SecretEnv != "" {
			r.Key = notify.Secret(w.options.Getenv(n.SecretEnv))
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

// TestRecipients sends a test message to every recipient and tells who took it. What is wrong with the
// config is a *UsageError.
func (w *Workspace) TestRecipients(ctx context.Context) (reports.NotifyTest, error) {
	doc := reports.NotifyTest{Schema: reports.NotifySchema, Results: []reports.NotifyResult{}}
	recipients, err := w.Recipients()
	if err != nil {
		return doc, usage(err)
	}
	if len(recipients) == 0 {
		return doc, usage(fmt.Errorf("%s: no recipient is configured (hint: notify: [{url: …}]; docs/notify.md has the services)", w.Config.File))
	}
	for _, r := range notify.Test(ctx, recipients) {
		doc.Results = append(doc.Results, reports.NotifyResult{Name: r.Name, To: r.To, OK: r.Err == nil, Error: text(r.Err), Elapsed: reports.Millis(r.Took)})
	}
	return doc, nil
}

func kindsOf(names []string) []notify.Kind {
	var all []notify.Kind
	for _, name := range names {
		all = append(all, notify.Kind(name))
	}
	return all
}

// work is what the jobs do: the same as the commands.
func (w *Workspace) work(log *slog.Logger) daemon.Work {
	work := daemon.Work{
		Check: func(ctx context.Context, out io.Writer) (diff.Verdict, error) {
			run, end := w.begin(out, log)
			defer end()
			if err := run.awaitPublish(ctx); err != nil {
				return diff.Verdict{}, err
			}
			verdict, err := run.CheckUnrecorded(ctx, CheckOptions{Published: true, Excerpts: true})
			if err == nil {
				run.rescueLost(ctx, &verdict)
			}
			return verdict, err
		},
		Publish:  w.publishWork(log),
		Release:  w.releaseWork(log),
		Rollback: w.rollbackWork(log),
		Report: func(ctx context.Context, job string, since, until time.Time, out io.Writer) error {
			run, end := w.begin(out, log)
			defer end()
			return run.writeReport(ctx, job, since, until)
		},
		Prune: func(ctx context.Context, out io.Writer) error {
			run, end := w.begin(out, log)
			defer end()
			return run.PruneAll(ctx)
		},
	}
	if w.Config.Site.Build != "" {
		work.Build = func(ctx context.Context, out io.Writer) error {
			run, end := w.begin(out, log)
			defer end()
			return run.RunBuild(ctx)
		}
	}
	return work
}

// publishWork is what a job that publishes does.
func (w *Workspace) publishWork(log *slog.Logger) func(context.Context, io.Writer) (history.Publish, error) {
	return func(ctx context.Context, out io.Writer) (history.Publish, error) {
		run, end := w.begin(out, log)
		defer end()
		if err := run.awaitPublish(ctx); err != nil {
			return history.Publish{Outcome: string(publish.Failed)}, err // nothing was begun
		}
		report, err := run.publish(ctx, PublishOptions{})
		if report == nil {
			return history.Publish{Outcome: string(publish.Failed)}, err
		}
		return run.rowOf(report), failure(report, err)
	}
}

// rollbackWork is what a job that rolls back does.
func (w *Workspace) rollbackWork(log *slog.Logger) func(context.Context, daemon.RollbackRequest, io.Writer) (history.Publish, error) {
	return func(ctx context.Context, r daemon.RollbackRequest, out io.Writer) (history.Publish, error) {
		run, end := w.begin(out, log)
		defer end()
		if err := run.awaitPublish(ctx); err != nil {
			return history.Publish{}, err
		}
		report, err := run.rollback(ctx, RollbackOptions{Release: r.Release, Resume: r.Resume})
		if errors.Is(err, errNothingToResume) {
			run.Line("%v: other releases have gone live since", err)
			return history.Publish{}, nil
		}
		if report == nil {
			return history.Publish{}, err
		}
		return run.rowOf(report), failure(report, err)
	}
}

// rowOf is what the history keeps of a publish by a job, whose warnings are added to those of the run.
func (w *Workspace) rowOf(r *publish.Report) history.Publish {
	for _, warning := range r.Warnings {
		w.options.Warnings.Add("%s", warning)
	}
	return publishRow(r)
}

// releaseWork makes a staged release live. One that went live before is not published again.
func (w *Workspace) releaseWork(log *slog.Logger) func(ctx context.Context, release string, out io.Writer) (history.Publish, error) {
	return func(ctx context.Context, release string, out io.Writer) (history.Publish, error) {
		run, end := w.begin(out, log)
		defer end()
		if err := run.awaitPublish(ctx); err != nil {
			return history.Publish{Outcome: string(publish.Failed)}, err
		}
		report, err := run.publish(ctx, PublishOptions{Release: release})
		switch {
		case errors.Is(err, errWentLive):
			run.Line("%v", err)
			return history.Publish{}, nil
		case report == nil:
			return history.Publish{Outcome: string(publish.Failed)}, err
		}
		return run.rowOf(report), failure(report, err)
	}
}

// begin returns the workspace for one run of a job, which prints to out and, line by line, to
// log's details. End it: what the run printed last is told then.
func (w *Workspace) begin(out io.Writer, log *slog.Logger) (run *Workspace, end func()) {
	lines, detail := io.Pipe()
	told := make(chan struct{})
	go func() {
		defer close(told)
		for scan := bufio.NewScanner(lines); scan.Scan(); {
			log.Debug(scan.Text())
		}
		_, _ = io.Copy(io.Discard, lines) // a line was too long; what wrote it must not wait
	}()
	both := w.options.Secrets.Writer(io.MultiWriter(out, detail))
	run = w.With(NewLines(both), both, slog.New(slog.NewTextHandler(both, nil)))
	run.options.Warnings = &Warnings{}
	return run, func() {
		for _, warning := range run.options.Warnings.Take() {
			run.Line("warning  %s", warning)
		}
		_ = both.Flush()   // to memory
		_ = detail.Close() // it never fails
		<-told
	}
}

// awaitPublish waits while another process publishes from the same state folder: in the middle
// of that, origins do not agree.
func (w *Workspace) awaitPublish(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for said := false; ; said = true {
		journal, _, err := publish.OpenJournal(w.State.Dir())
		if err == nil {
			return journal.Close()
		}
		if !errors.Is(err, publish.ErrBusy) {
			return err
		}
		if !said {
			w.options.Events.Line("another publish is running here; waiting for its end")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", err, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// failure is why a publish is not live everywhere, nil where it is.
func failure(r *publish.Report, err error) error {
	if err != nil {
		return err
	}
	if r.Outcome != publish.Live && r.Outcome != publish.Unchanged {
		return disagreement(r)
	}
	return nil
}
