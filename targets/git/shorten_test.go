package git

import (
	"fmt"
	"strings"
	"testing"

	"mirror/internal/realserver"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/targettest"
)

func release(n int) targettest.Files {
	return targettest.Files{"index.html": fmt.Sprint("round ", n), "about/index.html": "about"}
}

// commits lists the branch's commits, the latest first.
func (r repo) commits(t *testing.T) []string {
	t.Helper()
	return strings.Fields(r.run(t, nil, nil, "rev-list", "gh-pages"))
}

// TestShortHistories publishes seven releases: the branch has no more commits than it may, each with its
// own tree, and what can be rolled back to can.
func TestShortHistories(t *testing.T) {
	t.Parallel()
	realserver.Need(t, "git")
	key, allowed := newSigningKey(t, "ed25519", "")
	const rounds, keep = 7, 5
	for _, tc := range []struct {
		config Config
		filter bool
		want   int
	}{
		{Config{Orphan: true}, true, 1}, {Config{History: "squash"}, true, 1}, {Config{History: "last 3", SigningKey: key}, true, 3},
		{Config{History: "last 4"}, false, 2}, {Config{History: "last 20"}, true, rounds},
	} {
		t.Run(fmt.Sprintf("%s%v, filter %v, signed %v", tc.config.History, tc.config.Orphan, tc.filter, tc.config.SigningKey != ""), func(t *testing.T) {
			t.Parallel()
			r := newRepo(t, "main")
			r.run(t, nil, nil, "config", "uploadpack.allowFilter", fmt.Sprint(tc.filter))
			tc.config.URL = r.dir
			for n := range rounds {
				tgt := open(t, tc.config, targets.Env{})
				publish(t, tgt, release(n))
				if err := tgt.Prune(t.Context(), targets.Retention{Keep: keep, Grace: -1}); err != nil {
					t.Fatal(err)
				}
			}
			commits := r.commits(t)
			if len(commits) != tc.want {
				t.Errorf("history: got %d commits, want %d", len(commits), tc.want)
			}
			for i, c := range commits {
				if got, want := r.run(t, nil, nil, "show", c+":index.html"), fmt.Sprint("round ", rounds-1-i); got != want {
					t.Errorf("commit %d: got %q, want %q", i, got, want)
				}
				if tc.config.SigningKey != "" {
					r.run(t, nil, nil, "-c", "gpg.ssh.allowedSignersFile="+allowed, "verify-commit", c)
				}
			}
			wantRestorable(t, open(t, tc.config, targets.Env{}), rounds, keep)
			r.fsck(t)
		})
	}
}

// wantRestorable restores the latest releases.
func wantRestorable(t *testing.T, tgt *Target, rounds, keep int) {
	t.Helper()
	for n := rounds - keep; n < rounds; n++ {
		id := targettest.Release(release(n)).ID()
		got, err := tgt.Restore(t.Context(), id)
		if err != nil {
			t.Errorf("restore round %d: %v", n, err)
			continue
		}
		if got.Manifest().ID() != id {
			t.Errorf("restore round %d: got other files", n)
		}
		if err := got.Close(); err != nil {
			t.Error(err)
		}
	}
	past, err := tgt.Past(t.Context(), keep, nil)
	ids := map[site.ID]bool{}
	for _, p := range past {
		ids[p.Release] = true
	}
	if err != nil || len(ids) < 2 && tgt.last != 1 {
		t.Errorf("past: got %d releases, %v", len(ids), err)
	}
}

// TestForcedUpdatesThatAreRefused has a repository that takes only fast-forwards: the branch keeps its
// history, everything else works, a rollback too.
func TestForcedUpdatesThatAreRefused(t *testing.T) {
	t.Parallel()
	realserver.Need(t, "git")
	for _, history := range []string{"keep", "squash", "last 2"} {
		t.Run(history, func(t *testing.T) {
			t.Parallel()
			r := newRepo(t, "main")
			r.run(t, nil, nil, "config", "receive.denyNonFastForwards", "true")
			tgt := open(t, Config{URL: r.dir, History: history}, targets.Env{})
			var swap targets.Swap
			for n := range 4 {
				swap = publish(t, tgt, release(n))
			}
			if got := len(r.commits(t)); got != 4 {
				t.Errorf("history: got %d commits, want 4", got)
			}
			if told := strings.Join(tgt.TakeWarnings(), " "); strings.Contains(told, "keeps all its commits") != (history != "keep") {
				t.Errorf("warnings: got %q", told)
			}
			for range 2 { // it may be repeated, by another process too
				tgt = open(t, Config{URL: r.dir, History: history}, targets.Env{})
				if err := tgt.Rollback(t.Context(), swap); err != nil {
					t.Fatal(err)
				}
			}
			r.want(t, "index.html", "round 2")
			if live, err := tgt.Live(t.Context()); err != nil || live.Release != swap.From.Release {
				t.Errorf("live: got %+v, %v; want %s", live, err, swap.From.Release.Short())
			}
			if got := len(r.commits(t)); got != 5 {
				t.Errorf("history: got %d commits, want 5", got)
			}
			r.fsck(t)
		})
	}
}

// TestRollbacksThatAreRefused rolls back to the content of others, and to nothing, where the branch may not
// be moved back nor be deleted.
func TestRollbacksThatAreRefused(t *testing.T) {
	t.Parallel()
	realserver.Need(t, "git")
	for _, history := range []string{"keep", "squash"} {
		for _, others := range []bool{true, false} {
			r := newRepo(t, "gh-pages") // git lets no push delete the main branch
			if others {
				r.put(t, map[string][]byte{"index.html": []byte("by hand")})
			}
			r.run(t, nil, nil, "config", "receive.denyNonFastForwards", "true")
			fresh := func() *Target { return open(t, Config{URL: r.dir, History: history}, targets.Env{}) }
			swap := publish(t, fresh(), release(1))
			for range 2 {
				if err := fresh().Rollback(t.Context(), swap); err != nil {
					t.Fatalf("%s, content of others %v: %v", history, others, err)
				}
			}
			live, err := fresh().Live(t.Context())
			if err != nil || live.Release != site.None || (live.Revision == "") == others {
				t.Errorf("%s: live: got %+v, %v", history, live, err)
			}
			if others {
				r.want(t, "index.html", "by hand")
			}
			r.fsck(t)
		}
	}
}

// TestHistoryIsChanged changes the key between publishes.
func TestHistoryIsChanged(t *testing.T) {
	t.Parallel()
	realserver.Need(t, "git")
	r := newRepo(t, "main")
	r.put(t, map[string][]byte{"old.html": []byte("by hand")})
	r.put(t, map[string][]byte{"old.html": []byte("by hand again")})
	want := []int{3, 2, 3, 1, 2}
	for n, history := range []string{"keep", "last 2", "last 5", "squash", "keep"} {
		publish(t, open(t, Config{URL: r.dir, History: history}, targets.Env{}), release(n))
		if got := len(r.commits(t)); got != want[n] {
			t.Errorf("%s: got %d commits, want %d", history, got, want[n])
		}
	}
	r.fsck(t)
}

func TestHistoriesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{{History: "last"}, {History: "last 0"}, {History: "5"}, {History: "last 1001"}, {History: "keep", Orphan: true}, {History: "last -3"}} {
		c.URL = "https://git.example/x.git"
		if _, err := Open(t.Context(), targets.Env{Getenv: func(string) string { return "" }}, c); err == nil || !strings.Contains(err.Error(), "history") {
			t.Errorf("%+v: got %v, want it refused", c, err)
		}
	}
}
