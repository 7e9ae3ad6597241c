package diff_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"mirror/diff"
	"mirror/site"
)

// Each page of an origin is a register: a publish writes it once, and each request reads it at some instant between its
// start and the end of its answer. Porcupine, which shares no code with the watch, says whether reads can be explained by
// one write, and by a write within given times.

type (
	registerWrite struct{} // the input of a write
	registerRead  struct{} // the input of a read, whose output is whether it was new
)

// register is a page that is old first and new after the write.
func register() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return false },
		Step: func(state, input, output any) (bool, any) {
			if _, write := input.(registerWrite); write {
				return true, true
			}
			return state == output, state
		},
	}
}

// registerHistory is the requests for the pages of one origin, in the order in which the watch hears of them.
type registerHistory struct {
	pages int
	reads []registerAnswer
}

// registerAnswer is one request.
type registerAnswer struct {
	page            int
	asked, answered int64
	isNew           bool
}

// newRegisterHistory makes a history. In some of them a page turns back, or an answer is false.
func newRegisterHistory(number uint64) registerHistory {
	random := rand.New(rand.NewPCG(number, 1987))
	h := registerHistory{pages: 1 + random.IntN(3)}
	span := int64(1 + random.IntN(400))
	lie := []float64{0, 0, 0.1}[random.IntN(3)]
	for page := range h.pages {
		write := random.Int64N(2 * span) // it may come after all requests
		for range random.IntN(12) {
			asked := random.Int64N(span)
			sampled := asked + random.Int64N(1+span/8)
			isNew := sampled >= write
			if random.Float64() < lie {
				isNew = !isNew
			}
			h.reads = append(h.reads, registerAnswer{page, asked, sampled + random.Int64N(1+span/8), isNew})
		}
	}
	random.Shuffle(len(h.reads), func(a, b int) { h.reads[a], h.reads[b] = h.reads[b], h.reads[a] })
	return h
}

// explained reports whether the reads of a page can be explained by one write that takes place from one instant to
// another.
func (h registerHistory) explained(page int, from, to int64) bool {
	if from > to {
		return false
	}
	operations := []porcupine.Operation{{Input: registerWrite{}, Call: from, Return: to}}
	for i, r := range h.reads {
		if r.page == page {
			operations = append(operations, porcupine.Operation{ClientId: i + 1, Input: registerRead{}, Output: r.isNew, Call: r.asked, Return: r.answered})
		}
	}
	return porcupine.CheckOperations(register(), operations)
}

// watch tells a watch of the history.
func (h registerHistory) watch(began time.Time) *diff.Watch {
	var changes []diff.Change
	for page := range h.pages {
		changes = append(changes, diff.Change{Path: fmt.Sprint("page", page), Old: site.Digest{1}, New: site.Digest{2}})
	}
	w := diff.NewWatch(began, changes, []string{"origin"}, 2)
	for _, r := range h.reads {
		o := site.Observation{Path: changes[r.page].Path, Status: 200, Digest: site.Digest{1}, Asked: began.Add(time.Duration(r.asked)), Answered: began.Add(time.Duration(r.answered))}
		if r.isNew {
			o.Digest = site.Digest{2}
		}
		w.Add("origin", o)
	}
	return w
}

// judge compares what the watch says of each page with the judge.
func (h registerHistory) judge() error {
	const end = math.MaxInt64 / 2
	began := time.Now()
	w := h.watch(began)
	flaps := false
	for page := range h.pages {
		flaps = flaps || !h.explained(page, 0, end)
	}
	if got := w.Flaps("origin"); got != flaps {
		return fmt.Errorf("the watch says that the origin flaps: %t, the judge %t", got, flaps)
	}
	if flaps {
		return nil // the bounds of one switch are not claimed
	}
	for page := range h.pages {
		state := w.Page("origin", fmt.Sprint("page", page))
		after, before := int64(state.After.Sub(began)), int64(end)
		if !state.Before.IsZero() {
			before = int64(state.Before.Sub(began))
		}
		for _, c := range []struct {
			from, to int64
			want     bool
		}{{after, after, true}, {before, before, true}, {0, after - 1, false}, {before + 1, end, false}} {
			if got := h.explained(page, c.from, c.to); got != c.want {
				return fmt.Errorf("page %d has the bounds %d to %d; a write from %d to %d explains the answers: %t, want %t", page, after, before, c.from, c.to, got, c.want)
			}
		}
	}
	return nil
}

// TestBoundsAgreeWithAJudgeOfRegisters has an independent judge of linearizability look at random poll logs: it must
// agree on which origins turned back, find each bound possible, and nothing outside of the bounds.
func TestBoundsAgreeWithAJudgeOfRegisters(t *testing.T) {
	t.Parallel()
	histories := scaled(20_000)
	if os.Getenv("MIRROR_EXPERIMENT") == "full" {
		histories = 100_000
	}
	everyWorld(histories, func(number uint64) {
		h := newRegisterHistory(number)
		if err := h.judge(); err != nil {
			slices.SortFunc(h.reads, func(a, b registerAnswer) int { return int(a.asked - b.asked) })
			t.Errorf("history %d: %v: %+v", number, err, h.reads)
		}
	})
	t.Logf("%d histories", histories)
}
