package exec

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/exec/internal/protocol"
	"mirror/targets/grace"
)

// Target is a place that a program publishes to.
type Target struct {
	program protocol.Program
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

// stateOf names what is live for a program.
func stateOf(l targets.Live) *protocol.State {
	return &protocol.State{Release: l.Release, Revision: l.Revision}
}

// steps are what is done around a request. Each may be nil.
type steps struct {
	prepare func(folder string) (protocol.Request, error) // makes the protocol.Request, with files in a folder that is removed afterwards
	hear    func(l protocol.Line) error                   // gets each line before the answer
	then    func(answer protocol.Line) error              // gets the answer, while the files that it names are there
}

// ask makes a protocol.Request, for which it makes a folder that is removed afterwards.
func (t *Target) ask(ctx context.Context, r protocol.Request, s steps) (err error) {
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
	answer, err := t.program.Ask(ctx, r, s.hear)
	if err != nil || s.then == nil {
		return err
	}
	if err := s.then(answer); err != nil {
		return fmt.Errorf("%s, asked for %s: %w", t.program.Name(), r.Op, err)
	}
	return nil
}

// Live asks for what is live.
func (t *Target) Live(ctx context.Context) (live targets.Live, err error) {
	err = t.ask(ctx, protocol.Request{Op: "live"}, steps{then: func(answer protocol.Line) (err error) {
		live, err = t.liveIn(answer)
		return err
	}})
	return live, err
}

// liveIn reads what is live from an answer, and what the program says that it can do.
func (t *Target) liveIn(answer protocol.Line) (targets.Live, error) {
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

const defaultTimeout = 5 * time.Minute

func timeoutOf(text string) (time.Duration, error) {
	if text == "" {
		return defaultTimeout, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, errors.New("is not a duration (hint: 5m)")
	}
	if d <= 0 {
		return 0, fmt.Errorf("must be more than 0 (hint: %s)", defaultTimeout)
	}
	return d, nil
}

// leaseLength is how long a reservation that is not renewed keeps others out.
const leaseLength = 2 * time.Minute
