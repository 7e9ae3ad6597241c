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
	if at.CDN { // each attempt past the caches leaves an object: none is made again
		at = paced(at)
		at.Waited = true
	}
	client := origin.New(at)
	defer client.Close()
	b.mu.Lock()
	own := b.options.own(at.Name)
	gone := survey.NewAbsenceProbe(client, b.options.Manifest, b.options.alive())
	b.mu.Unlock()
	if at.CDN {
		b.lookPastCaches(ctx, client, own, gone)
		return
	}
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

// lookPastCaches asks an origin behind caches for a sample of its pages. A request as visitors make it would leave the old
// page in an edge that has none.
func (b *baseline) lookPastCaches(ctx context.Context, client *origin.Client, own []string, gone *survey.AbsenceProbe) {
	at := client.Endpoint()
	if client.PastCaches() == 0 {
		return
	}
	claim := survey.ClaimPastCaches(ctx, client, b.options.BeaconPath).Release
	b.mu.Lock()
	b.options.Claimed[at.Name] = claim
	b.mu.Unlock()
	indexes := make([]int, len(own))
	for i := range own {
		indexes[i] = i
	}
	for _, i := range newPastCaches(indexes).pages {
		o := client.FetchFresh(ctx, origin.Page{Path: own[i], URL: at.Style.URLPath(own[i]), BypassCache: true})
		if !tells(o) && !refuses(o) {
			return
		}
		b.saw(at.Name, gone.Read(ctx, o))
	}
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
