package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/internal/survey"
	"mirror/internal/wait"
	"mirror/site"
)

// Next watches pages whose change is not known in advance, until one of them changes at
// one of the origins, and returns what to watch from then on: the pages that had changed
// there, with the last answers from before. Pages that differ from origin to origin at
// first are watched for the next change at each. The error is ctx's, or says that no
// origin gave a single page.
func Next(ctx context.Context, origins []origin.Endpoint, paths []string) (Options, error) {
	n := &next{origins: origins, paths: paths, last: make([][]site.Observation, len(origins))}
	if err := n.first(ctx); err != nil {
		return Options{}, err
	}
	at, err := n.idle(ctx)
	if err != nil {
		return Options{}, err
	}
	return n.sweep(ctx, at)
}

// next remembers the last answer before the change for each origin and page.
type next struct {
	origins []origin.Endpoint
	paths   []string
	mu      sync.Mutex
	last    [][]site.Observation // by origin, then page; Asked is zero where none came yet
}

// first asks for everything once.
func (n *next) first(ctx context.Context) error {
	var all sync.WaitGroup
	errs := make([]error, len(n.origins))
	for i, at := range n.origins {
		n.last[i] = make([]site.Observation, len(n.paths))
		all.Go(func() {
			client := origin.New(at)
			defer client.Close()
			gone := n.absence(client)
			errs[i] = survey.Pages(ctx, client, len(n.paths), n.page(at), survey.AnyAnswer,
				func(p int, o site.Observation) { n.keep(i, p, gone.Read(ctx, o)) })
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	for i := range n.last {
		for p := range n.last[i] {
			if !n.last[i][p].Asked.IsZero() {
				return nil
			}
		}
	}
	return fmt.Errorf("none of the %d origins gave a single page", len(n.origins))
}

// absence judges what an origin does not have, while any of the pages or the home page is there.
func (n *next) absence(client *origin.Client) *survey.AbsenceProbe {
	return survey.NewAbsenceProbe(client, nil, append(slices.Clone(n.paths[:min(len(n.paths), maxAlive)]), ""))
}

func (n *next) page(at origin.Endpoint) func(p int) origin.Page {
	return func(p int) origin.Page { return origin.Page{Path: n.paths[p], URL: at.Style.URLPath(n.paths[p])} }
}

// keep remembers an answer that tells what the page is, and reports whether it differs
// from the one before.
func (n *next) keep(i, p int, o site.Observation) (differs bool) {
	if !tells(o) {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	before := n.last[i][p]
	if !before.Asked.IsZero() && content(before) != content(o) {
		return true
	}
	if before.Asked.Before(o.Asked) {
		n.last[i][p] = o
	}
	return false
}

// idle asks for page after page until one has changed, on two connections, and returns
// the origin.
func (n *next) idle(ctx context.Context) (at int, err error) {
	ctx, found := context.WithCancelCause(ctx)
	defer found(nil)
	var all sync.WaitGroup
	for i, at := range n.origins {
		all.Go(func() {
			client := origin.New(paced(at))
			defer client.Close()
			page, gone := n.page(at), n.absence(client)
			for p, failed := 0, 0; ctx.Err() == nil; p = (p + 1) % len(n.paths) {
				_ = wait.Sleep(ctx, pauseAfter(failed)) // the loop sees that ctx has ended
				o := client.Fetch(ctx, page(p))
				failed++
				if !isDown(o.Status, o.Err) {
					failed = 0
				}
				if n.keep(i, p, gone.Read(ctx, o)) && n.keep(i, p, gone.Read(ctx, client.FetchFresh(ctx, page(p)))) {
					found(foundAt(i))
				}
			}
		})
	}
	all.Wait()
	if f, ok := errors.AsType[foundAt](context.Cause(ctx)); ok {
		return int(f), nil
	}
	return 0, context.Cause(ctx)
}

// foundAt ends the idle watch: the origin at this index has changed.
type foundAt int

// Error is never shown.
func (f foundAt) Error() string { return fmt.Sprintf("origin %d has changed", int(f)) }

// sweep looks which pages have changed at an origin.
func (n *next) sweep(ctx context.Context, i int) (Options, error) {
	at := n.origins[i]
	client := origin.New(paced(at))
	defer client.Close()
	var o Options
	gone, now := n.absence(client), make([]site.Observation, len(n.paths))
	err := survey.Pages(ctx, client, len(n.paths), n.page(at), survey.AnyAnswer,
		func(p int, ob site.Observation) { now[p] = gone.Read(ctx, ob) })
	if err != nil {
		return o, err
	}
	o.Began, o.Earlier = time.Now(), map[string][]site.Digest{}
	for p, path := range n.paths {
		before := n.last[i][p]
		if before.Asked.IsZero() || !tells(now[p]) || content(before) == content(now[p]) {
			continue
		}
		c := diff.Change{Path: path, Old: content(before), New: content(now[p])}
		o.Changes = append(o.Changes, c)
		n.own(&o, p, c)
		n.recall(&o, p, path)
		o.Seen = append(o.Seen, Seen{at.Name, now[p]})
	}
	return o, nil
}

// own lists a page for the origins that do not serve its new bytes already.
func (n *next) own(o *Options, p int, c diff.Change) {
	if o.Own == nil {
		o.Own = map[string][]string{}
	}
	for i, at := range n.origins {
		if before := n.last[i][p]; before.Asked.IsZero() || content(before) != c.New {
			o.Own[at.Name] = append(o.Own[at.Name], c.Path)
		}
	}
}

// recall adds what the origins answered before for a page that changes.
func (n *next) recall(o *Options, p int, path string) {
	for i, at := range n.origins {
		before := n.last[i][p]
		if before.Asked.IsZero() {
			continue
		}
		if before.Asked.Before(o.Began) {
			o.Began = before.Asked
		}
		o.Earlier[path] = append(o.Earlier[path], content(before))
		o.Seen = append(o.Seen, Seen{at.Name, before})
	}
}
