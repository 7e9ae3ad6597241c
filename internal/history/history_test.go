package history_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/internal/history"
	"mirror/site"
)

func place(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "state", history.Name)
}

func open(t testing.TB, path string) *history.Store {
	t.Helper()
	s, err := history.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func digest(text string) (d site.Digest) {
	copy(d[:], text)
	d[len(d)-1] = 1
	return d
}

// release makes a release of paths and short contents.
func release(files map[string]string) site.Past {
	var m site.Manifest
	for path, text := range files {
		m = append(m, site.File{Path: path, Size: int64(len(text)), Digest: digest(text)})
	}
	m.Sort()
	return site.Past{Release: m.ID(), Manifest: m}
}

var began = time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)

// at gives a release the time of its n-th second.
func at(n int, p site.Past) site.Past {
	p.Published = began.Add(time.Duration(n) * time.Second)
	return p
}

func add(t testing.TB, s *history.Store, all ...site.Past) {
	t.Helper()
	for _, p := range all {
		if err := s.AddRelease(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
}

func wantPast(t *testing.T, s *history.Store, limit int, want ...site.Past) {
	t.Helper()
	got, err := s.Past(t.Context(), limit, nil)
	if err != nil {
		t.Fatal(err)
	}
	same := func(a, b site.Past) bool {
		return a.Release == b.Release && a.Published.Equal(b.Published) && slices.Equal(a.Manifest, b.Manifest)
	}
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("past: got %+v\nwant %+v", got, want)
	}
}

func TestPastIsInTheOrderOfGoingLive(t *testing.T) {
	path := place(t)
	s := open(t, path)
	one := at(1, release(map[string]string{"index.html": "1", "old.html": "o", "same.css": "s"}))
	two := at(2, release(map[string]string{"index.html": "2", "new.html": "n", "same.css": "s"}))
	again := at(3, one)
	add(t, s, one, two, again)
	wantPast(t, s, 10, again, two, one)
	wantPast(t, open(t, path), 2, again, two)
	if got, err := s.Sequence(t.Context()); err != nil || len(got) != 3 || got[0].Release != one.Release || got[1].Release != two.Release || got[0].Manifest != nil {
		t.Errorf("sequence: got %+v, %v", got, err)
	}
	add(t, s, at(4, one)) // the newest is live already
	wantPast(t, s, 10, again, two, one)
}

func TestOddPathsAndAnUnknownTime(t *testing.T) {
	s := open(t, place(t))
	odd := release(map[string]string{"a\nb": "1", "\xff\xfe": "2", "镜子/50% ?.html": "3", "a": "", "a/": "4", `q"'`: "5"})
	add(t, s, odd)
	wantPast(t, s, 1, odd)
	if got, ok, err := s.Release(t.Context(), odd.Release); err != nil || !ok || !got.Published.IsZero() || len(got.Manifest) != 6 {
		t.Errorf("got %+v, %v, %v; want all files and no time", got, ok, err)
	}
}

func TestKeepsTheNewest(t *testing.T) {
	s := open(t, place(t))
	var all []site.Past
	for i := range history.Keep + 7 {
		all = append(all, at(i, release(map[string]string{"index.html": fmt.Sprint(i), fmt.Sprintf("only-%d.html", i): "x", "same.css": "s"})))
	}
	add(t, s, all...)
	slices.Reverse(all)
	wantPast(t, s, 2*history.Keep, all[:history.Keep]...)
	removed, err := s.Removed(t.Context(), all[0].Manifest)
	if err != nil || len(removed) != history.Keep-1 || !slices.IsSorted(removed) {
		t.Errorf("removed: got %d paths, %v; want those of %d releases", len(removed), err, history.Keep-1)
	}
	if _, ok, err := s.Release(t.Context(), all[history.Keep].Release); ok || err != nil {
		t.Errorf("a forgotten release: got %v, %v; want nothing", ok, err)
	}
}

func TestVersionsNameTheAskedPathsOnly(t *testing.T) {
	s := open(t, place(t))
	one := at(1, release(map[string]string{"index.html": "1", "old.html": "o"}))
	two := at(2, release(map[string]string{"index.html": "2"}))
	add(t, s, one, two)
	got, err := s.Versions(t.Context(), []string{"old.html", "never.html", "old.html"})
	if err != nil || len(got) != 2 || len(got[0].Manifest) != 0 || len(got[1].Manifest) != 1 || got[1].Release != one.Release {
		t.Fatalf("got %+v, %v; want both releases, and old.html in the older", got, err)
	}
	if f := got[1].Manifest[0]; f.Path != "old.html" || f.Digest != digest("o") {
		t.Errorf("got %+v", f)
	}
}

func TestRefusesAManifestOfAnotherRelease(t *testing.T) {
	p := release(map[string]string{"index.html": "1"})
	p.Manifest[0].Size++ // no part of the id
	add(t, open(t, place(t)), p)
	p.Manifest[0].Path = "other.html"
	if err := open(t, place(t)).AddRelease(t.Context(), p); err == nil {
		t.Error("a wrong manifest was taken")
	}
	if err := open(t, place(t)).AddRelease(t.Context(), site.Past{}); err == nil {
		t.Error("a release that is none was taken")
	}
}

func TestReadingMakesNothing(t *testing.T) {
	path := place(t)
	s := open(t, path)
	wantPast(t, s, 10)
	removed, err := s.Removed(t.Context(), nil)
	lags, lagErr := s.Lags(t.Context())
	_, known, relErr := s.Release(t.Context(), "")
	validators, valErr := s.Validators(t.Context(), "http://a/")
	if err := errors.Join(err, lagErr, relErr, valErr); err != nil || len(removed)+len(lags)+len(validators) > 0 || known {
		t.Errorf("got %v, %v, %v, %v, %v; want nothing", removed, lags, validators, known, err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder: got %v, want none", err)
	}
	add(t, open(t, path), release(map[string]string{"a": "1"}))
	if got, err := s.Past(t.Context(), 1, nil); err != nil || len(got) != 1 {
		t.Errorf("after another wrote: got %v, %v; want its release", got, err)
	}
}

func TestDamage(t *testing.T) {
	path := place(t)
	s, err := history.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	add(t, s, big(5000, 0))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"another file": []byte(strings.Repeat("not a database ", 1000)),
		"cut":          whole[:len(whole)/2],
		"overwritten":  slices.Concat(whole[:8192], make([]byte, len(whole)-8192)),
	} {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := use(t.Context(), path)
		if !errors.Is(err, history.ErrDamaged) || !strings.Contains(err.Error(), "hint: move") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want ErrDamaged with the file and a hint", name, err)
		}
	}
}

