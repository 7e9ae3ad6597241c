package exec

import (
	"context"
	"slices"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/exec/internal/protocol"
)

// pastKnown is how many releases that were live a program is asked for before it drops some.
const pastKnown = 100

// Prune has the program drop the copies of releases that r lets expire, and further copies of the others that no publish can be
// about to use.
func (t *Target) Prune(ctx context.Context, r targets.Retention) error {
	if !t.supports(ctx, canPrune) {
		return nil
	}
	past, err := t.Past(ctx, pastKnown, nil)
	if err != nil {
		return err
	}
	all, err := t.copies(ctx, nil)
	if err != nil {
		return err
	}
	live, err := t.Live(ctx)
	if err != nil {
		return err
	}
	var lived []site.ID
	for _, p := range past {
		if p.Release != site.None {
			lived = append(lived, p.Release)
		}
	}
	drop := unused(all, r.Expired(youngest(all), lived), live, r)
	if len(drop) == 0 {
		return nil
	}
	prepare := func(folder string) (q protocol.Request, err error) {
		q = protocol.Request{Op: "prune", From: stateOf(live)}
		q.Drop, err = writeLines(folder, "drop", drop)
		return q, err
	}
	return t.ask(ctx, protocol.Request{}, steps{prepare: prepare})
}

// unused lists the names of the copies to drop: what is live stays.
func unused(all []protocol.Copy, expired []site.ID, live targets.Live, r targets.Retention) (names []string) {
	least := map[site.ID]targets.Held{}
	for _, h := range youngest(all) {
		least[h.Release] = h
	}
	for _, c := range all {
		superfluous := ageOf(c) > least[c.Release].Age && !r.MayBeStaging(ageOf(c))
		if c.Name != live.Revision && c.Release != live.Release && (superfluous || slices.Contains(expired, c.Release)) {
			names = append(names, c.Name)
		}
	}
	return names
}
