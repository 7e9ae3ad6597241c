package group

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// How often the lease is looked at and renewed; after how long without a renewal another daemon takes it over; and how
// long one attempt may take. A takeover takes length + every, and what the broker needs.
const (
	every   = time.Second
	length  = 5 * time.Second
	attempt = 2 * time.Second
)

// register holds the lease. It is changed only from the revision that the writer knows.
type register interface {
	// read returns the value and its revision; 0 where there is none.
	read(ctx context.Context) (value []byte, revision uint64, err error)
	// write puts a value in the place of that of a revision, 0 for none. The error is errConflict where there is another one.
	write(ctx context.Context, value []byte, revision uint64) (uint64, error)
}

var errConflict = errors.New("another daemon has written the lease")

// holder is the value of the lease. The zero value is that of a leader that has left.
type holder struct {
	Owner string // "" for none
	Host  string // for people
	Start string // another one for each process
}

// lease decides which daemon of a group leads. Expiry is measured by this machine alone: a lease whose revision has not
// changed for length has expired. No clocks are compared.
type lease struct {
	register register
	own      holder
	log      *slog.Logger

	mu      sync.Mutex // guards what follows
	leads   bool
	leader  string        // host
	changed chan struct{} // closed at the next change

	// Of run alone.
	seen    uint64 // revision
	since   time.Time
	reached time.Time // when the register answered last
}

func newLease(r register, own holder, log *slog.Logger) *lease {
	return &lease{register: r, own: own, log: log, changed: make(chan struct{}), reached: time.Now()}
}

// run takes and renews the lease until ctx ends. Then it gives it back.
func (l *lease) run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for ctx.Err() == nil {
		l.turn(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	l.leave(ctx)
}

// turn looks at the lease once.
func (l *lease) turn(ctx context.Context) {
	ctx, done := context.WithTimeout(ctx, attempt)
	defer done()
	value, revision, err := l.register.read(ctx)
	if err != nil {
		l.missed(ctx, err)
		return
	}
	now := time.Now()
	l.reached = now
	var by holder
	if revision > 0 && json.Unmarshal(value, &by) != nil {
		by = holder{}
	}
	if revision > l.seen || revision < l.seen && now.Sub(l.since) >= length { // else it is the answer of a node that is behind
		l.seen, l.since = revision, now
	}
	if by.Owner == "" || by == l.own || now.Sub(l.since) >= length {
		l.take(ctx)
		return
	}
	l.set(false, by.Host)
}

// take writes this daemon into the lease, in the place of the revision that was seen last.
func (l *lease) take(ctx context.Context) {
	value, err := json.Marshal(l.own)
	if err != nil {
		return
	}
	revision, err := l.register.write(ctx, value, l.seen)
	switch {
	case err == nil:
		l.seen, l.since, l.reached = revision, time.Now(), time.Now()
		l.set(true, l.own.Host)
	case errors.Is(err, errConflict):
		l.since = time.Now()
		l.set(false, "")
	default:
		l.missed(ctx, err)
	}
}

// missed notes that the lease could not be read or written. A leader goes on: it cannot know whether another daemon has
// taken over. A daemon that has not reached the lease for its length leads too: two alerts are better than none.
func (l *lease) missed(ctx context.Context, err error) {
	if errors.Is(ctx.Err(), context.Canceled) || time.Since(l.reached) < length || l.Leads() {
		return
	}
	l.log.Warn("the lease of the group cannot be reached, so this daemon leads until it can", "err", err)
	l.set(true, l.own.Host)
}

// leave gives the lease back, so that another daemon need not wait.
func (l *lease) leave(ctx context.Context) {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), attempt)
	defer done()
	if l.Leads() {
		if value, err := json.Marshal(holder{}); err == nil {
			_, _ = l.register.write(ctx, value, l.seen) // without it the others wait until it expires
		}
	}
	l.set(false, "")
}

func (l *lease) set(leads bool, leader string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leads == leads && l.leader == leader {
		return
	}
	if l.leads != leads {
		l.log.Info("leader of the group", "this", leads, "leader", leader)
	}
	l.leads, l.leader = leads, leader
	close(l.changed)
	l.changed = make(chan struct{})
}

// Leads reports whether this daemon leads.
func (l *lease) Leads() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leads
}

// Leader is the host of the daemon that leads, "" where that is not known.
func (l *lease) Leader() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leader
}

// Changed is closed when another daemon leads.
func (l *lease) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}
