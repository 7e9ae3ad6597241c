// Package service is a running daemon with what is around it: its dashboard, its log, the lock
// on the state folder, and the config that it reads again when it changes.
package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"mirror/diff"
	"mirror/internal/daemon"
	"mirror/internal/dashboard"
	"mirror/internal/history"
	"mirror/internal/notify"
	"mirror/internal/regular"
	"mirror/internal/secrets"
	"mirror/internal/vantage/group"
	"mirror/internal/workspace"
)

// Options say how a daemon runs.
type Options struct {
	// Open reads the config. h is the history that is open already, nil before.
	Open func(h *history.Store) (*workspace.Workspace, error)
	// Listen is the address of the dashboard in place of the config's; "" for that.
	Listen      string
	NoDashboard bool
	AllowRemote bool // listen beyond this machine without a token
	Getenv      func(string) string
	Log         *slog.Logger
	Version     string            // of the program, to be shown
	Secrets     *secrets.Scrubber // kept out of what is told and shown
}

// Run runs the daemon of the config until ctx ends.
func Run(ctx context.Context, o Options) error {
	return start(ctx, o, (*service).run)
}

// Once runs every check of the schedule once, and returns how the origins stand.
func Once(ctx context.Context, o Options) (states []diff.State, err error) {
	err = start(ctx, o, func(s *service, ctx context.Context) error {
		states, err = s.once(ctx)
		return err
	})
	return states, err
}

// start opens the config, takes the state folder for this daemon alone and runs do.
func start(ctx context.Context, o Options, do func(s *service, ctx context.Context) error) error {
	w, err := o.Open(nil)
	if err != nil {
		return err
	}
	if err := o.validate(w); err != nil {
		return &workspace.UsageError{Err: err}
	}
	lock, err := lockDaemon(w.State.Dir())
	if err != nil {
		return err
	}
	defer lock.Close()
	h, err := w.History(ctx)
	if err != nil {
		return err
	}
	s := &service{options: o, log: o.Log, history: h, space: w, waiting: stagedList{wanted: make(chan struct{}, 1)}}
	err = s.withPlaces(ctx, do)
	if closed := w.Close(); closed != nil {
		o.Log.Error("the history was not closed well", "err", closed)
	}
	return err
}

// withPlaces runs do while the agents of the config are reached, where it has any.
func (s *service) withPlaces(ctx context.Context, do func(s *service, ctx context.Context) error) error {
	if !s.space.Config.Vantages.On() {
		return do(s, ctx)
	}
	places, hub, err := s.space.OpenPlaces(ctx, false, s.log)
	if err != nil {
		return err
	}
	s.places = places
	s.space.LookFrom(places)
	return errors.Join(do(s, ctx), hub.Close())
}

// errDaemon means that another daemon runs with the same state folder.
var errDaemon = errors.New("another daemon runs here")

// lockDaemon takes the state folder for this daemon alone. Publishes by hand go on beside it.
func lockDaemon(state string) (*flock.Flock, error) {
	file := filepath.Join(state, "daemon.lock")
	lock := flock.New(file, flock.SetFlag(regular.LockFlags))
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
	options Options
	log     *slog.Logger
	history *history.Store
	daemon  *daemon.Daemon
	board   atomic.Pointer[dashboard.Dashboard]

	mu      sync.Mutex // guards space: one reload at a time
	space   *workspace.Workspace
	address net.Addr         // where it listens; nil for nowhere
	places  workspace.Places // of the agents; nil for none
	group   *group.Member    // nil without one

	waiting stagedList
}

// newDaemon makes the daemon of the config.
func (s *service) newDaemon() (daemon.Setup, error) {
	setup, err := s.space.DaemonSetup(s.log)
	if err != nil {
		return setup, &workspace.UsageError{Err: err}
	}
	owner, err := s.space.State.Owner()
	if err != nil {
		s.log.Warn("the times of jobs move at a restart", "err", err)
	}
	o := daemon.Options{
		History: s.history, Notify: notify.Options{Logger: s.log, Scrub: s.options.Secrets.Scrub}, Log: s.log, Changed: s.changed, Seed: owner, Name: owner,
	}
	if s.group != nil {
		o.Group, o.Seed = s.group, s.space.Config.Vantages.Group
	}
	s.daemon, err = daemon.New(setup, o)
	return setup, err
}

// run runs the daemon until ctx ends.
func (s *service) run(ctx context.Context) (err error) {
	if s.group, err = s.space.JoinGroup(ctx, s.places, s.log); err != nil {
		return err
	}
	if s.group != nil {
		defer s.group.Close()
	}
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
			stop() // without a dashboard the failure would stay unseen
		})
	}
	beside.Go(func() { s.followConfig(within) })
	if listener != nil {
		beside.Go(func() { s.followStaged(within) })
	}
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
	attrs := []any{"version", s.options.Version, "config", s.space.Config.File, "state", s.space.State.Dir(), "origins", len(setup.Origins)}
	if s.address != nil {
		attrs = append(attrs, "dashboard", "http://"+reachable(s.address.String())+"/")
	}
	s.log.Info("mirror daemon", attrs...)
	if len(s.space.Config.Schedule) == 0 {
		s.log.Info("the config has no schedule: the origins are checked every 15 minutes")
	}
	s.sayJobs()
	if len(setup.Recipients) == 0 {
		s.log.Info("the config has no notify: drift is reported in this log only")
	}
}

func (s *service) sayJobs() {
	runs := map[string]daemon.Kind{}
	for _, j := range s.daemon.Jobs() {
		runs[j.Name] = j.Kind
	}
	for _, j := range s.daemon.Status() {
		if runs[j.Job] == daemon.Rollback {
			continue // it has no slots
		}
		if j.Next.IsZero() {
			s.log.Warn("the job does not run any more: its time is over (hint: mirror history says whether it ran; mirror publish --release makes a staged release live by hand)", "name", j.Job, "run", string(runs[j.Job]), "when", j.Describe)
			continue
		}
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
	all.Go(func() { daemon.FollowFile(ctx, s.space.Config.File, s.log, s.reload) })
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
	w, err := s.options.Open(s.history)
	if err != nil {
		return err
	}
	if err := s.options.validate(w); err != nil {
		return err
	}
	w.LookFrom(s.places)
	setup, err := w.DaemonSetup(s.log)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(w.Config.Vantages, s.space.Config.Vantages) {
		s.log.Warn("other vantages need a restart")
	}
	if now := s.options.address(w); s.address != nil && now != s.options.address(s.space) {
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
func (s *service) once(ctx context.Context) ([]diff.State, error) {
	if _, err := s.newDaemon(); err != nil {
		return nil, err
	}
	verdicts, err := s.daemon.Once(ctx)
	var states []diff.State
	for _, v := range verdicts {
		states = append(states, v.State())
	}
	return states, err
}

func (s *service) changed() {
	if board := s.board.Load(); board != nil {
		board.Changed()
	}
}
