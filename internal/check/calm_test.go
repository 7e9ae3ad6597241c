package check_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/site"
)

// found answers 200 where the world answers 404, as a server with a fallback page does.
type found struct{ http.ResponseWriter }

func (f found) WriteHeader(code int) {
	if code == http.StatusNotFound {
		code = http.StatusOK
		f.Header().Set("Content-Type", "text/html")
	}
	f.ResponseWriter.WriteHeader(code)
}

// TestRunNeverTakesAWrongAnswerForAnEarlierRelease has origins be wrong in ways that no release
// explains, and in some that one does, right after the second release. Only these are let pass by
// the release's age, or as stale.
func TestRunNeverTakesAWrongAnswerForAnEarlierRelease(t *testing.T) {
	before := release.with("plain.txt", "older text", "gone.html", "gone", "about/index.html", "")
	renamed := before.with("404.html", "not here")
	soft := func(w *world) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.ServeHTTP(found{rw}, r) })
	}
	plain := func(w *world) http.Handler { return w }
	for name, c := range map[string]struct {
		earlier files
		holds   files
		as      func(*world) http.Handler
		want    []string
		passes  bool
	}{
		"200 for everything":     {before, release, soft, []string{"a altered 404.html", "a altered about/index.html", "a extra gone.html"}, false},
		"the old not-found page": {renamed, release.with("404.html", "not here"), plain, []string{"a stale 404.html", "a stale 404.html"}, true},
		"the old one under 200":  {renamed, release.with("404.html", "not here"), soft, []string{"a altered 404.html", "a altered about/index.html", "a extra gone.html", "a stale 404.html"}, false},
		"the whole old release":  {before, before, plain, []string{"a extra gone.html", "a missing about/index.html", "a stale plain.txt"}, true},
		"nothing at all":         {before, files{}, func(*world) http.Handler { return status(http.StatusNotFound) }, []string{"a missing *"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.holds = c.holds
			o := options()
			o.Absent = []string{"gone.html"}
			o.Past = []check.PastFunc{func(context.Context, []string) []site.Past {
				return []site.Past{release.past(time.Minute), c.earlier.past(time.Hour)}
			}}
			v := run(t, o, serveAs(t, "a", c.as(w)))
			if got := drifts(v); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			young := diff.Tolerance{Window: 10 * time.Minute, Since: time.Minute}
			if v.Tolerate(young); v.Agree() != c.passes {
				t.Errorf("a young release agrees: %v, want %v", v.Agree(), c.passes)
			}
			v.Tolerate(diff.Tolerance{Since: -1, Rules: []diff.Leniency{{Kind: diff.Stale, Text: "stale"}, {Kind: diff.Extra, Text: "extra"}, {Kind: diff.Missing, Match: func(string) bool { return true }, Text: "missing:**"}}})
			if v.Agree() != c.passes {
				t.Errorf("with all earlier kinds tolerated it agrees: %v, want %v", v.Agree(), c.passes)
			}
		})
	}
}
