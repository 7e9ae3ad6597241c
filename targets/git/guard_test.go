package git

import (
	"path/filepath"
	"testing"
	"time"

	"mirror/internal/realserver"
	"mirror/targets"
	"mirror/targets/targettest"
)

// A renewal that was cut off, and whose push the server carries out late, is no other publisher's.
func TestARenewalThatArrivesLate(t *testing.T) {
	for name, then := range map[string]func(t *testing.T, tgt *Target, r *reservation, swap targets.Swap){
		"before a commit": func(t *testing.T, tgt *Target, _ *reservation, swap targets.Swap) {
			if err := tgt.Commit(t.Context(), swap); err != nil {
				t.Fatal(err)
			}
			if live, err := tgt.Live(t.Context()); err != nil || live.Release != swap.To {
				t.Errorf("live is %v, %v", live, err)
			}
		},
		"before the release of the place": func(t *testing.T, _ *Target, r *reservation, _ targets.Swap) {
			if err := r.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repository, network := newRepo(t, "main"), &beforePush{}
			f := place(repository, Config{URL: realserver.GitHTTP(t, filepath.Dir(repository.dir)) + "/site.git"}, nil)
			tgt := f.Guarded(t, "a", time.Hour, network).(*Target)
			rel := targettest.Release(targettest.Files{"index.html": "v1"})
			swap := targets.Swap{To: rel.ID()}
			if err := tgt.Stage(t.Context(), rel, nil); err != nil {
				t.Fatal(err)
			}
			held, err := tgt.Reserve(t.Context(), swap)
			if err != nil {
				t.Fatal(err)
			}
			r := held.(*reservation)
			early := r.hash
			if err := r.renew(t.Context()); err != nil {
				t.Fatal(err)
			}
			late := r.hash
			move := func(to string) { repository.run(t, nil, nil, "update-ref", r.ref.String(), to) }
			move(early.String())
			r.hash = early
			network.do, network.armed = func() { move(late.String()) }, true
			then(t, tgt, r, swap)
			if left := repository.run(t, nil, nil, "for-each-ref", "--format=%(refname)", r.ref.String()); left != "" {
				t.Errorf("%s is left", left)
			}
		})
	}
}
