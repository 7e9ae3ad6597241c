// Package exec publishes to any other place by a program of the user's: it is run once for each request, which it
// gets as one line of JSON and as environment variables, and prints lines of JSON of which the last one is the
// answer. docs/targets/exec.md is the protocol.
package exec

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
)

// Target is a place that a program publishes to.
type Target struct {
	program program
	grace   *grace.Policy
	owner   string        // of reservations
	lease   time.Duration // how long a reservation without a renewal keeps others out
	log     *slog.Logger

	mu     sync.Mutex // held during each request: a program need not expect two at once from one publisher
	beacon string     // path of the beacon as far as it is known; guarded by mu

	announced sync.Mutex // guards what follows
	asked     bool       // whether the program has said what it can do
	can       []string

	reserved sync.Map // targets.Swap → *reservation: those that this process holds
}

var (
	_ targets.Target    = (*Target)(nil)
	_ targets.Historian = (*Target)(nil)
	_ targets.Optional  = (*Target)(nil)
)

// New is the targets.Factory of the kind "exec".
func New(_ context.Context, env targets.Env, decode func(config any) error) (targets.Target, error) {
	var c Config
	if err := decode(&c); err != nil {
		return nil, err
	}
	return Open(c, env)
}

// Open makes the target ready. It runs nothing.
func Open(c Config, env targets.Env) (*Target, error) {
	if len(env.Keep) > 0 {
		return nil, errors.New("publish.keep: the program of an exec target is not asked to keep files")
	}
	if len(c.Command) == 0 {
		return nil, errors.New("command: missing")
	}
	if err := targets.Validate(c); err != nil {
		return nil, err
	}
	timeout, err := timeoutOf(c.Timeout)
	t := &Target{
		program: program{c.Command, c.Workdir, timeout}, beacon: site.DefaultBeacon,
		grace: env.Grace, owner: cmp.Or(env.Owner, rand.Text()), lease: cmp.Or(env.Lease, leaseLength), log: env.Log,
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	return t, err
}

// steps are what is done around a request. Each may be nil.
type steps struct {
	prepare func(folder string) (request, error) // makes the request, with files in a folder that is removed afterwards
	hear    func(l line) error                   // gets each line before the answer
	then    func(answer line) error              // gets the answer, while the files that it names are there
}

// ask makes a request, for which it makes a folder that is removed afterwards.
func (t *Target) ask(ctx context.Context, r request, s steps) (err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	folder, err := os.MkdirTemp("", "mirror-exec-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if s.prepare != nil {
		if r, err = s.prepare(folder); err != nil {
			return err
		}
	}
	if r.Op == "stage" {
		t.beacon = r.Beacon
	}
	r.Tmp, r.Beacon = folder, t.beacon
	answer, err := t.program.ask(ctx, r, s.hear)
	if err != nil || s.then == nil {
		return err
	}
	if err := s.then(answer); err != nil {
		return fmt.Errorf("%s, asked for %s: %w", t.program.name(), r.Op, err)
	}
	return nil
}

// Live asks for what is live.
func (t *Target) Live(ctx context.Context) (live targets.Live, err error) {
	err = t.ask(ctx, request{Op: "live"}, steps{then: func(answer line) (err error) {
		live, err = t.liveIn(answer)
		return err
	}})
	return live, err
}

// liveIn reads what is live from an answer, and what the program says that it can do.
func (t *Target) liveIn(answer line) (targets.Live, error) {
	live := targets.Live{Release: answer.Release, Revision: answer.Revision}
	if live.Release != site.None {
		id, err := site.ParseID(string(live.Release))
		if err != nil || live.Revision == "" {
			return targets.Live{}, errors.New("the program gave a live release whose id is invalid, or that has no revision")
		}
		live.Release = id
	}
	t.announced.Lock()
	defer t.announced.Unlock()
	t.asked, t.can = true, answer.Can
	return live, nil
}

// What a program may say that it can do, beyond what every program does.
const (
	canReserve = "reserve"
	canPrune   = "prune"
	canRestore = "restore"
	canNotes   = "notes"
	canGrace   = "grace"
	canErase   = "erase"
)

// Supports reports whether the program says that it can do what an interface is for.
func (t *Target) Supports(ctx context.Context, capability any) bool {
	switch capability.(type) {
	case *targets.Guard:
		return t.supports(ctx, canReserve)
	case *targets.Pruner:
		return t.supports(ctx, canPrune)
	case *targets.Restorer:
		return t.supports(ctx, canRestore)
	case *targets.Notes:
		return t.supports(ctx, canNotes)
	case *targets.Gracer:
		return t.supports(ctx, canGrace)
	case *targets.Eraser:
		return t.supports(ctx, canErase)
	}
	return true
}

// supports asks the program once.
func (t *Target) supports(ctx context.Context, what string) bool {
	t.announced.Lock()
	asked := t.asked
	t.announced.Unlock()
	if !asked {
		if _, err := t.Live(ctx); err != nil {
			t.log.Debug("the program does not say what it can do", "err", err)
			return false
		}
	}
	t.announced.Lock()
	defer t.announced.Unlock()
	return slices.Contains(t.can, what)
}
