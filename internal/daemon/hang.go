package daemon

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"mirror/scheduler"
)

// How long a run may go on after its context has ended before it counts as hung. A publish may be
// undoing its commits.
const (
	lingering        = 10 * time.Second
	publishLingering = 150 * time.Second
)

// hangs are the runs that do not end, by job. The zero value is good.
type hangs struct {
	mu    sync.Mutex
	byJob map[string]*hung
}

// hung is what is known of a run that does not end.
type hung struct{ began time.Time }

// bounded does the work of a job. It returns at the latest lingering after the end of ctx, also where the
// work does not end, such as in a file system that does not answer: other jobs go on then, and this one
// has no further run until the hung one has ended.
func (h *hangs) bounded(ctx context.Context, job string, lingering time.Duration, work func(context.Context) error) error {
	if earlier := h.of(job); earlier != nil {
		return fmt.Errorf("the run of %s still hangs", earlier.began.UTC().Format(time.RFC3339))
	}
	ended, this := make(chan error, 1), &hung{time.Now()}
	go func() {
		err := error(&scheduler.PanicError{Value: "the job ended its goroutine"})
		defer func() { // also after runtime.Goexit
			if value := recover(); value != nil {
				err = &scheduler.PanicError{Value: value, Stack: debug.Stack()}
			}
			ended <- err
			h.end(job, this)
		}()
		err = work(ctx)
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	timer := time.NewTimer(lingering)
	defer timer.Stop()
	select {
	case err := <-ended:
		return err
	case <-timer.C:
	}
	h.begin(job, this, ended)
	return fmt.Errorf("%w; it hangs, and other jobs no longer wait for it", context.Cause(ctx))
}

func (h *hangs) of(job string) *hung {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.byJob[job]
}

// begin notes a hung run, unless it has just ended.
func (h *hangs) begin(job string, this *hung, ended <-chan error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(ended) > 0 {
		return
	}
	if h.byJob == nil {
		h.byJob = map[string]*hung{}
	}
	h.byJob[job] = this
}

func (h *hangs) end(job string, this *hung) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byJob[job] == this {
		delete(h.byJob, job)
	}
}

// jobs lists the jobs with a hung run.
func (h *hangs) jobs() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(maps.Keys(h.byJob))
}
