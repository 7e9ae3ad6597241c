// Package lab runs embedded origins on loopback, one for each kind of target: a git host
// with Pages, an S3 service whose bucket is a website, and a container registry with a
// runtime. Nothing needs to be installed and no account to be had. How long each takes to
// show what was published can be set, file by file and cache by cache, and drift and faults
// be put into its storage or its edge. When each file turned at each cache is recorded: the
// truth that a measurement can be held to.
package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"mirror/internal/lab/edge"
	"mirror/internal/lab/githost"
	"mirror/internal/lab/registryhost"
	"mirror/internal/lab/s3host"
	"mirror/internal/static"
)

// Options say how a lab is set up. The zero value is good.
type Options struct {
	Dir         string        // for what is stored, created if missing; "" for a temporary folder. Close removes all that the lab put there
	Branch      string        // that Pages serve; "" for gh-pages
	GitToken    string        // that the git host asks for as the password; "" for none
	Bucket      string        // "" for site
	Lag, Jitter time.Duration // of every origin at first; see Origin.SetLag
	ContentType func(path string, head []byte) string
	Log         *slog.Logger // nil for silence
}

// Lab is a running set of origins.
type Lab struct {
	Git      *githost.Host
	S3       *s3host.Host
	Registry *registryhost.Host
	// Agents is the address of the server for agents, for the config; "" for none.
	Agents string

	ctx     context.Context // ends with Close
	stop    context.CancelFunc
	dir     string
	spool   *static.Spool
	running sync.WaitGroup
	closers []func() // called by Close after the servers have stopped
	once    sync.Once
}

// Start starts a lab, which runs until Close or until ctx ends; Close is needed in both cases.
func Start(ctx context.Context, o Options) (*Lab, error) {
	l := &Lab{}
	l.ctx, l.stop = context.WithCancel(ctx)
	if err := l.start(o); err != nil {
		return nil, errors.Join(fmt.Errorf("start the lab: %w", err), l.Close())
	}
	return l, nil
}

func (l *Lab) start(o Options) (err error) {
	if err := l.makeDir(o.Dir); err != nil {
		return err
	}
	if l.spool, err = static.NewSpool(l.dir); err != nil {
		return err
	}
	l.Git = githost.New(l.ctx, l.spool, githost.Options{Branch: o.Branch, Token: o.GitToken, ContentType: o.ContentType, Log: o.Log})
	l.S3 = s3host.New(l.spool, s3host.Options{Bucket: o.Bucket, ContentType: o.ContentType})
	l.Registry = registryhost.New(l.ctx, l.dir, registryhost.Options{ContentType: o.ContentType, Log: o.Log})
	l.closers = append(l.closers, l.Git.Close, l.Registry.Close)
	for _, host := range []host{l.Git, l.S3, l.Registry} {
		if err := host.Serve(l.listen); err != nil {
			return err
		}
	}
	for _, origin := range l.Origins() {
		origin.SetLag(o.Lag, o.Jitter)
		if err := l.open(origin); err != nil {
			return err
		}
	}
	return nil
}

// host is a service that a target publishes to. listen serves its API.
type host interface {
	Serve(listen func(http.Handler) (string, error)) error
}

// makeDir makes a folder of the lab's own, in dir if that is given.
func (l *Lab) makeDir(dir string) (err error) {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	l.dir, err = os.MkdirTemp(dir, "mirror-lab-*")
	return err
}

// Origins are the live origins, always in the same order.
func (l *Lab) Origins() []*edge.Origin {
	return []*edge.Origin{l.Git.Origin, l.S3.Origin, l.Registry.Origin}
}

// Settle waits until every origin serves all that was stored before.
func (l *Lab) Settle(ctx context.Context) error {
	for _, o := range l.Origins() {
		if err := o.Settle(ctx); err != nil {
			return fmt.Errorf("wait for %s: %w", o.Name, err)
		}
	}
	return nil
}

// Close stops everything, waits for it and removes what was stored.
func (l *Lab) Close() error {
	var err error
	l.once.Do(func() {
		l.stop()
		l.running.Wait()
		for _, f := range l.closers {
			f()
		}
		if l.spool != nil {
			err = l.spool.Close()
		}
		if l.dir != "" {
			err = errors.Join(err, os.RemoveAll(l.dir))
		}
	})
	return err
}

// open lets visitors in.
func (l *Lab) open(o *edge.Origin) error {
	base, err := l.listen(o)
	o.URL = base + "/"
	return err
}

// listen serves h on a free port until the lab closes, and returns the URL without a slash.
func (l *Lab) listen(h http.Handler) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := static.NewServer(h)
	server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	done := make(chan struct{})
	l.running.Go(func() {
		_ = server.Serve(listener) // ends by Close below, and says so
		<-done
	})
	context.AfterFunc(l.ctx, func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), drain)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // cuts off those that would not finish
		}
	})
	return "http://" + listener.Addr().String(), nil
}

// drain is how long requests in flight may take to finish when the lab closes.
const drain = 500 * time.Millisecond
