package static

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// drain is how long requests in flight may take to finish after the server was told to stop.
const drain = 10 * time.Second

// NewServer returns a server for h that no client can hold up: headers must come within
// 10 s, and an idle connection is closed after two minutes. Bodies may take their time.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

// Serve serves h on l until ctx ends, then lets requests in flight finish, for 10 s at
// most, and returns nil. l is closed in any case.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	return ServeBy(ctx, NewServer(h), l)
}

// ServeBy is Serve with a server of the caller's own.
func ServeBy(ctx context.Context, s *http.Server, l net.Listener) error {
	stopped := make(chan error, 1)
	cancel := context.AfterFunc(ctx, func() { stopped <- shutdown(context.WithoutCancel(ctx), s) })
	err := s.Serve(l)
	if cancel() || !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

func shutdown(ctx context.Context, s *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, drain)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		return s.Close() // cut off those that would not finish
	}
	return nil
}
