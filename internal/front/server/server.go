// Package server serves a front to visitors: it listens, writes the access log, shows the status, and lets
// requests in flight finish when it is told to stop.
package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"mirror/internal/front"
	"mirror/internal/front/accesslog"
	"mirror/internal/front/admin"
	"mirror/internal/regular"
	"mirror/internal/static"
)

// Options say how a front is served.
type Options struct {
	Listen string // address
	// Token is for the status; "" shows it to this machine alone.
	Token   string
	Version string // of the program

	AccessLog string // file, - for Stderr, "" for none
	Format    accesslog.Format
	Stderr    io.Writer

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
	handler, done, err := handlerOf(f, o)
	if err != nil {
		return err
	}
	defer done()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("front: %w (hint: --listen chooses another address)", err)
	}
	if o.Listening != nil {
		o.Listening(l.Addr())
	}
	following, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); f.Run(following) }()
	err = static.ServeBy(ctx, newServer(handler, o.Log), l)
	stop()
	<-ended
	return err
}

func newServer(h http.Handler, log *slog.Logger) *http.Server {
	s := static.NewServer(h)
	s.DisableGeneralOptionsHandler = true
	s.ReadTimeout, s.WriteTimeout, s.MaxHeaderBytes = readTime, writeTime, maxHeader
	if log != nil {
		s.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	}
	return s
}

// handlerOf returns what answers visitors. Call done when the last request is over.
func handlerOf(f *front.Front, o Options) (h http.Handler, done func(), err error) {
	h, done = admin.New(f, o.Token, o.Version), func() {}
	switch o.AccessLog {
	case "":
		return h, done, nil
	case "-":
		return accesslog.Handler(h, o.Stderr, o.Format), done, nil
	}
	file, err := regular.OpenFile(o.AccessLog, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return nil, nil, fmt.Errorf("front.access_log: %w", err)
	}
	return accesslog.Handler(h, file, o.Format), func() { _ = file.Close() }, nil // each line was written as a whole
}
