package diff

import (
	"math/bits"
	"time"
)

// The curve's bins are a millisecond wide up to perOctave of them, and from there on
// perOctave to each doubling of the time; the last one takes in all that is later.
const (
	perOctave = 16
	maxMillis = 1<<31 - 1
	bins      = perOctave * 28
)

// whole is the weight of one page that was new throughout a bin.
const whole = 1 << 20

// curve sums over pages and origins what share of each bin they were new for. It is kept
// as the differences between neighbouring bins, so that a page's long rest costs one step.
type curve struct {
	steps [bins + 1]int64
	last  int // the latest bin that was read in
	read  bool
}

// reads is one page's part of the curve that is not summed yet.
type reads struct {
	bin       int   // where the page is; earlier bins are summed
	news, all int64 // reads in it
	wasNew    bool  // what the last read showed, for the bins without any
}

// add takes in a read that was asked at t. One that is told after later bins were summed
// is left out: the curve is an estimate, no bound.
func (c *curve) add(r *reads, t time.Duration, isNew bool) {
	bin := binOf(t)
	if bin < r.bin {
		return
	}
	if bin > r.bin {
		c.sum(*r, bin)
		*r = reads{bin: bin, wasNew: r.wasNew}
	}
	r.all++
	r.wasNew = isNew
	if isNew {
		r.news++
	}
	c.last, c.read = max(c.last, bin), true
}

// sum adds what r holds up to the bin until.
func (c *curve) sum(r reads, until int) {
	share := int64(0)
	switch {
	case r.all > 0:
		share = r.news * whole / r.all
	case r.wasNew:
		share = whole
	}
	c.steps[r.bin] += share
	c.steps[r.bin+1] -= share
	if r.wasNew && r.bin+1 < until {
		c.steps[r.bin+1] += whole
		c.steps[until] -= whole
	}
}

// points returns the curve where it changes, and its end.
func (c *curve) points(pages int) []Freshness {
	if !c.read {
		return nil
	}
	var points []Freshness
	level := int64(0)
	for bin := 0; bin <= c.last; bin++ {
		level += c.steps[bin]
		if bin == 0 || bin == c.last || c.steps[bin] != 0 {
			points = append(points, Freshness{T: startOf(bin), P: float64(level) / float64(whole*int64(pages))})
		}
	}
	return points
}

func binOf(t time.Duration) int {
	ms := min(uint64(t/time.Millisecond), maxMillis)
	if ms < perOctave {
		return int(ms)
	}
	octave := bits.Len64(ms/perOctave) - 1
	return perOctave*octave + int(ms>>octave)
}

func startOf(bin int) time.Duration {
	if bin < perOctave {
		return time.Duration(bin) * time.Millisecond
	}
	octave := bin/perOctave - 1
	return time.Duration(perOctave+bin%perOctave) << octave * time.Millisecond
}
