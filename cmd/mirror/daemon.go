package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"mirror/diff"
	"mirror/internal/daemon"
	"mirror/internal/dashboard"
	"mirror/internal/history"
	"mirror/internal/notify"
)

// daemonFlags are the flags of daemon; their zero values leave the config's word.
type daemonFlags struct {
	listen      string
	logFormat   string
	once        bool
	health      bool
	noDashboard bool
	allowRemote bool
}

func (a *app) daemonCommand() *cobra.Command {
	var f daemonFlags
	cmd := &cobra.Command{
		Use:   "daemon",
		Short: "Check, publish and report by the config's schedule; dashboard, /metrics, alerts",
		Long: `Run the jobs of the config's schedule until told to stop, remember what they saw, tell the
places under notify when an origin drifts and when it is well again, and show it all on a
dashboard. Without a schedule the origins are checked every 15 minutes.

SIGTERM and Ctrl-C stop it cleanly (exit 0). When the config changes, or on SIGHUP, it is
read again; one that is wrong is refused, and the one before stays.

` + exitCodes,
		Example: `  mirror daemon
  mirror daemon --listen 127.0.0.1:9000 --log-format json
  mirror daemon --once         # run every check of the schedule once: for a timer of the system's own
  mirror daemon --health       # is the one that listens there alive? exit 0 or 3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.daemon(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "", "`address` of the dashboard (default the config's, or 127.0.0.1:8700)")
	flags.StringVar(&f.logFormat, "log-format", "auto", "`format` of the log on stderr: text, json, or auto")
	flags.BoolVar(&f.once, "once", false, "run every check of the schedule once, tell who is to be told, and exit")
	flags.BoolVar(&f.health, "health", false, "ask the daemon that listens there whether it is alive, and exit")
	flags.BoolVar(&f.noDashboard, "no-dashboard", false, "listen nowhere")
	flags.BoolVar(&f.allowRemote, "allow-remote", false, "listen beyond this machine without a token: everybody there can read what is shown")
	return cmd
}

func (a *app) daemon(ctx context.Context, f daemonFlags) error {
	handler, err := a.logHandler(f.logFormat)
	if err != nil {
		return usage(err)
	}
	if len(a.only) > 0 {
		return usage(errors.New("--target: the daemon looks at all targets (hint: leave it out, or use another config)"))
	}
	if f.health && f.listen != "" { // no config is needed for that
		return askHealth(ctx, f.listen)
	}
	w, err := a.open()
	if err != nil {
		return err
	}
	if f.health {
		return askHealth(ctx, f.address(w))
	}
	if err := f.judge(w); err != nil {
		return usage(err)
	}
	lock, err := lockDaemon(w.state.Dir())
	if err != nil {
		return err
	}
	defer lock.Close()
	h, err := history.Open(ctx, w.state.History())
	if err != nil {
		return err
	}
	h.ScrubWith(a.secrets.Scrub)
	s := &service{app: a, flags: f, log: slog.New(handler), history: h, space: w}
	if f.once {
		return errors.Join(s.once(ctx), h.Close())
	}
	return errors.Join(s.run(ctx), h.Close())
}

// ErrDaemon means that another daemon runs with the same state folder.
var errDaemon = errors.New("another daemon runs here")

// lockDaemon takes the state folder for this daemon alone. Publishes by hand go on beside it.
func lockDaemon(state string) (*flock.Flock, error) {
	file := filepath.Join(state, "daemon.lock")
	lock := flock.New(file)
	switch held, err := lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("daemon: %w (hint: the state folder must be writable: --state)", err)
	case !held:
		return nil, fmt.Errorf("%w: it holds %s (hint: stop it, or give this one a state folder of its own with --state)", errDaemon, file)
	}
	return lock, nil
}

// service is a running daemon and what is around it.
type service struct {
	app     *app
	flags   daemonFlags
	log     *slog.Logger
	history *history.Store
	daemon  *daemon.Daemon
	board   atomic.Pointer[dashboard.Dashboard]

	mu      sync.Mutex // one reload at a time
	space   *workspace
	address net.Addr // where it listens; nil for nowhere
}

// newDaemon makes the daemon of the config.
func (s *service) newDaemon() (daemon.Setup, error) {
	setup, err := s.setup(s.space)
	if err != nil {
		return setup, usage(err)
	}
	owner, err := s.space.state.Owner()
	if err != nil {
		s.log.Warn("the times of jobs move at a restart", "err", err)
	}
	s.daemon, err = daemon.New(setup, daemon.Options{
		History: s.history, Notify: notify.Options{Logger: s.log, Scrub: s.app.secrets.Scrub}, Log: s.log, Changed: s.changed, Seed: owner,
	})
	return setup, err
}

// run runs the daemon until ctx ends.
func (s *service) run(ctx context.Context) error {
	setup, err := s.newDaemon()
	if err != nil {
		return err
	}
	listener, err := s.listen(ctx)
	if err != nil {
		return err
	}
	s.greet(setup)
	within, stop := context.WithCancel(ctx)
	defer stop()
	var beside sync.WaitGroup
	var serving error
	if listener != nil {
		beside.Go(func() {
			serving = s.serve(within, listener)
			stop() // without a dashboard nobody would know
		})
	}
	beside.Go(func() { s.followConfig(within) })
	err = s.daemon.Run(within)
	stop()
	beside.Wait()
	s.log.Info("stopped")
	if err != nil {
		s.log.Warn("not everything came to its end", "err", err) // and is so remembered
	}
	return serving
}

// greet says what is going to happen.
func (s *service) greet(setup daemon.Setup) {
	attrs := []any{"version", version, "config", s.space.config.File, "state", s.space.state.Dir(), "origins", len(setup.Origins)}
	if s.address != nil {
		attrs = append(attrs, "dashboard", "http://"+reachable(s.address.String())+"/")
	}
	s.log.Info("mirror daemon", attrs...)
	if len(s.space.config.Schedule) == 0 {
		s.log.Info("the config has no schedule: the origins are checked every 15 minutes")
	}
	s.sayJobs()
	if len(setup.Recipients) == 0 {
		s.log.Info("the config has no notify: nobody is told of drift but this log")
	}
}

func (s *service) sayJobs() {
	runs := map[string]daemon.Kind{}
	for _, j := range s.daemon.Jobs() {
		runs[j.Name] = j.Run
	}
	for _, j := range s.daemon.Status() {
		s.log.Info("job", "name", j.Job, "run", string(runs[j.Job]), "when", j.Describe, "next", j.Next.Format(time.RFC3339))
	}
}

// followConfig reads the config again when it changes, and on SIGHUP.
func (s *service) followConfig(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { daemon.FollowFile(ctx, s.space.config.File, s.log, s.reload) })
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			s.reload()
		}
	}
}

// reload puts the config as it is now in the place of the one so far, unless it is wrong.
func (s *service) reload() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.replace(); err != nil {
		s.log.Error("the config has changed and is refused; the one before stays", "err", err)
		s.daemon.Refuse(err)
		return
	}
	s.log.Info("the config was read again")
	s.sayJobs()
}

func (s *service) replace() error {
	w, err := s.app.open()
	if err != nil {
		return err
	}
	if err := s.flags.judge(w); err != nil {
		return err
	}
	setup, err := s.setup(w)
	if err != nil {
		return err
	}
	if now := s.flags.address(w); s.address != nil && now != s.flags.address(s.space) {
		s.log.Warn("another address needs a restart", "listen", now)
	}
	if err := s.daemon.Replace(setup); err != nil {
		return err
	}
	s.space = w
	s.showBoard(w)
	return nil
}

// once runs every check once.
func (s *service) once(ctx context.Context) error {
	if _, err := s.newDaemon(); err != nil {
		return err
	}
	verdicts, err := s.daemon.Once(ctx)
	if err != nil {
		return err
	}
	var states []diff.State
	for _, v := range verdicts {
		states = append(states, v.State())
	}
	return stateExit(diff.Worst(states...))
}

func (s *service) changed() {
	if board := s.board.Load(); board != nil {
		board.Changed()
	}
}
