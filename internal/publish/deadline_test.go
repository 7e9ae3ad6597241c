package publish_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirror/diff"
	"mirror/internal/publish"
	"mirror/site"
)

// never is the lag of an origin that does not turn while anybody waits.
const never = 1000 * time.Hour

// patient waits for as long as it may, and sees that the origins do not agree.
type patient struct{ asked int }

func (p *patient) Await(ctx context.Context, _ *site.Release, _ []string, patience time.Duration) (diff.Verdict, error) {
	p.asked++
	if patience <= 0 {
		return diff.Verdict{}, errors.New("no limit was given")
	}
	select {
	case <-ctx.Done():
		return diff.Verdict{}, ctx.Err()
	case <-time.After(patience):
	}
	return diff.Verdict{Origins: []diff.OriginVerdict{{Name: "pages", Err: errors.New("late")}}}, nil
}

// TestVerifyTimeoutBoundsAllWaits has everything after the first commit take too long, one after
// another and all together, and wants the publish to end in time, and each destination to be
// committed and looked at all the same.
func TestVerifyTimeoutBoundsAllWaits(t *testing.T) {
	const limit, grace = 10 * time.Second, 2 * time.Second
	hours := map[string]time.Duration{"pages": time.Hour, "image": time.Minute, "bucket": 0}
	for _, c := range []struct {
		name   string
		lags   map[string]time.Duration // of the origins
		order  publish.Order
		silent bool
		looks  time.Duration
		late   string // what is said of the barrier
	}{
		{name: "nobody is late"},
		{name: "an origin that never turns", lags: map[string]time.Duration{"pages": never}},
		{name: "a barrier that is longer", lags: map[string]time.Duration{"pages": never}, order: publish.Order{Barrier: patience}, late: "not seen live within 10s"},
		{name: "a barrier that is shorter", lags: map[string]time.Duration{"pages": never}, order: publish.Order{Barrier: time.Second}, late: "not seen live within 1s"},
		{name: "lags that were learnt when more was allowed", order: publish.Order{Lags: hours}},
		{name: "such lags and a barrier", lags: map[string]time.Duration{"pages": never}, order: publish.Order{Lags: hours, Barrier: patience}, late: "not seen live within 2.5s"},
		{name: "destinations that hang", silent: true},
		{name: "a long first look", lags: map[string]time.Duration{"pages": never}, order: publish.Order{Barrier: patience}, looks: 4 * time.Second, late: "not seen live within 6s"},
		{name: "all of it", lags: map[string]time.Duration{"pages": never, "image": never}, order: publish.Order{Lags: hours, Barrier: patience}, silent: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{lags: c.lags, silent: c.silent, looks: c.looks, verify: limit}
				o := s.options(c.order)
				seer := &patient{}
				o.Verifier = seer
				report, err := publish.Run(t.Context(), rel("new"), s.cast(usual...), o)
				if took := time.Since(s.started); took > limit+grace {
					t.Errorf("took %s", took)
				}
				if err != nil || report.Outcome != publish.Diverged || seer.asked != 1 || s.settled != 1 {
					t.Errorf("got %s, %v; looked %d times, ended the watch %d times", report.Outcome, err, seer.asked, s.settled)
				}
				text := strings.Join(s.log, "\n")
				if strings.Count(text, "commit ") != 3 || !strings.Contains(text, c.late) {
					t.Errorf("got\n%s", text)
				}
				if c.silent != (len(report.Warnings) > 0) {
					t.Errorf("warnings: %q", report.Warnings)
				}
			})
		})
	}
}
