package publish_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/publish"
	"mirror/targets"
)

// losing is a stand whose host loses the first deployment, and deploys what is committed again.
type losing struct {
	*stand
	after   time.Duration
	err     error
	slowest time.Duration // as RescueAfter was told
}

func (d *losing) RescueAfter(slowest time.Duration) time.Duration {
	d.slowest = slowest
	return d.after
}

func (d *losing) Rescue(_ context.Context, s targets.Swap, _ time.Duration) error {
	d.stage.note("rescue %s", d.name)
	if d.err == nil {
		time.AfterFunc(10*time.Second, func() { close(d.stage.turned[d.name]) })
	}
	if s.From.Release != s.To {
		return errors.New("the live release is not the one to rescue")
	}
	return d.err
}

// TestLostDeployments has a host lose a deployment: the release is committed again once, at its time,
// and only where an origin shows nothing of it.
func TestLostDeployments(t *testing.T) {
	const never = 24 * time.Hour
	for name, tc := range map[string]struct {
		lag, after, verify time.Duration
		err                error
		rescued            bool
		warnings           int
		want               []string
	}{
		"lost":                     {never, 3 * time.Minute, 10 * time.Minute, nil, true, 1, []string{"0s watch", "0s commit pages", "3m0s await pages", "3m1s rescue pages", "3m1s note pages: not seen live for 3m1s; committed the same content again"}},
		"slow, and not lost":       {2 * time.Minute, 3 * time.Minute, 10 * time.Minute, nil, false, 0, []string{"0s watch", "0s commit pages"}},
		"verified for less":        {never, 3 * time.Minute, 2 * time.Minute, nil, false, 0, []string{"0s watch", "0s commit pages"}},
		"a host that loses none":   {never, 0, 10 * time.Minute, nil, false, 0, []string{"0s watch", "0s commit pages"}},
		"rescued by another one":   {never, time.Minute, 5 * time.Minute, targets.ErrRescued, false, 0, []string{"0s watch", "0s commit pages", "1m0s await pages", "1m1s rescue pages"}},
		"the host takes no rescue": {never, time.Minute, 5 * time.Minute, errors.New("refused"), false, 1, []string{"0s watch", "0s commit pages", "1m0s await pages", "1m1s rescue pages"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{lags: map[string]time.Duration{"pages": tc.lag}, verify: tc.verify}
				dests := s.cast("pages git")
				host := &losing{stand: dests[0].Target.(*stand), after: tc.after, err: tc.err}
				dests[0].Target = host
				o := s.options(publish.Order{})
				o.Slowest = func(string) time.Duration { return 40 * time.Second }
				report, err := publish.Run(t.Context(), rel("new"), dests, o)
				if err != nil {
					t.Fatal(err)
				}
				s.told(t, tc.want...)
				if r := report.Targets[0]; r.Rescued.IsZero() == tc.rescued || len(report.Warnings) != tc.warnings || host.slowest != 40*time.Second {
					t.Errorf("got rescued at %v with warnings %q after lags of %s", r.Rescued, report.Warnings, host.slowest)
				}
			})
		})
	}
}

// TestNothingIsRescuedAfterARollback has another destination fail: what is undone is not committed again.
func TestNothingIsRescuedAfterARollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{lags: map[string]time.Duration{"pages": 24 * time.Hour, "bucket": 0}, fails: map[string]error{"bucket": errors.New("no")}, verify: time.Hour}
		dests := s.cast("pages git", "bucket s3")
		dests[0].Target = &losing{stand: dests[0].Target.(*stand), after: time.Minute}
		report, err := s.run(t.Context(), publish.Order{Mode: publish.Listed, Names: []string{"pages", "bucket"}}, dests)
		if err == nil || report.Outcome != publish.RolledBack {
			t.Errorf("got %s, %v", report.Outcome, err)
		}
		time.Sleep(time.Hour)
		s.told(t, "0s watch", "0s commit pages", "0s commit bucket", "0s rollback pages", "0s note pages: rolled back to none",
			"0s rollback bucket", "0s note bucket: rolled back to none")
	})
}

// telling is a stand that commits in another way than it was asked for.
type telling struct{ *stand }

func (telling) TakeWarnings() []string { return []string{"the branch keeps its history"} }

func TestWarningsOfTargetsAreReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{}
		dests := s.cast("pages git")
		dests[0].Target = telling{dests[0].Target.(*stand)}
		report, err := s.run(t.Context(), publish.Order{}, dests)
		if err != nil || len(report.Warnings) != 1 || report.Warnings[0] != "pages: the branch keeps its history" {
			t.Errorf("got %q, %v", report.Warnings, err)
		}
	})
}
