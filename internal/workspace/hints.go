package workspace

import (
	"context"
	"sync"
	"time"

	"mirror/internal/front/hint"
	"mirror/internal/origin"
	"mirror/internal/publish"
	"mirror/site"
)

// hints has a publish tell the config's fronts that beacons change about now: before the first commit, and after
// them. A front that cannot be told finds that out by itself, a little later.
type hints struct {
	publish.Events
	w      *Workspace
	ctx    context.Context //nolint:containedctx // it is the publish's, which is over before this is
	rel    *site.Release
	fronts []origin.Endpoint
	key    string

	sending sync.WaitGroup
	mu      sync.Mutex        // guards failed
	failed  map[string]string // by front: why it could not be told last
}

func (w *Workspace) newHints(ctx context.Context, rel *site.Release, events publish.Events) *hints {
	h := &hints{Events: events, w: w, ctx: ctx, rel: rel, failed: map[string]string{}}
	if name := w.Config.Front.HintKeyEnv; name != "" {
		h.key = w.options.Getenv(name)
		h.fronts = w.otherFronts()
	}
	if h.key == "" && len(h.fronts) > 0 {
		w.options.Warnings.Add("front.hint_key_env: the environment has no %s, and the fronts are not told of this publish", w.Config.Front.HintKeyEnv)
		h.fronts = nil
	}
	return h
}

// Phase tells the fronts of the phases in which beacons change.
func (h *hints) Phase(name string) {
	h.Events.Phase(name)
	if name != "commit" && name != "watch" && name != "verify" {
		return
	}
	for _, at := range h.fronts {
		h.sending.Go(func() { h.send(at) })
	}
}

// send tells one front.
func (h *hints) send(at origin.Endpoint) {
	err := hint.Send(h.ctx, at, h.key, hint.Hint{Release: h.rel.ID(), Sequence: h.rel.Sequence, Time: time.Now()})
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.failed, at.Name)
	if err != nil && h.ctx.Err() == nil {
		h.failed[at.Name] = err.Error()
	}
}

// wait ends when all fronts are told, and says of which that failed.
func (h *hints) wait() {
	h.sending.Wait()
	for name, why := range h.failed {
		h.w.options.Events.Line("warning  %s: the front could not be told of the publish, and looks by itself: %s", name, why)
	}
}
