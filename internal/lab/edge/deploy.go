// Package edge is what lies between a storage and its visitors, in the lab: caches that are late
// or stuck, deployments that take their time, and faults. It records when each cache turned to
// each content: the truth that a measurement can be held to.
//
// A host is made of an Origin, which answers visitors, and of one of two storages: a Deployer
// for whole releases, or Objects that become visible one by one.
package edge

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"iter"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"mirror/internal/static"
)

// errClosed is the answer to a deployment that is asked for when the host is closing.
var errClosed = errors.New("closed: nothing is deployed any more")

// Deployer puts releases live some time after they were asked for. Each is asked for in
// the order of the writes to the storage behind it; one asked for later wins, however
// long either takes, and an older one never replaces it.
type Deployer struct {
	ctx     context.Context
	log     *slog.Logger
	front   *front
	options static.Options
	site    static.Swapper // a timeline

	mu      sync.Mutex // guards what follows
	closed  bool
	last    *position // the last in the order
	pending sync.WaitGroup
	count   int // of those pending
	latest  *Release
	steps   []step
	history []*record
	turning *time.Timer // to tidy up
	waiting bool        // for turning
	busy    bool
	idle    chan struct{} // closed while nothing is pending and nothing turns
}

// position is the place of one deployment in the order.
type position struct {
	before *position     // let go of when done
	done   chan struct{} // closed when the next one may be stored
}

// NewDeployer returns a deployer that shows nothing until a release is live.
func NewDeployer(ctx context.Context, log *slog.Logger, site static.Options, nothing http.Handler) *Deployer {
	d := &Deployer{ctx: ctx, log: log, front: newFront(), options: site, idle: make(chan struct{})}
	close(d.idle)
	d.last = &position{done: d.idle}
	d.turning = time.AfterFunc(Never, d.refresh)
	d.latest = &Release{Handler: nothing}
	d.show([]step{{&record{}, d.latest}})
	return d
}

// ServeHTTP answers a visitor.
func (d *Deployer) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.site.ServeHTTP(w, r) }

func (d *Deployer) edge() *front { return d.front }

// Built makes a release of a site and the digests of its files. free is called when it is
// served no more, and may be nil.
func (d *Deployer) Built(site fs.FS, sums map[string][sha256.Size]byte, free func()) *Release {
	return &Release{site: site, Handler: static.New(site, d.options), sums: sums, free: free}
}

// Later builds a release and puts it live at the origin's pace, counted from now.
func (d *Deployer) Later(build func(context.Context) (*Release, error)) {
	at, err := d.ask()
	if err != nil {
		return
	}
	p, asked := d.front.draw(), time.Now()
	go func() {
		if err := d.deploy(at, build, p, due{from: asked.Add(p.delay)}); err != nil && d.ctx.Err() == nil {
			d.log.Error("cannot deploy, the earlier release stays", "err", err)
		}
	}()
}

// Now builds a release and puts it live everywhere before it returns.
func (d *Deployer) Now(build func(context.Context) (*Release, error)) error {
	at, err := d.ask()
	if err != nil {
		return err
	}
	return d.deploy(at, build, pace{}, due{everywhere: true})
}

// ask takes the next place in the order.
func (d *Deployer) ask() (*position, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errClosed
	}
	d.last = &position{d.last, make(chan struct{})}
	d.count++
	d.pending.Add(1)
	d.mark()
	return d.last, nil
}

// deploy builds a release and stores it when those asked for before it are.
func (d *Deployer) deploy(at *position, build func(context.Context) (*Release, error), p pace, when due) error {
	defer d.done(at)
	r, err := build(d.ctx)
	select {
	case <-at.before.done:
	case <-d.ctx.Done():
		err = errors.Join(err, errClosed)
	}
	if err == nil {
		d.put(r, p, when)
	} else if r != nil {
		r.drop()
	}
	return err
}

func (d *Deployer) done(at *position) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at.before = nil
	close(at.done)
	d.count--
	d.mark()
	d.pending.Done()
}

// put stores a release, to be seen when it is due and not before now.
func (d *Deployer) put(r *Release, p pace, when due) {
	d.mu.Lock()
	defer d.mu.Unlock()
	record := newRecord(d.latest.sums, r.sums, p)
	d.latest = r
	d.history = append(d.history, record)
	when.from = later(when.from, time.Now())
	record.due = when
	d.show(append(d.steps[:len(d.steps):len(d.steps)], step{record, r}))
	record.noted = time.Now()
	d.tidy()
}

// show serves a timeline. The caller must hold mu, or be the only one who has
// the deployer.
func (d *Deployer) show(steps []step) {
	t := newTimeline(d.front, steps, d.options)
	d.site.Swap(t, t.leave)
	d.steps = steps
}

// refresh sees to it that nothing is kept longer than some cache shows it.
func (d *Deployer) refresh() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tidy()
}

// tidy drops the releases that are seen no more, and comes back for the next. The caller
// must hold mu.
func (d *Deployer) tidy() {
	if d.closed {
		return
	}
	steps, next := needed(d.steps, d.front.current.Load(), time.Now())
	if len(steps) < len(d.steps) {
		d.show(steps)
	}
	d.waiting = !next.IsZero()
	if d.waiting {
		d.turning.Reset(time.Until(next))
	}
	d.mark()
}

// mark keeps idle true. The caller must hold mu.
func (d *Deployer) mark() {
	busy := d.count > 0 || d.waiting
	switch {
	case busy && !d.busy:
		d.idle = make(chan struct{})
	case !busy && d.busy:
		close(d.idle)
	}
	d.busy = busy
}

// settle waits until nothing is pending and every cache has turned that ever will.
func (d *Deployer) settle(ctx context.Context) error {
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

// editions lists all that was stored of each file that ever changed.
func (d *Deployer) editions() iter.Seq2[string, []edition] {
	d.mu.Lock()
	history := d.history[:len(d.history):len(d.history)]
	d.mu.Unlock()
	return func(yield func(string, []edition) bool) {
		changed := map[string]bool{}
		for _, r := range history {
			for path := range r.changes {
				changed[path] = true
			}
		}
		for path := range changed {
			if !yield(path, editionsOf(path, history)) {
				return
			}
		}
	}
}

// editionsOf goes through the deployments: also one that did not change a file shows its
// content, maybe before the one that changed it was due.
func editionsOf(path string, history []*record) []edition {
	all := make([]edition, len(history))
	var content [sha256.Size]byte
	for i, r := range history {
		if sum, ok := r.changes[path]; ok {
			content = sum
		}
		all[i] = edition{r.file(path), r.noted, content}
	}
	return all
}

// Close waits for what is under way, after the deployer's context has ended, and takes
// the site down.
func (d *Deployer) Close() {
	d.mu.Lock()
	d.closed = true
	d.turning.Stop()
	d.mu.Unlock()
	d.pending.Wait()
	d.site.Swap(nil, nil)
}
