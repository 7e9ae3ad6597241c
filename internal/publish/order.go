package publish

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"mirror/targets"
)

// Mode is how the commits of a publish are ordered.
type Mode string

// The modes. The zero Mode is Auto.
const (
	Auto     Mode = "auto"     // by the origins' lags, so that they turn together
	Parallel Mode = "parallel" // all at once
	Listed   Mode = "listed"   // one after another, as Names says
)

// Order says in which order to commit.
type Order struct {
	Mode  Mode
	Names []string // with Listed
	// Lags is how long each origin takes from the start of its commit until all of it is
	// seen live, as learnt from earlier publishes, and Spreads how much that varies.
	Lags, Spreads map[string]time.Duration
	// Barrier is how long the fastest origins wait for the others to be seen live; 0 for
	// no waiting.
	Barrier time.Duration
	// LateRollsBack undoes the publish when the barrier's time is over; else it goes on.
	LateRollsBack bool
}

// Step is one commit in a publish's schedule.
type Step struct {
	Name string
	// After is how long after the first commit this one is to begin.
	After time.Duration
	// Barrier says that it waits, besides, until all steps without were seen live.
	Barrier bool
	Reason  string // for people
}

// together is how close two lags have to be for the origins to count as equally fast: a difference
// that is only noise does not change the schedule.
const together = 100 * time.Millisecond

// schedule orders the commits.
func (o Order) schedule(pending []targets.Destination, watched bool) []Step {
	var steps []Step
	switch o.Mode {
	case Listed:
		steps = o.listed(pending)
	case Parallel:
		for _, d := range pending {
			steps = append(steps, Step{Name: d.Name, Reason: "all at the same time"})
		}
	default:
		steps = o.auto(pending, watched)
	}
	return steps
}

func (o Order) listed(pending []targets.Destination) []Step {
	var steps []Step
	for _, d := range pending {
		steps = append(steps, Step{Name: d.Name, Reason: "in the order of the config"})
	}
	slices.SortStableFunc(steps, func(a, b Step) int {
		return cmp.Compare(slices.Index(o.Names, a.Name), slices.Index(o.Names, b.Name))
	})
	return steps
}

// auto commits each origin so much before the slowest one is expected to show the release as its own
// lag is, and the fastest ones when the others are seen live. One that takes no longer than its time
// would be wrong by is committed with the fastest ones: what is seen is certain, and costs its lag.
func (o Order) auto(pending []targets.Destination, watched bool) []Step {
	slowest, fastest := o.extremes(pending)
	asFast := func(d targets.Destination) bool {
		lag, _ := o.lag(d)
		return lag-fastest.lag <= max(together, o.deviation(d.Name, slowest.name))
	}
	alike := !slices.ContainsFunc(pending, func(d targets.Destination) bool { return !asFast(d) })
	var steps []Step
	for _, d := range pending {
		lag, known := o.lag(d)
		step := Step{Name: d.Name, After: slowest.lag - lag, Reason: reason(lag, known)}
		switch {
		case alike:
			step.After = 0
		case asFast(d):
			step.Barrier = o.Barrier > 0 && watched && d.Origin != nil
			if step.Barrier {
				step.After = 0
				step.Reason += "; waits until the slower origins are seen live"
			}
		}
		steps = append(steps, step)
	}
	slices.SortStableFunc(steps, func(a, b Step) int {
		if a.Barrier != b.Barrier {
			if a.Barrier {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.After, b.After)
	})
	return steps
}

// deviation is how far the switch of an origin that is committed at a set time is expected to be from
// that of the slowest one: 0 for the slowest one itself.
func (o Order) deviation(name, slowest string) time.Duration {
	if name == slowest {
		return 0
	}
	return o.Spreads[name] + o.Spreads[slowest]
}

// pace is an origin and its lag.
type pace struct {
	name string
	lag  time.Duration
}

func (o Order) extremes(pending []targets.Destination) (slowest, fastest pace) {
	for i, d := range pending {
		lag, _ := o.lag(d)
		if i == 0 || lag > slowest.lag {
			slowest = pace{d.Name, lag}
		}
		if i == 0 || lag < fastest.lag {
			fastest = pace{d.Name, lag}
		}
	}
	return slowest, fastest
}

// lag is the lag that was learnt; while it is not known for every kind of origin at least
// the class is: what switches with its commit is fast, what deploys is not.
func (o Order) lag(d targets.Destination) (lag time.Duration, known bool) {
	if lag, ok := o.Lags[d.Name]; ok {
		return lag, true
	}
	if !d.Kind.Traits.Deploys {
		return 0, false
	}
	var slowest time.Duration
	for _, lag := range o.Lags {
		slowest = max(slowest, lag)
	}
	return max(slowest, time.Second), false
}

func reason(lag time.Duration, known bool) string {
	switch {
	case known:
		return fmt.Sprintf("live %s after its commit, as measured", lag.Round(time.Millisecond))
	case lag == 0:
		return "live with its commit (no measurement yet)"
	}
	return "live some time after its commit (no measurement yet)"
}
