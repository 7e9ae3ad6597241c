package workspace

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"mirror/diff"
	"mirror/internal/publish"
	"mirror/internal/purge"
	"mirror/site"
)

// caches are those before the origins, for one publish.
type caches struct {
	fronts []purge.Front
	own    map[string]bool // origins that no target holds: what changes anywhere may change there
	beacon string          // path of the page that every publish changes; "" for none
	jobs   map[string]*purge.Job
}

// caches returns the caches that the config names, nil for none. What is missing for one of them is a *UsageError.
func (w *Workspace) caches() (*caches, error) {
	c := &caches{beacon: w.beacon(), own: map[string]bool{}, jobs: map[string]*purge.Job{}}
	configs := map[string][]purge.Config{}
	for _, o := range originsOf(w.Config) {
		configs[o.Name] = o.Purge
	}
	for _, o := range w.Config.Origins {
		c.own[o.Name] = true
	}
	for _, at := range w.Origins() {
		if len(configs[at.Name]) == 0 {
			continue
		}
		front := purge.Front{Name: at.Name, URL: at.URL, Style: at.Style}
		for _, one := range configs[at.Name] {
			cache, err := purge.New(one, purge.Env{Getenv: w.options.Getenv})
			if err != nil {
				return nil, usage(fmt.Errorf("%s: purge: %s: %w", at.Name, one.Type, err))
			}
			front.Caches = append(front.Caches, purge.Named{Type: one.Type, Cache: cache})
		}
		c.fronts = append(c.fronts, front)
	}
	if len(c.fronts) == 0 {
		return nil, nil
	}
	return c, nil
}

// Start begins a job for each origin that has caches.
func (c *caches) Start(release site.ID) {
	for _, front := range c.fronts {
		c.jobs[front.Name] = purge.Start(front, release)
	}
}

// Changed purges what has changed at a target's origin, and at those that no target holds.
func (c *caches) Changed(destination string, changes diff.Changes) {
	if c.beacon != "" {
		changes.Change = append(slices.Clone(changes.Change), c.beacon)
	}
	for name, job := range c.jobs {
		if name == destination || c.own[name] {
			job.Changed(changes)
		}
	}
}

// Finish ends the jobs.
func (c *caches) Finish(ctx context.Context) []publish.Purge {
	var all []publish.Purge
	for _, front := range c.fronts {
		r := c.jobs[front.Name].Finish(ctx)
		if r.Rounds == 0 {
			continue
		}
		all = append(all, publish.Purge{
			Origin: r.Origin, Types: r.Types, URLs: r.URLs, Requests: r.Requests, Rounds: r.Rounds, Began: r.Began, Done: r.Done, Err: r.Err,
		})
	}
	return all
}

// watched returns what hears the answers of the watch; nil where there are no caches.
func (c *caches) watched() func(origin string, o site.Observation, side diff.Side) {
	if c == nil {
		return nil
	}
	return func(origin string, o site.Observation, side diff.Side) {
		if job := c.jobs[origin]; job != nil && side != diff.Neither {
			job.Watched(o.Path, o.Asked, side == diff.Old)
		}
	}
}

// judged returns what hears the answers of the check at the end; nil where there are no caches.
func (c *caches) judged() func(origin string, o site.Observation, good bool) {
	if c == nil {
		return nil
	}
	return func(origin string, o site.Observation, good bool) {
		tells := o.Err == nil && (o.Status == http.StatusOK || o.Status == http.StatusNotFound || o.Status == http.StatusGone)
		if job := c.jobs[origin]; job != nil && (good || tells) {
			job.See(o.Path, o.Asked, !good)
		}
	}
}
