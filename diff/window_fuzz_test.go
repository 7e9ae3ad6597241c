package diff_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"mirror/diff"
	"mirror/site"
)

// FuzzWindowAdd tells a watch what the fuzzer makes up, also what no clock gives, and
// looks for a window that contradicts itself.
func FuzzWindowAdd(f *testing.F) {
	f.Add([]byte{1, 0, 0, 1, 2, 1, 0, 0, 9, 1, 2, 0})
	f.Add([]byte{2, 0, 0, 1, 2, 2, 0, 0, 9, 1, 1, 0, 0, 0, 12, 1, 2, 0, 0, 1, 13, 200, 2, 0})
	f.Add([]byte{3, 1, 2, 255, 255, 3, 9, 1, 1, 254, 1, 4, 5, 0, 1, 3, 3, 3, 7})
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) == 0 {
			return
		}
		began := time.Now()
		w := diff.NewWatch(began, fuzzedChanges, []string{"o", "p"}, int(script[0]%5))
		for step := range slices.Chunk(script[1:], 5) {
			if len(step) == 5 {
				w.Add([]string{"o", "p", "unknown"}[step[0]%3], fuzzedAnswer(began, step))
				fuzzedWord(w, step)
			}
			if err := contradiction(w); err != nil {
				t.Fatal(err)
			}
		}
	})
}

var fuzzedChanges = []diff.Change{
	{Path: "a", Old: oldBytes, New: newBytes}, {Path: "b", New: newBytes}, {Path: "c", Old: oldBytes},
	{Path: "a", Old: otherBytes}, {Path: "same"},
}

func fuzzedAnswer(began time.Time, step []byte) site.Observation {
	o := site.Observation{
		Path:   []string{"a", "b", "c", "same", "unknown"}[step[0]>>2%5],
		Status: []int{200, 200, 200, 404, 410, 403, 304, 301, 503, 0}[step[4]>>4%10],
		Asked:  fuzzedTime(began, step[1]), Answered: fuzzedTime(began, step[2]),
		Digest: site.Digest{step[3] % 6}, Raw: site.Digest{step[3] >> 3 % 6},
	}
	if step[4]&8 > 0 {
		o.Answered = o.Asked.Add(time.Duration(step[2]))
	}
	if step[4]&7 == 7 {
		o.Err = errors.New("cut")
	}
	return o
}

func fuzzedTime(began time.Time, b byte) time.Time {
	switch b {
	case 255:
		return time.Time{}
	case 254:
		return began.Add(1<<63 - 1)
	case 253:
		return began.AddDate(500, 0, 0)
	case 252:
		return began.Round(0).Add(24 * time.Hour) // another clock, a day off
	}
	return began.Add((time.Duration(b) - 20) * time.Millisecond)
}

func fuzzedWord(w *diff.Watch, step []byte) {
	path, d := []string{"a", "b", "c"}[step[0]%3], site.Digest{step[3] % 6}
	switch step[4] {
	case 1:
		w.Supersede(path, d)
	case 2:
		w.Precede(path, d)
	case 3:
		w.MayFlap("p")
	case 4:
		w.Atomic("o")
	}
}

// contradiction returns what in a watch cannot be true together.
func contradiction(w *diff.Watch) error {
	win := w.Window()
	closed := true
	for _, o := range win.Origins {
		closed = closed && w.Settled(o.Name)
		if !slices.Equal(o.Open, w.Pending(o.Name)) || w.Settled(o.Name) != (len(o.Open) == 0) {
			return fmt.Errorf("open %v, pending %v, settled %t", o.Open, w.Pending(o.Name), w.Settled(o.Name))
		}
		inOrder := []diff.Bounds{o.FirstNew, o.AllNew}
		if o.Switch != nil {
			inOrder = append(inOrder, *o.Switch)
		}
		for _, c := range fuzzedChanges {
			p := w.Page(o.Name, c.Path)
			inOrder = append(inOrder, diff.Bounds{After: p.After, Before: p.Before})
		}
		for _, b := range inOrder {
			if !b.Before.IsZero() && b.After.After(b.Before) {
				return fmt.Errorf("%s: after %v, before %v", o.Name, b.After, b.Before)
			}
		}
	}
	if win.Closed != closed || win.Lower < 0 || win.Closed && win.Lower > win.Upper {
		return fmt.Errorf("closed %t, settled %t, lower %v, upper %v", win.Closed, closed, win.Lower, win.Upper)
	}
	if a := win.Atomic; a != nil && (a.Lower > a.Upper || a.Lower < win.Lower || a.Upper > win.Upper) {
		return fmt.Errorf("%v is no part of [%v, %v]", *a, win.Lower, win.Upper)
	}
	return judgeCurve(win.Fresh)
}

func judgeCurve(fresh []diff.Freshness) error {
	for i, f := range fresh {
		if f.P < 0 || f.P > 1 || f.T < 0 || i > 0 && f.T <= fresh[i-1].T {
			return fmt.Errorf("curve %v", fresh)
		}
	}
	return nil
}
