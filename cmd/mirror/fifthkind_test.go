package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mirror/diff"
	"mirror/reports"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/kinds"
)

// shelf is a place of a kind that no package knows: files in memory, served over HTTP.
type shelf struct {
	mu     sync.Mutex // guards what follows
	live   map[string][]byte
	now    targets.Live
	staged map[site.ID]map[string][]byte
}

// Plan compares what is live.
func (s *shelf) Plan(ctx context.Context, rel *site.Release) (targets.Plan, error) {
	held, err := s.ReadBack(ctx)
	live, _ := s.Live(ctx)
	return targets.Plan{Live: live, Changes: diff.Manifests(held, rel.Manifest)}, err
}

// Stage copies the release.
func (s *shelf) Stage(_ context.Context, rel *site.Release, _ targets.Progress) error {
	files := map[string][]byte{rel.BeaconPath: rel.Beacon()}
	for _, f := range rel.Manifest {
		text, err := rel.ReadFile(f)
		if err != nil {
			return err
		}
		files[f.Path] = text
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.staged[rel.ID()] = files
	return nil
}

// Live tells what is live.
func (s *shelf) Live(context.Context) (targets.Live, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now, nil
}

// Commit shows a staged release.
func (s *shelf) Commit(_ context.Context, swap targets.Swap) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	files, ok := s.staged[swap.To]
	switch {
	case !ok:
		return targets.ErrNotStaged
	case s.now != swap.From:
		return targets.ErrConflict
	}
	s.live, s.now = files, targets.Live{Release: swap.To, Revision: swap.To.Short()}
	return nil
}

// Rollback is not needed here.
func (s *shelf) Rollback(context.Context, targets.Swap) error { return errors.New("not needed") }

// ReadBack hashes what is live.
func (s *shelf) ReadBack(context.Context) (site.Manifest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var m site.Manifest
	for path, text := range s.live {
		if path != strings.TrimPrefix(site.DefaultBeacon, "/") {
			m = append(m, site.File{Path: path, Size: int64(len(text)), Digest: site.Digest(sha256.Sum256(text))})
		}
	}
	m.Sort()
	return m, nil
}

// ServeHTTP serves what is live.
func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if path == "" || strings.HasSuffix(path, "/") {
		path += "index.html"
	}
	s.mu.Lock()
	text, ok := s.live[path]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", site.ContentType(path, text))
	_, _ = w.Write(text)
}

// shelfConfig is the kind's part of mirror.yaml.
type shelfConfig struct {
	Label string `yaml:"label" jsonschema:"required"`
}

// kind returns the kind of which s is the only place.
func (s *shelf) kind() targets.Kind {
	return targets.Kind{
		Name:   "shelf",
		Config: shelfConfig{},
		Open: func(_ context.Context, _ targets.Env, decode func(any) error) (targets.Target, error) {
			var c shelfConfig
			return s, decode(&c)
		},
		Traits: targets.Traits{CompareAndSwap: true, Atomic: true},
		Place: func(decode targets.Decode) (targets.Place, error) {
			var c shelfConfig
			err := decode(&c)
			return targets.Place{ID: c.Label}, err
		},
		Sample: targets.Sample{Name: "board", About: "A shelf.", Keys: []targets.SampleKey{{Name: "label", Value: "LABEL"}}, Origin: "https://shelf.example/"},
	}
}

// TestFifthKind adds a kind of target to the program, which no other package knows: init writes
// it, the schema has it, two targets at its place are refused, and a release is published to it
// and checked.
func TestFifthKind(t *testing.T) {
	t.Parallel()
	s := &shelf{staged: map[site.ID]map[string][]byte{}}
	front := httptest.NewServer(s)
	defer front.Close()
	all := append(kinds.All(), s.kind())
	home := t.TempDir()
	file := filepath.Join(home, "mirror.yaml")
	mirror := func(want int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		args = append([]string{"-c", file}, args...)
		if code := runKinds(t.Context(), all, args, func(string) string { return "" }, strings.NewReader(""), &out, &errs); code != want {
			t.Fatalf("mirror %s: got exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, &out, &errs)
		}
		return out.String() + errs.String()
	}

	mirror(0, "init", "--with", "shelf")
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "type: shelf\n    label: LABEL") {
		t.Errorf("init: got %q, %v", text, err)
	}
	if schema := mirror(0, "init", "--schema"); !strings.Contains(schema, `"const": "shelf"`) {
		t.Error("the schema lacks the kind")
	}

	writeFiles(t, home, map[string]string{"site/index.html": "one", "site/about/index.html": "about"})
	target := func(name, label string) string {
		return fmt.Sprintf("  - {name: %s, type: shelf, label: %s, origin: {url: '%s/'}}\n", name, label, front.URL)
	}
	const head = "version: 1\nsite: {dir: ./site}\ntargets:\n"
	writeFiles(t, home, map[string]string{"mirror.yaml": head + target("one", "a") + target("two", "a")})
	if said := mirror(2, "plan"); !strings.Contains(said, `is where target "one" writes too`) {
		t.Errorf("two targets at one place: got %q", said)
	}
	writeFiles(t, home, map[string]string{"mirror.yaml": head + target("one", "a")})
	var doc reports.Publish
	said := mirror(0, "publish", "--json", "--quiet")
	if err := json.Unmarshal([]byte(said), &doc); err != nil || doc.Outcome != "live" || doc.Targets[0].Type != "shelf" || doc.Targets[0].Add != 2 {
		t.Errorf("publish: got %s, %v", said, err)
	}
	mirror(0, "check")
	s.mu.Lock()
	s.live["index.html"] = []byte("tampered")
	s.mu.Unlock()
	mirror(1, "check")
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
