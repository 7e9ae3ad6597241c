// Package compare holds live origins against each other, with no release to go by: what most
// of them answer for a page stands as the reference.
package compare

import (
	"context"
	"fmt"
	"time"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/internal/survey"
)

// Run asks every origin for every page, by decoded path below its base, and for one that
// never existed, and compares the answers. What differs is asked for again, on fresh
// connections and of every origin, before it counts. The error is only ctx's: what an
// origin does wrong is in the verdict.
func Run(ctx context.Context, origins []origin.Endpoint, paths []string, o Options) (diff.Verdict, error) {
	c := &comparison{paths: paths, probe: survey.Nonexistent(), options: o, started: time.Now()}
	for _, at := range origins {
		c.collectors = append(c.collectors, newCollector(at, o.IgnoreHost, len(paths)+1, c.progress(at.Name)))
	}
	defer c.close()
	if err := c.collect(ctx, 0, len(paths)+1); err != nil {
		return diff.Verdict{}, err
	}
	if err := c.follow(ctx); err != nil {
		return diff.Verdict{}, err
	}
	pages := manifestOf(c.paths)
	for _, s := range c.collectors {
		s.site = pages
	}
	voters := c.electVoters(ctx)
	c.electorate = voters
	suspects := c.judge(voters)
	if o.Again != nil && len(suspects) > 0 {
		o.Again(len(suspects))
	}
	c.reread(ctx, voters, suspects)
	if err := ctx.Err(); err != nil {
		return diff.Verdict{}, fmt.Errorf("compare: %w", err)
	}
	return c.result(), nil
}

// electVoters returns the origins whose pages are compared: those that answered, and not the same on
// every page. An origin that has no page at all lacks what the others have; where no other
// has any, it lacks nothing that anybody knows of.
func (c *comparison) electVoters(ctx context.Context) []*collector {
	var voters, empty []*collector
	var missing []diff.Difference
	for _, s := range c.collectors {
		if s.err != nil {
			continue
		}
		d, uniform := s.uniform(ctx, c.paths, c.probe)
		switch {
		case !uniform:
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
func (c *comparison) judge(voters []*collector) (suspects []int) {
	answers := make([]diff.Answer, len(voters))
	for i := range len(c.paths) + 1 {
		for v, s := range voters {
			answers[v] = s.answer(i, c.pathOf(i))
		}
		r := c.rule(i, answers)
		if len(r.Differ) > 0 {
			suspects = append(suspects, i)
			continue
		}
		hosts := func(v int) int { return int(voters[v].answers.cells[i].hosts) }
		c.noteSingle(i, r, len(voters))
		c.conclude(i, voters, r, hosts)
	}
	return suspects
}
