package diff_test

import (
	"net/http"
	"testing"

	"mirror/diff"
	"mirror/site"
)

// absent tells that there was no page.
func (s story) absent(origin, path string, asked, answered int) diff.Side {
	o := served(http.StatusNotFound, otherBytes)
	o.Path, o.Asked, o.Answered = path, s.at(asked), s.at(answered)
	return s.Add(origin, o)
}

// look tells what the pages showed before the watch began.
func (s story) look(origin string, showed map[string]site.Digest) {
	for path, d := range showed {
		s.tell(origin, path, -20, -10, d)
	}
}

// A page that one origin has already starts no window there, whatever the others do. It is
// confirmed once more when the others have turned.
func TestWindowWhereSomePagesAreNewAlready(t *testing.T) {
	s := newStory(1, "git s3", "a", "b")
	s.look("git", map[string]site.Digest{"a": newBytes, "b": oldBytes})
	s.look("s3", map[string]site.Digest{"a": oldBytes, "b": oldBytes})
	s.tell("git", "a", 1, 2, newBytes)
	if !s.Still("git", "a") || s.Still("s3", "a") {
		t.Error("want the page to be still where it was new, and there only")
	}
	s.tell("s3", "a", 990, 991, oldBytes)
	s.expect(t, "closed=false [0,0] git 0-? 0-? r0 n3 [b] s3 0-? 990-? r0 n3 [a b]")
	s.tell("s3", "a", 1000, 1001, newBytes)
	s.tell("s3", "b", 1002, 1003, newBytes)
	s.tell("git", "b", 1005, 1006, oldBytes)
	s.tell("git", "b", 1010, 1011, newBytes)
	s.expect(t, "closed=false [4,0] git 1005-1011 1005-1011 r0 n5 [a] s3 0-1001 990-1003 r0 n5 []")
	s.tell("git", "a", 1012, 1013, newBytes)
	s.expect(t, "closed=true [4,1011] git 1005-1011 1005-1011 r0 n6 [] s3 0-1001 990-1003 r0 n5 []")
}

// A change that touches only some pages of an origin is watched there for these alone, and
// not at all where it touches none.
func TestWindowWatchesEachOriginForItsOwnPages(t *testing.T) {
	s := newStory(1, "git s3 oci", "a", "b")
	s.Only("git", []string{"b", "not watched"})
	s.Only("oci", nil)
	if got := s.tell("git", "a", 1, 2, newBytes); got != diff.Neither {
		t.Errorf("a page that the change does not touch counts as %v", got)
	}
	for _, path := range []string{"a", "b"} {
		s.tell("s3", path, 100, 101, oldBytes)
	}
	s.tell("git", "b", 110, 111, oldBytes)
	for _, path := range []string{"a", "b"} {
		s.tell("s3", path, 200, 201, newBytes)
	}
	s.tell("git", "b", 210, 211, newBytes)
	s.expect(t, "closed=true [0,111] git 110-211 110-211 r0 n3 [] s3 100-201 100-201 r0 n4 [] oci 0-0 0-0 r0 n0 []")
	w := s.Window()
	if got := []int{w.Pages, w.Origins[0].Pages, w.Origins[1].Pages, w.Origins[2].Pages}; got[0] != 2 || got[1] != 1 || got[2] != 2 || got[3] != 0 {
		t.Errorf("pages: got %v, want 2 of which 1, 2 and 0", got)
	}
	if w.Origins[1].Unchanged || !w.Origins[2].Unchanged {
		t.Error("want the origin without a page, and only that one, to be unchanged")
	}
	if last := w.Fresh[len(w.Fresh)-1]; last.P != 1 {
		t.Errorf("%v of the reads were new in the end, want all", last.P)
	}
}

// What an origin served before counts as old there, whatever it was: nothing, or bytes of
// a release that nobody here knows, older or newer.
func TestWindowWhereAnOriginIsBehindOrAhead(t *testing.T) {
	s := newStory(1, "lacks other", "a")
	s.absent("lacks", "a", -20, -10)
	s.look("other", map[string]site.Digest{"a": otherBytes})
	if got := s.absent("lacks", "a", 10, 11); got != diff.Old {
		t.Errorf("no page where there was none counts as %v, want old", got)
	}
	if got := s.tell("other", "a", 12, 13, otherBytes); got != diff.Old {
		t.Errorf("the bytes that were there count as %v, want old", got)
	}
	if got := s.tell("lacks", "a", 14, 15, otherBytes); got != diff.Neither {
		t.Errorf("bytes of another origin count as %v, want neither", got)
	}
	s.tell("lacks", "a", 20, 21, newBytes)
	s.tell("other", "a", 30, 31, otherBytes)
	s.tell("other", "a", 40, 41, newBytes)
	s.expect(t, "closed=true [9,31] lacks 10-21 10-21 r0 n4 [] other 30-41 30-41 r0 n4 []")
}

// Where nothing is known of a page before the watch, a first answer that is new proves no
// turn, and excludes none.
func TestWindowWhereThePastIsUnknown(t *testing.T) {
	s := newStory(1, "o p", "a")
	s.look("p", map[string]site.Digest{"a": oldBytes})
	s.tell("o", "a", 5, 6, newBytes)
	s.tell("p", "a", 100, 101, oldBytes)
	s.tell("p", "a", 110, 111, newBytes)
	s.expect(t, "closed=true [0,111] o 0-? 0-6 r0 n1 [] p 100-111 100-111 r0 n3 []")
	s = newStory(1, "o", "a")
	s.look("o", map[string]site.Digest{"a": otherBytes}) // a page of somebody in between, perhaps
	s.tell("o", "a", 5, 6, newBytes)
	s.expect(t, "closed=true [0,6] o 0-? 0-6 r0 n2 []")
}

// An origin whose last deployment is late may show the new bytes, then those that are
// stored, then the new ones again.
func TestWindowWhereADeploymentIsLate(t *testing.T) {
	s := newStory(1, "o", "a")
	s.look("o", map[string]site.Digest{"a": newBytes})
	s.tell("o", "a", 10, 11, oldBytes)
	if s.Still("o", "a") || s.Settled("o") {
		t.Error("a page that was met as old is still, or settled")
	}
	s.tell("o", "a", 20, 21, newBytes)
	s.expect(t, "closed=true [0,21] o 0-21 10-21 r0 n3 []")
	if !s.Window().Origins[0].Flaps {
		t.Error("new, old and new again: want that to be said")
	}
}

// The instant of an atomic commit is bounded by the pages that turn.
func TestWindowAtomicWhereSomePagesAreNewAlready(t *testing.T) {
	s := newStory(1, "o p", "a", "b")
	s.Atomic("o")
	s.look("o", map[string]site.Digest{"a": newBytes, "b": oldBytes})
	s.look("p", map[string]site.Digest{"a": newBytes, "b": newBytes})
	for _, at := range []string{"o", "p"} {
		s.tell(at, "a", 5, 6, newBytes)
	}
	s.tell("o", "b", 10, 11, oldBytes)
	s.tell("o", "b", 20, 21, newBytes)
	s.tell("p", "b", 22, 23, newBytes)
	s.tell("o", "a", 24, 25, newBytes)
	w := s.Window()
	if !w.Closed || w.Atomic == nil || s.bounds(*w.Origins[0].Switch) != "10-21" || !w.Origins[1].Unchanged {
		t.Errorf("got %s, %+v", s.summary(), w.Atomic)
	}
}
