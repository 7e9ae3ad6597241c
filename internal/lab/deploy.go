package lab

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"mirror/internal/static"
)

// errClosed is the answer to a deployment that is asked for when the lab is closing.
var errClosed = errors.New("the lab is closed")

// release is a built site, ready to be served; free is called when it is served no more.
type release struct {
	site http.Handler
	free func()
}

func (r release) drop() {
	if r.free != nil {
		r.free()
	}
}

// deployer puts releases live some time after they were asked for. Each is asked for in
// the order of the writes to the storage behind it; one asked for later wins, however
// long either takes, and an older one never replaces it.
type deployer struct {
	ctx  context.Context
	log  *slog.Logger
	site *static.Swapper

	mu      sync.Mutex
	asked   int64
	live    int64
	closed  bool
	pending sync.WaitGroup
	idle    chan struct{} // closed while nothing is pending
	count   int
}

func newDeployer(ctx context.Context, log *slog.Logger, site *static.Swapper) *deployer {
	idle := make(chan struct{})
	close(idle)
	return &deployer{ctx: ctx, log: log, site: site, idle: idle}
}

// ask takes the next place in the order.
func (d *deployer) ask() (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return 0, errClosed
	}
	if d.count == 0 {
		d.idle = make(chan struct{})
	}
	d.asked++
	d.count++
	d.pending.Add(1)
	return d.asked, nil
}

func (d *deployer) done() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.count--; d.count == 0 {
		close(d.idle)
	}
	d.pending.Done()
}

// later builds a release and puts it live after the delay, counted from now.
func (d *deployer) later(delay time.Duration, build func(context.Context) (release, error)) {
	seq, err := d.ask()
	if err != nil {
		return
	}
	timer := time.NewTimer(delay)
	go func() {
		defer d.done()
		defer timer.Stop()
		built, err := build(d.ctx)
		if err != nil {
			d.log.Error("cannot deploy, the earlier release stays", "err", err)
			return
		}
		select {
		case <-timer.C:
			d.put(seq, built)
		case <-d.ctx.Done():
			built.drop()
		}
	}()
}

// now builds a release and puts it live before it returns.
func (d *deployer) now(build func(context.Context) (release, error)) error {
	seq, err := d.ask()
	if err != nil {
		return err
	}
	defer d.done()
	built, err := build(d.ctx)
	if err != nil {
		return err
	}
	d.put(seq, built)
	return nil
}

// put makes a release live unless one that was asked for later is.
func (d *deployer) put(seq int64, r release) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if seq < d.live {
		r.drop()
		return
	}
	d.live = seq
	d.site.Swap(r.site, r.free)
}

// settle waits until nothing is pending.
func (d *deployer) settle(ctx context.Context) error {
	d.mu.Lock()
	idle := d.idle
	d.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close waits for what is under way, after the deployer's context has ended, and takes
// the site down.
func (d *deployer) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.pending.Wait()
	d.site.Swap(nil, nil)
}
