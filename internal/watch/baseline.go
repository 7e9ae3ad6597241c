package watch

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/internal/survey"
	"mirror/site"
)

// Baseline asks every origin once for its own pages and returns the options with the
// answers: what was live before. Old sides that are not known are filled in with what one of
// the origins served. Pages that gave no whole answer in time stay as they
// are. The error is only ctx's.
func Baseline(ctx context.Context, origins []origin.Endpoint, o Options) (Options, error) {
	b := &baseline{options: o}
	b.options.Changes, b.options.Claimed = slices.Clone(o.Changes), map[string]site.ID{}
	patience := baselinePatience
	if o.Patience > 0 {
		patience = min(patience, o.Patience)
	}
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var all sync.WaitGroup
	for _, at := range origins {
		all.Go(func() { b.look(patient, at) })
	}
	all.Wait()
	return b.options, ctx.Err()
}

// baselinePatience bounds how long a publish is held up by an origin that does not answer.
const baselinePatience = 5 * time.Second

// baseline gathers what several origins answer.
type baseline struct {
	mu      sync.Mutex
	options Options
}

// look asks one origin.
func (b *baseline) look(ctx context.Context, at origin.Endpoint) {
	client := origin.New(at)
	defer client.Close()
	b.mu.Lock()
	own := b.options.own(at.Name)
	gone := survey.NewAbsenceProbe(client, b.options.Manifest, b.options.alive())
	b.mu.Unlock()
	page := func(n int) origin.Page { return origin.Page{Path: own[n], URL: at.Style.URLPath(own[n])} }
	if len(own) > 0 && client.IsDown(ctx, page(0)) {
		return // however long it asks to be waited for, it says nothing of what was live
	}
	claim := survey.Claim(ctx, client, b.options.BeaconPath).Release
	b.mu.Lock()
	b.options.Claimed[at.Name] = claim
	b.mu.Unlock()
	// Its error is ctx's, which an origin that hangs is not worth.
	_ = survey.Pages(ctx, client, len(own), page, survey.AnyAnswer, func(_ int, o site.Observation) { b.saw(at.Name, gone.Read(ctx, o)) })
}

func (b *baseline) saw(name string, o site.Observation) {
	if !tells(o) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.options.Seen = append(b.options.Seen, Seen{name, o})
	i := slices.IndexFunc(b.options.Changes, func(c diff.Change) bool { return c.Path == o.Path })
	if c := &b.options.Changes[i]; c.Old.IsZero() && o.Status == http.StatusOK && o.Digest != c.New {
		c.Old = o.Digest
	}
}