// use opens a history and reads all of it.
func use(ctx context.Context, path string) ([]site.Past, error) {
	s, err := history.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	past, err := s.Past(ctx, history.Keep, nil)
	return past, errors.Join(err, s.Close())
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := place(t)
	s := open(t, path)
	add(t, s, release(map[string]string{"a": "1"}))
	setVersion(t, path, 1000)
	if _, err := use(t.Context(), path); err == nil || !strings.Contains(err.Error(), "upgrade") {
		t.Errorf("got %v, want a hint to upgrade", err)
	}
}

func TestManyHandlesAtOnce(t *testing.T) {
	path := place(t)
	const handles, each = 8, 5
	var all sync.WaitGroup
	for i := range handles {
		all.Go(func() {
			s := open(t, path)
			for j := range each {
				if err := s.AddRelease(t.Context(), release(map[string]string{"index.html": fmt.Sprint(i, j)})); err != nil {
					t.Error(err)
				}
				if _, err := s.Past(t.Context(), 3, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	past, err := open(t, path).Past(t.Context(), history.Keep, nil)
	if err != nil || len(past) != handles*each {
		t.Errorf("got %d releases, %v; want %d", len(past), err, handles*each)
	}
}

func TestTheLastLagsAreKept(t *testing.T) {
	s := open(t, place(t))
	for n := range 20 {
		lags := map[string]time.Duration{"a": time.Duration(n) * time.Second}
		if n == 7 {
			lags["b"] = time.Minute
		}
		if err := s.LearnLags(t.Context(), lags); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Lags(t.Context())
	if err != nil || len(got["a"]) != 15 || got["a"][0] != 19*time.Second || got["a"][14] != 5*time.Second || len(got["b"]) != 1 {
		t.Errorf("got %v, %v; want the last 15, the latest first", got, err)
	}
}
