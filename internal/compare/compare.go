// Package compare holds live origins against each other, with no release to go by: what most
// of them answer for a page stands as the reference.
package compare

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
)

// Options says how the origins are compared.
type Options struct {
	IgnoreHost bool // links to an origin's own base URL are taken for relative ones
	Learn      bool // what an origin answers otherwise on each read is noise, and no drift
	// Named says that a person named the pages: then it says nothing of them that the sites
	// have no home page.
	Named bool
	// Unlisted, if set, is why nobody knows which pages there are. Then no origin can be judged.
	Unlisted error
	// Progress, if set, hears of each page that was asked for, from several goroutines.
	Progress func(origin string, done, total int)
	// Again, if set, hears how many pages are asked for again before they count.
	Again func(pages int)
}

// notFound stands for the path that never existed, in what is reported.
const notFound = "not-found"

// Run asks every origin for every page, by decoded path below its base, and for one that
// never existed, and compares the answers. What differs is asked for again, on fresh
// connections and of every origin, before it counts. The error is only ctx's: what an
// origin does wrong is in the verdict.
func Run(ctx context.Context, origins []origin.Endpoint, paths []string, o Options) (diff.Verdict, error) {
	c := &comparison{paths: paths, probe: "mirror-" + rand.Text() + ".html", options: o, started: time.Now()}
	for _, at := range origins {
		c.sights = append(c.sights, newSight(at, o.IgnoreHost, len(paths)+1))
	}
	defer c.close()
	if err := c.survey(ctx, 0, len(paths)+1); err != nil {
		return diff.Verdict{}, err
	}
	if err := c.follow(ctx); err != nil {
		return diff.Verdict{}, err
	}
	voters := c.voters(ctx)
	c.electorate = voters
	suspects := c.judge(voters)
	if o.Again != nil && len(suspects) > 0 {
		o.Again(len(suspects))
	}
	c.again(ctx, voters, suspects)
	if err := ctx.Err(); err != nil {
		return diff.Verdict{}, fmt.Errorf("compare: %w", err)
	}
	return c.verdict(), nil
}

// comparison is one run.
type comparison struct {
	paths   []string
	landing string // where the home page leads within the origins, "" where it does not
	probe   string // the path that never existed
	options Options
	started time.Time
	sights  []*sight
	// electorate are the sights whose pages are compared.
	electorate []*sight

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
	for _, s := range c.sights {
		s.client.Close()
	}
}

// path returns the path to ask for; the one after the last page never existed.
func (c *comparison) path(i int) string {
	if i == len(c.paths) {
		return c.probe
	}
	return c.paths[i]
}

// survey asks every origin for the pages from one up to another, each at its own pace.
func (c *comparison) survey(ctx context.Context, from, to int) error {
	errs := make([]error, len(c.sights))
	var all sync.WaitGroup
	for i, s := range c.sights {
		if s.err != nil {
			continue // it has fallen silent before
		}
		all.Go(func() {
			errs[i] = s.survey(ctx, from, to, c.path, func(done int) {
				if c.options.Progress != nil {
					c.options.Progress(s.at.Name, done, len(c.paths)+1)
				}
			})
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// voters are the origins whose pages are compared: those that answered, and not the same on
// every page. An origin that has no page at all lacks what the others have; where no other
// has any, it lacks nothing that anybody knows of.
func (c *comparison) voters(ctx context.Context) []*sight {
	var voters, empty []*sight
	var missing []diff.Difference
	for _, s := range c.sights {
		if s.err != nil {
			continue
		}
		d, hollow := s.hollow(ctx, c.paths, c.probe)
		switch {
		case !hollow:
			voters = append(voters, s)
		case d.Kind == diff.Missing:
			empty, missing = append(empty, s), append(missing, d)
		default:
			s.differ(d)
		}
	}
	if len(voters) == 0 {
		return empty
	}
	for i, s := range empty {
		s.differ(missing[i])
	}
	return voters
}

// judge compares the answers to each page, settles those that agree and returns the rest.
func (c *comparison) judge(voters []*sight) (suspects []int) {
	answers := make([]diff.Answer, len(voters))
	for i := range len(c.paths) + 1 {
		for v, s := range voters {
			answers[v] = s.answer(i, c.path(i))
		}
		r := c.rule(i, answers)
		if len(r.Differ) > 0 {
			suspects = append(suspects, i)
			continue
		}
		hosts := func(v int) int { return int(voters[v].cells[i].hosts) }
		c.lonely(i, r, len(voters))
		c.settle(i, voters, r, hosts)
	}
	return suspects
}

func (c *comparison) rule(i int, answers []diff.Answer) diff.Ruling {
	if i == len(c.paths) {
		return diff.NotFoundMajority(notFound, answers)
	}
	return diff.Majority(c.paths[i], answers)
}

// settle takes a ruling for final. hosts tells how many links to its own host were taken
// for relative ones in the page of a voter.
func (c *comparison) settle(i int, voters []*sight, r diff.Ruling, hosts func(voter int) int) {
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
		voters[v].match++
	}
}

// lonely notes that a page was one origin's alone to tell of: the ruling has it nowhere.
func (c *comparison) lonely(i int, r diff.Ruling, voters int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alone = c.alone || i < len(c.paths) && !r.Gone && len(r.Agree)+len(r.Differ) < voters
}
