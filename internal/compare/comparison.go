package compare

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"mirror/diff"
	"mirror/site"
)

// comparison is one run.
type comparison struct {
	paths      []string
	landing    string // where the home page leads within the origins, "" where it does not
	probe      string // the path that never existed
	options    Options
	started    time.Time
	collectors []*collector
	// electorate are the collectors whose pages are compared.
	electorate []*collector

	mu     sync.Mutex
	ties   sample
	gone   sample // pages that are nowhere
	closed sample // pages that are for who has logged in
	away   sample // pages that lead to another host everywhere
	alone  bool   // pages had only one origin that answered
	// rootless says that the home page is gone or closed, homeless that it is or leads to what is.
	rootless, homeless bool
}

func (c *comparison) close() {
	for _, s := range c.collectors {
		s.client.Close()
	}
}

// pathOf returns the path to ask for; the one after the last page never existed.
func (c *comparison) pathOf(i int) string {
	if i == len(c.paths) {
		return c.probe
	}
	return c.paths[i]
}

// progress returns what tells how many pages an origin was asked for, nil where it is not shown.
func (c *comparison) progress(origin string) func(done int) {
	if c.options.Progress == nil {
		return nil
	}
	return func(done int) { c.options.Progress(origin, done, len(c.paths)+1) }
}

// collect asks every origin for the pages from one up to another, each at its own pace.
func (c *comparison) collect(ctx context.Context, from, to int) error {
	errs := make([]error, len(c.collectors))
	var all sync.WaitGroup
	for i, s := range c.collectors {
		if s.err != nil {
			continue // it has fallen silent before
		}
		all.Go(func() { errs[i] = s.collect(ctx, from, to, c.pathOf) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// manifestOf lists the pages as files without their bytes. A folder's page is not in the folder, so
// that the manifest tells which folders have other pages.
func manifestOf(paths []string) site.Manifest {
	var m site.Manifest
	for _, path := range paths {
		if name := strings.TrimSuffix(path, "/"); name != "" {
			m = append(m, site.File{Path: name})
		}
	}
	slices.SortFunc(m, func(a, b site.File) int { return cmp.Compare(a.Path, b.Path) })
	return m
}

func (c *comparison) rule(i int, answers []diff.Answer) diff.Ruling {
	if i == len(c.paths) {
		return diff.NotFoundMajority(notFound, answers)
	}
	return diff.Majority(c.paths[i], answers)
}

// conclude takes a ruling for final. hosts tells how many links to its own host were taken
// for relative ones in the page of a voter.
func (c *comparison) conclude(i int, voters []*collector, r diff.Ruling, hosts func(voter int) int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range r.Differ {
		for _, s := range voters {
			if s.at.Name == d.Origin {
				s.differ(d)
			}
		}
	}
	for _, v := range r.Forgiven {
		voters[v].hosts += hosts(v)
	}
	if i == len(c.paths) {
		return
	}
	c.ties.addIf(r.Tie, c.paths[i])
	c.away.addIf(r.Away, c.paths[i])
	if r.Gone && len(r.Differ) == 0 {
		c.gone.addIf(!r.Closed, c.paths[i])
		c.closed.addIf(r.Closed, c.paths[i])
		c.rootless = c.rootless || c.paths[i] == ""
		c.homeless = c.homeless || c.paths[i] == "" || c.paths[i] == c.landing
		return
	}
	for _, v := range r.Agree {
		voters[v].matches++
	}
}

// noteSingle notes that a page was one origin's alone to tell of: the ruling has it nowhere.
func (c *comparison) noteSingle(i int, r diff.Ruling, voters int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alone = c.alone || i < len(c.paths) && !r.Gone && len(r.Agree)+len(r.Differ) < voters
}
