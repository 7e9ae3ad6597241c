package clock_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"mirror/internal/vantage/clock"
)

// machine is another machine in a simulated world. Its clock runs at one rate until an instant, and at
// another from then on; it may be suspended for a while. Instants are by this machine's clock.
type machine struct {
	offset       float64 // of its clock at 0, in nanoseconds
	turn         float64 // when the rate changes
	first, then  float64 // rates
	asleep, woke float64 // equal where it is never suspended
}

// awake is for how long the machine was not suspended from 0 to an instant.
func (m machine) awake(at float64) float64 { return at - max(0, min(at, m.woke)-m.asleep) }

// monotonic and boot are its clocks at an instant.
func (m machine) monotonic(at float64) time.Duration { return m.reads(m.awake(at)) }
func (m machine) boot(at float64) time.Duration      { return m.reads(at) }

func (m machine) reads(elapsed float64) time.Duration {
	return time.Duration(m.offset + m.first*min(elapsed, m.turn) + m.then*max(0, elapsed-m.turn))
}

// world is one watch: how long it lasts, another machine, and the round trips to it.
type world struct {
	length  float64
	other   machine
	samples []clock.Sample
	widest  time.Duration // the longest round trip
}

const second = float64(time.Second)

// newWorld draws a world: clocks up to an hour apart, which drift by up to 200 ppm, delays of up to two
// seconds that differ each way, and in a tenth of the worlds a machine that is suspended.
func newWorld(r *rand.Rand) world {
	drift := clock.DefaultDrift * []float64{0, 0.1, 0.9999}[r.IntN(3)]
	rate := func() float64 { return 1 + drift*(2*r.Float64()-1) }
	extreme := func() float64 { return 1 + drift*float64(2*r.IntN(2)-1) }
	w := world{length: second * (1 + 600*r.Float64())}
	w.other = machine{offset: 3600 * second * (2*r.Float64() - 1), turn: w.length * r.Float64(), first: rate(), then: rate()}
	if r.IntN(2) == 0 {
		w.other.first, w.other.then = extreme(), extreme()
	}
	if r.IntN(10) == 0 {
		w.other.asleep = w.length * r.Float64()
		w.other.woke = w.other.asleep + second*[]float64{0.0001, 0.005, 0.1, 3600}[r.IntN(4)]*r.Float64()
	}
	slowest := second * []float64{0.001, 0.1, 2}[r.IntN(3)]
	for range 1 + r.IntN(20) {
		sent := w.length * r.Float64()
		read := sent + slowest*r.Float64()*r.Float64()
		received := read + slowest*r.Float64()*r.Float64()
		s := clock.Sample{Sent: time.Duration(sent), Received: time.Duration(received) + 1, Read: w.other.monotonic(read), Boot: w.other.boot(read)}
		w.samples, w.widest = append(w.samples, s), max(w.widest, s.Received-s.Sent)
	}
	return w
}

// TestInstantsLieWithinTheirBounds compares the bounds with the truth in many worlds. A world may be dropped
// only where the machine was suspended.
func TestInstantsLieWithinTheirBounds(t *testing.T) {
	t.Parallel()
	worlds := 100_000
	if testing.Short() {
		worlds /= 20
	}
	r := rand.New(rand.NewPCG(1, 2))
	var dropped, suspended, judged int
	for n := range worlds {
		w := newWorld(r)
		asleep := w.other.woke > w.other.asleep
		if asleep {
			suspended++
		}
		relation, err := clock.Relate(w.samples, clock.DefaultDrift)
		if err != nil {
			dropped++
			if !asleep {
				t.Fatalf("world %d: %v", n, err)
			}
			continue
		}
		for range 8 {
			at := w.length * r.Float64()
			if asleep && !between(w, at) { // no round trip after it tells of the sleep: see TestTheWatchIsEnclosed
				continue
			}
			after, before, err := relation.At(w.other.monotonic(at))
			if err != nil {
				t.Fatalf("world %d: %v", n, err)
			}
			if truth := time.Duration(at); truth < after-1 || truth > before+1 {
				t.Fatalf("world %d: it happened at %s, the bounds are %s and %s; suspended from %s to %s", n, truth, after, before, time.Duration(w.other.asleep), time.Duration(w.other.woke))
			}
			if width := before - after; width > w.widest+time.Duration(2*clock.DefaultDrift*w.length)*2+2*clock.SuspendedAfter+4 {
				t.Fatalf("world %d: the bounds are %s apart, the longest round trip took %s", n, width, w.widest)
			}
			judged++
		}
	}
	t.Logf("%d worlds: %d instants judged, in %d worlds the machine was suspended, %d worlds were dropped", worlds, judged, suspended, dropped)
	if judged < worlds || dropped == 0 {
		t.Error("the worlds judge nothing")
	}
}

// between reports whether an instant lies between two round trips.
func between(w world, at float64) bool {
	earlier := func(s clock.Sample) bool { return float64(s.Received) <= at }
	later := func(s clock.Sample) bool { return float64(s.Sent) >= at }
	return slices.ContainsFunc(w.samples, earlier) && slices.ContainsFunc(w.samples, later)
}

// TestWhatCannotBePlaced is a machine whose clock cannot be trusted.
func TestWhatCannotBePlaced(t *testing.T) {
	s := func(sent, received, read, boot time.Duration) clock.Sample {
		return clock.Sample{Sent: sent, Received: received, Read: read, Boot: boot}
	}
	for name, c := range map[string]struct {
		samples []clock.Sample
		want    error
	}{
		"no round trip":           {nil, clock.ErrUnknown},
		"an answer from before":   {[]clock.Sample{s(2, 1, 0, 0)}, clock.ErrContradiction},
		"a clock that jumped":     {[]clock.Sample{s(0, 1000, 0, 0), s(time.Second, time.Second+1000, 2*time.Second, 2*time.Second)}, clock.ErrContradiction},
		"a clock that stood":      {[]clock.Sample{s(0, 1000, 0, 0), s(time.Second, time.Second+1000, 0, 0)}, clock.ErrContradiction},
		"a machine that slept":    {[]clock.Sample{s(0, 1000, 0, 0), s(time.Second, time.Second+1000, time.Second/2, time.Second)}, clock.ErrSuspended},
		"years ahead, and steady": {[]clock.Sample{s(0, 1000, 1<<60, 1<<60), s(time.Second, time.Second+1000, 1<<60+time.Second, 1<<60+time.Second)}, nil},
	} {
		if _, err := clock.Relate(c.samples, clock.DefaultDrift); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

// TestAnIntervalIsWidened turns what a machine measured into bounds here.
func TestAnIntervalIsWidened(t *testing.T) {
	r, err := clock.Relate([]clock.Sample{{Sent: 0, Received: 10 * time.Millisecond, Read: time.Hour, Boot: time.Hour}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	from, to, err := r.Interval(time.Hour+time.Second, time.Hour+2*time.Second)
	if err != nil || from < time.Second-2 || from > time.Second || to < 2*time.Second+10*time.Millisecond || to > 2*time.Second+10*time.Millisecond+2 {
		t.Errorf("got %s to %s, %v", from, to, err)
	}
}
