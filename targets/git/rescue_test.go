package git

import (
	"errors"
	"testing"
	"time"

	"mirror/internal/realserver"
	"mirror/targets"
	"mirror/targets/targettest"
)

// TestRescue commits the same tree again: once for each publish, only on what is live, and so that the next
// publish and a rollback find everything in its place.
func TestRescue(t *testing.T) {
	t.Parallel()
	realserver.Need(t, "git")
	key, allowed := newSigningKey(t, "ed25519", "")
	for _, history := range []string{"keep", "squash", "last 2"} {
		t.Run(history, func(t *testing.T) {
			t.Parallel()
			r := newRepo(t, "main")
			tgt := open(t, Config{URL: r.dir, History: history, SigningKey: key}, targets.Env{State: t.TempDir()})
			publish(t, tgt, v1)
			publish(t, tgt, v2)
			lost, id := r.head(t), targettest.Release(v2).ID()
			live, err := tgt.Live(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			swap := targets.Swap{From: live, To: id}
			if err := tgt.Rescue(t.Context(), swap, time.Hour); !errors.Is(err, targets.ErrTooYoung) {
				t.Errorf("a young commit: got %v, want ErrTooYoung", err)
			}
			if err := tgt.Rescue(t.Context(), targets.Swap{From: live, To: targettest.Release(v1).ID()}, 0); !errors.Is(err, targets.ErrConflict) {
				t.Errorf("another release: got %v, want ErrConflict", err)
			}
			guard, err := tgt.Reserve(t.Context(), swap)
			if err != nil {
				t.Fatal(err)
			}
			if err := tgt.Rescue(t.Context(), swap, 0); err != nil {
				t.Fatal(err)
			}
			if err := guard.Release(t.Context()); err != nil {
				t.Error(err)
			}
			if refs := r.run(t, nil, nil, "for-each-ref", "refs/mirror/reserved"); refs != "" {
				t.Errorf("the reservation is left: %s", refs)
			}
			if r.head(t) == lost || r.run(t, nil, nil, "rev-parse", "gh-pages^{tree}") != r.run(t, nil, nil, "rev-parse", lost+"^{tree}") {
				t.Error("want another commit with the same tree")
			}
			r.run(t, nil, nil, "-c", "gpg.ssh.allowedSignersFile="+allowed, "verify-commit", "gh-pages")
			if swap.From, err = tgt.Live(t.Context()); err != nil || swap.From.Release != id {
				t.Errorf("live: got %+v, %v", swap.From, err)
			}
			if err := tgt.Rescue(t.Context(), swap, 0); !errors.Is(err, targets.ErrRescued) {
				t.Errorf("a second time: got %v, want ErrRescued", err)
			}
			if past, err := tgt.Past(t.Context(), 10, nil); err != nil || len(past) > 1 && past[0].Release == past[1].Release {
				t.Errorf("past: got %+v, %v; want the release once", past, err)
			}
			plan, err := tgt.Plan(t.Context(), targettest.Release(v2))
			if err != nil || !plan.Changes.Empty() || plan.Live.Release != id {
				t.Errorf("plan: got %+v, %v; want nothing to do", plan, err)
			}
			publish(t, tgt, v1)
			r.want(t, "index.html", v1["index.html"])
			r.fsck(t)
		})
	}
}

func TestTimesOfRescues(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		url, rescue   string
		slowest, want time.Duration
	}{
		{"git@github.com:me/x.git", "", 0, 10 * time.Minute},
		{"git@github.com:me/x.git", "auto", 10 * time.Second, 2 * time.Minute},
		{"https://github.com/me/x.git", "", time.Minute, 3 * time.Minute},
		{"https://github.com/me/x.git", "off", time.Minute, 0},
		{"https://git.example/me/x.git", "", time.Minute, 0},
		{"https://git.example/me/x.git", "30s", time.Minute, 30 * time.Second},
	} {
		tgt := open(t, Config{URL: tc.url, Rescue: tc.rescue}, targets.Env{Getenv: func(string) string { return "" }})
		if got := tgt.RescueAfter(tc.slowest); got != tc.want {
			t.Errorf("%s %s after lags of %s: got %s, want %s", tc.url, tc.rescue, tc.slowest, got, tc.want)
		}
	}
	if _, err := Open(t.Context(), targets.Env{Getenv: func(string) string { return "" }}, Config{URL: "https://git.example/x", Rescue: "soon"}); err == nil {
		t.Error("rescue: soon: got nil, want an error")
	}
}
