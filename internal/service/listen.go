package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"mirror/internal/daemon"
	"mirror/internal/dashboard"
	"mirror/internal/netname"
	"mirror/internal/oserr"
	"mirror/internal/static"
	"mirror/internal/workspace"
	"mirror/reports"
	"mirror/scheduler"
)

// address is where the daemon listens.
func (o Options) address(w *workspace.Workspace) string {
	if o.Listen != "" {
		return o.Listen
	}
	return w.Config.Daemon.Listen
}

// validate refuses to listen to everybody without anybody having said so.
func (o Options) validate(w *workspace.Workspace) error {
	address, variable := o.address(w), w.Config.Daemon.TokenEnv
	host, _, err := net.SplitHostPort(address)
	switch {
	case variable != "" && o.Getenv(variable) == "":
		return fmt.Errorf("daemon: the environment has no %s (token_env)", variable)
	case o.NoDashboard:
		return nil
	case err != nil:
		return fmt.Errorf("listen: %q is no address (hint: 127.0.0.1:8700)", address)
	case !netname.IsLoopback(host) && variable == "" && !o.AllowRemote:
		return fmt.Errorf("listen: %s can be reached from other machines, and there is no token (hint: listen on 127.0.0.1 behind a reverse proxy, "+
			"set daemon.token_env, or say --allow-remote: then everybody there can read what is shown)", address)
	}
	return nil
}

// listen opens the dashboard's port; nil without a dashboard.
func (s *service) listen(ctx context.Context) (net.Listener, error) {
	if s.options.NoDashboard {
		return nil, nil
	}
	address := s.options.address(s.space)
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if oserr.InUse(err) {
		return nil, fmt.Errorf("%w (hint: is another daemon running? --listen chooses another address, --no-dashboard none)", err)
	}
	if err != nil {
		return nil, netname.ListenError(address, err)
	}
	s.address = l.Addr()
	s.showBoard(s.space)
	return l, nil
}

// showBoard puts a dashboard for the config in the place of the one so far.
func (s *service) showBoard(w *workspace.Workspace) {
	if s.address == nil {
		return
	}
	if old := s.board.Swap(dashboard.New(s.boardOptions(w))); old != nil {
		old.Close() // open pages come back, to the new one
	}
}

func (s *service) boardOptions(w *workspace.Workspace) dashboard.Options {
	o := dashboard.Options{
		Source: s.history, Jobs: s.jobStatus, Overdue: s.daemon.Overdue, Hanging: s.daemon.Hanging, Notifications: s.sent, Version: s.options.Version, Log: s.log, Scrub: s.options.Secrets.Bytes, Notice: s.notice,
		Hosts: w.Config.Daemon.Hosts, Staged: s.staged,
		Check: s.trigger(daemon.Check),
	}
	if s.group != nil {
		o.Group = func() reports.Group {
			return reports.Group{Name: w.Config.Vantages.Group, Leads: s.group.Leads(), Leader: s.group.Leader()}
		}
	}
	for _, at := range w.Origins() {
		o.Origins = append(o.Origins, dashboard.Origin{Name: at.Name, URL: at.URL.String(), Front: at.Front})
	}
	for _, j := range s.daemon.Jobs() {
		if j.Kind == daemon.Publish {
			o.Publish = s.trigger(daemon.Publish)
		}
		if j.Kind == daemon.Rollback {
			o.Rollback = func(_ context.Context, release string) error { return begun(s.daemon.Rollback(release)) }
		}
	}
	if w.Config.Daemon.URL != nil {
		o.Hosts = append(o.Hosts, w.Config.Daemon.URL.Hostname())
	}
	if variable := w.Config.Daemon.TokenEnv; variable != "" {
		o.Token = s.options.Getenv(variable)
	}
	return o
}

// jobStatus is how the jobs stand, as the dashboard shows it.
func (s *service) jobStatus() []reports.Job {
	runs := map[string]daemon.Kind{}
	for _, j := range s.daemon.Jobs() {
		runs[j.Name] = j.Kind
	}
	var all []reports.Job
	for _, j := range s.daemon.Status() {
		if runs[j.Job] == daemon.Rollback {
			j.Describe = "on request"
		}
		all = append(all, reports.Job{
			Name: j.Job, Run: string(runs[j.Job]), Cron: j.Spec, Describe: j.Describe,
			Running: j.Running, Since: instantOf(j.Since), Next: instantOf(j.Next), Overdue: j.Overdue,
		})
	}
	return all
}

// instantOf is a time that a document may leave out: nil for zero.
func instantOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// sent counts messages.
func (s *service) sent() (sent, failed uint64) {
	for _, to := range s.daemon.Notifications() {
		sent += uint64(max(0, to.Delivered))
		failed += uint64(max(0, to.Failed))
	}
	return sent, failed
}

// notice tells of a config that was refused.
func (s *service) notice() string {
	if err := s.daemon.Refused(); err != nil {
		return "The config has changed and is refused; the one before stays. " + err.Error()
	}
	return ""
}

// trigger starts a job of a kind.
func (s *service) trigger(kind daemon.Kind) func(context.Context) error {
	return func(context.Context) error { return begun(s.daemon.Trigger(kind)) }
}

// begun is the dashboard's word for why work did not begin.
func begun(err error) error {
	if errors.Is(err, scheduler.ErrRunning) {
		return dashboard.ErrBusy
	}
	return err
}

// leave is how long requests in flight may take when the daemon stops.
const leave = time.Second

// serve answers until ctx ends.
func (s *service) serve(ctx context.Context, l net.Listener) error {
	server := static.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.board.Load().ServeHTTP(w, r) }))
	server.ReadTimeout = time.Minute
	server.ErrorLog = slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		s.board.Load().Close()
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), leave)
		defer cancel()
		if server.Shutdown(within) != nil {
			_ = server.Close() // cuts off those that would not finish
		}
	})
	err := server.Serve(l)
	if stop() { // it ended by itself
		return fmt.Errorf("dashboard: %w", err)
	}
	<-done
	return nil
}

// AskHealth asks the daemon that listens there whether it is alive. It needs no config where
// o.Listen says where that is.
func AskHealth(ctx context.Context, o Options) error {
	address := o.Listen
	if address == "" {
		w, err := o.Open(nil)
		if err != nil {
			return err
		}
		address = o.address(w)
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		return &workspace.UsageError{Err: fmt.Errorf("listen: %q is no address", address)}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+reachable(address)+"/healthz", nil)
	if err != nil {
		return err
	}
	answer, err := (&http.Client{Transport: &http.Transport{}}).Do(request)
	if err != nil {
		return fmt.Errorf("no daemon answers: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the daemon answers %s", answer.Status)
	}
	return nil
}

// reachable is an address under which this machine reaches who listens on another one: all
// of its addresses are none.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}
