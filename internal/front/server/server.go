// Package server serves a front to visitors: it listens, writes the access log, shows the status, and lets
// requests in flight finish when it is told to stop.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"mirror/internal/activation"
	"mirror/internal/front"
	"mirror/internal/front/accesslog"
	"mirror/internal/front/admin"
	"mirror/internal/front/hint"
	"mirror/internal/static"
)

// Options say how a front is served.
type Options struct {
	Listen string // address
	// Token is for the status; "" shows it to this machine alone.
	Token   string
	HintKey string // signs hints of publishes; "" takes none
	Version string // of the program

	TLS       TLS
	AccessLog string // file, - for Stderr, "" for none
	Format    accesslog.Format
	Stderr    io.Writer

	// Sockets are those that were passed to this process; nil for none.
	Sockets *activation.Sockets

	// Hangup has the access log opened again, after a log rotation, and the certificate read again; nil for never.
	Hangup <-chan os.Signal

	Log *slog.Logger
	// Listening is told of the address once visitors can connect; nil for none.
	Listening func(address net.Addr)
}

// The bounds of a request. A body takes as long as its size allows: see the front.
const (
	readTime  = 30 * time.Second
	writeTime = time.Minute
	maxHeader = 32 << 10
)

// gcPercent is how much the heap may grow before it is collected: memory counts more than the time for that.
const gcPercent = 50

// Run serves a front, and has it follow its origins, until ctx ends. Then requests in flight may finish.
func Run(ctx context.Context, f *front.Front, o Options) error {
	if os.Getenv("GOGC") == "" { // most of the heap is contents and manifests, which stay
		defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	handler, file, err := handlerOf(f, o)
	if err != nil {
		return err
	}
	if file != nil {
		defer func() { _ = file.Close() }() // each line was written as a whole
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var all errgroup.Group
	listeners, err := listen(ctx, o)
	if err != nil {
		return err
	}
	if o.TLS.on() {
		handler = withHSTS(handler, o.TLS.HSTS)
	}
	all.Go(func() error { f.Run(ctx); return nil })
	serve := static.ServeBy
	if listeners.passed {
		serve = static.HandOver
		waitForRelease(ctx, f)
	}
	all.Go(func() error { defer stop(); return serve(ctx, newServer(handler, o.Log), listeners.visitors) })
	if listeners.plain != nil {
		all.Go(func() error {
			defer stop()
			return serve(ctx, newServer(listeners.redirect(), o.Log), listeners.plain)
		})
	}
	if listeners.issuer != nil {
		all.Go(func() error { listeners.issuer.Run(ctx); return nil })
	}
	all.Go(func() error { reopen(ctx, o, file, listeners.files); return nil })
	if o.Listening != nil {
		o.Listening(listeners.address)
	}
	return all.Wait()
}

// readyTime is how long a front whose socket was passed waits for its first release: visitors that the process before
// has left in the queue get an answer then, and no error.
const readyTime = 15 * time.Second

func waitForRelease(ctx context.Context, f *front.Front) {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	f.Ready(ctx)
}

// listeners are where visitors connect.
type listeners struct {
	visitors net.Listener
	address  net.Addr
	port     int
	plain    net.Listener // for the redirect to https, nil for none
	passed   bool         // visitors was passed by another process
	secure
}

// redirect is what answers plain http.
func (l listeners) redirect() http.Handler {
	if l.issuer == nil {
		return toHTTPS(l.port)
	}
	return l.issuer.Plain(toHTTPS(l.port))
}

func listen(ctx context.Context, o Options) (l listeners, err error) {
	if l.secure, err = o.TLS.open(o.Log); err != nil {
		return l, err
	}
	if l.visitors, l.passed, err = o.Sockets.Listen(ctx, o.Listen); err != nil {
		return l, fmt.Errorf("front: --listen: %w", err)
	}
	l.address = l.visitors.Addr()
	if at, ok := l.address.(*net.TCPAddr); ok {
		l.port = at.Port
	}
	if l.config == nil {
		return l, nil
	}
	if o.TLS.Redirect != "" {
		if l.plain, _, err = o.Sockets.ListenRedirect(ctx, o.TLS.Redirect); err != nil {
			return l, errors.Join(fmt.Errorf("front.tls.redirect: %w", err), l.visitors.Close())
		}
	}
	l.visitors = tls.NewListener(l.visitors, l.config)
	return l, nil
}

func newServer(h http.Handler, log *slog.Logger) *http.Server {
	s := static.NewServer(h)
	s.DisableGeneralOptionsHandler = true
	s.ReadTimeout, s.WriteTimeout, s.MaxHeaderBytes = readTime, writeTime, maxHeader
	s.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	return s
}

// reopen opens the access log and reads the certificate again each time that Hangup says so, until ctx ends.
func reopen(ctx context.Context, o Options, file *accesslog.File, files *certificate) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.Hangup:
		}
		if files != nil {
			files.look()
		}
		if file != nil {
			if err := file.Reopen(); err != nil {
				o.Log.Warn("the access log cannot be opened again, the file of before stays in use", "err", err)
			}
		}
		o.Log.Info("the access log and the certificate are read again (hint: after a change of the config, restart the front)")
	}
}

// handlerOf returns what answers visitors, and the access log, nil if that is no file.
func handlerOf(f *front.Front, o Options) (http.Handler, *accesslog.File, error) {
	h := admin.New(f, o.Token, o.Version)
	if o.HintKey != "" {
		hints, err := hint.NewReceiver(o.HintKey, func(hint.Hint) { f.Hint() })
		if err != nil {
			return nil, nil, fmt.Errorf("front.hint_key_env: %w", err)
		}
		h.TakeHints(hints)
	}
	switch o.AccessLog {
	case "":
		return h, nil, nil
	case "-":
		return accesslog.Handler(h, o.Stderr, o.Format), nil, nil
	}
	file, err := accesslog.OpenFile(o.AccessLog)
	if err != nil {
		return nil, nil, fmt.Errorf("front.access_log: %w", err)
	}
	return accesslog.Handler(h, file, o.Format), file, nil
}
