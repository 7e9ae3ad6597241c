package upstream

import (
	"testing"
	"time"

	"mirror/diff"
)

// TestBreaker opens a circuit at wrong bytes, or at the third lost request in a row, and closes it by a
// probe alone.
func TestBreaker(t *testing.T) {
	at := time.Unix(1000, 0)
	var b breaker
	lost, wrong := diff.Difference{Kind: diff.Unreachable}, diff.Difference{Kind: diff.Altered, Path: "a"}
	b.failed(at, lost)
	b.failed(at, lost)
	b.succeeded()
	b.failed(at, lost)
	b.failed(at, lost)
	if b.isOpen() {
		t.Error("lost requests that are not in a row open the circuit")
	}
	b.failed(at, lost)
	if !b.isOpen() {
		t.Error("three lost requests in a row do not open the circuit")
	}
	b = breaker{}
	b.failed(at, wrong)
	b.failed(at.Add(time.Hour), lost) // nothing new
	if d, due := b.due(at); !b.isOpen() || due || d.Path != "a" {
		t.Errorf("after wrong bytes: open %t, due %t, %+v", b.isOpen(), due, d)
	}
	b.succeeded()
	if !b.isOpen() {
		t.Error("a body of another page closes the circuit")
	}
	for pause := firstPause; pause < lastPause; pause = min(2*pause, lastPause) {
		if _, due := b.due(at.Add(pause - 1)); due {
			t.Errorf("a probe is due before %s", pause)
		}
		at = at.Add(pause)
		if _, due := b.due(at); !due {
			t.Errorf("no probe is due after %s", pause)
		}
		b.probed(at, wrong, false)
	}
	b.probed(at, diff.Difference{}, true)
	if b.isOpen() {
		t.Error("a probe that succeeds does not close the circuit")
	}
}

// TestLatency waits for as long as an origin usually takes, within bounds.
func TestLatency(t *testing.T) {
	var l latency
	if l.hedge() != firstHedge {
		t.Errorf("of an unknown origin: %s", l.hedge())
	}
	for range remembered {
		l.add(40 * time.Millisecond)
	}
	if l.hedge() != 40*time.Millisecond || l.typical() != 40*time.Millisecond {
		t.Errorf("of an even one: %s, %s", l.hedge(), l.typical())
	}
	l.atLeast(time.Millisecond)
	if l.typical() != 40*time.Millisecond {
		t.Error("a loser that was quick makes the origin quicker")
	}
	for range remembered {
		l.add(time.Minute)
	}
	if l.hedge() != longestHedge {
		t.Errorf("of a slow one: %s", l.hedge())
	}
	for range remembered {
		l.add(time.Microsecond)
	}
	if l.hedge() != shortestHedge {
		t.Errorf("of a quick one: %s", l.hedge())
	}
}
