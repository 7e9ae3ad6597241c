package git

import (
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	"mirror/internal/realserver"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/git/internal/objects"
	"mirror/targets/targettest"
)

// TestHostileTrees offers trees that lead elsewhere or never end.
func TestHostileTrees(t *testing.T) {
	realserver.Need(t, "git")
	t.Parallel()
	for _, name := range []string{"..", ".", "", "a/b", "twice"} {
		t.Run(fmt.Sprintf("%q", name), func(t *testing.T) {
			t.Parallel()
			r := newRepo(t, "main")
			raw := r.entry(t, name)
			r.serve(t, append(raw, raw...))
			wantUnreadable(t, r)
		})
	}
	t.Run("bomb", func(t *testing.T) {
		t.Parallel()
		r := newRepo(t, "main")
		raw := r.entry(t, "leaf")
		for range 30 {
			id := r.run(t, raw, nil, "hash-object", "-t", "tree", "--literally", "-w", "--stdin")
			raw = nil
			for _, name := range "abcdefgh" {
				raw = append(raw, treeLine(t, "40000", string(name), id)...)
			}
		}
		r.serve(t, raw)
		// All that reads a tree counts what it walks in the same place: once is enough.
		if _, err := open(t, Config{URL: r.dir}, targets.Env{}).Plan(t.Context(), targettest.Release(v1)); !errors.Is(err, objects.ErrTooMuch) {
			t.Errorf("got %v, want ErrTooMuch", err)
		}
	})
}

func (r repo) entry(t *testing.T, name string) []byte {
	return treeLine(t, "100644", name, r.run(t, []byte("x"), nil, "hash-object", "-w", "--stdin"))
}

func treeLine(t *testing.T, mode, name, id string) []byte {
	t.Helper()
	sum, err := hex.DecodeString(id)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte(mode+" "+name+"\x00"), sum...)
}

// serve makes a tree the branch's.
func (r repo) serve(t *testing.T, tree []byte) {
	t.Helper()
	id := r.run(t, tree, nil, "hash-object", "-t", "tree", "--literally", "-w", "--stdin")
	commit := fmt.Sprintf("tree %s\nauthor a <a> 1 +0000\ncommitter a <a> 1 +0000\n\nx\n", id)
	id = r.run(t, []byte(commit), nil, "hash-object", "-t", "commit", "-w", "--stdin")
	r.run(t, nil, nil, "update-ref", "refs/heads/gh-pages", id)
}

func wantUnreadable(t *testing.T, r repo) {
	t.Helper()
	tgt := open(t, Config{URL: r.dir}, targets.Env{})
	if _, err := tgt.Plan(t.Context(), targettest.Release(v1)); err == nil {
		t.Error("plan: got nil, want an error")
	}
	if _, err := tgt.ReadBack(t.Context()); err == nil {
		t.Error("read back: got nil, want an error")
	}
	if live, err := tgt.Live(t.Context()); err == nil && live.Release != site.None {
		t.Errorf("live: got %+v, want no release of ours", live)
	}
}
