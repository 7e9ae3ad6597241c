package diff_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"mirror/diff"
	"mirror/site"
)

// goneRelease is a release of which other.html and old/ are no part.
func goneRelease() site.Manifest {
	m := site.Manifest{
		{Path: "about/index.html", Size: 5, Digest: site.Digest{7}}, fileOf("docs/a.html"), fileOf("index.html"), fileOf("new/old.html"), fileOf("now.html"), fileOf("文章/页.html"),
	}
	m.Sort()
	return m
}

func TestGone(t *testing.T) {
	folders, clean, keys := site.URLStyle{}, site.URLStyle{CleanURLs: true}, site.URLStyle{NoIndex: true}
	bucket := diff.Absence{Unknown: 403, Serves: true}
	twin := func(o *site.Observation) { o.Digest, o.Raw = site.Digest{7}, site.Digest{9} }
	for _, c := range []struct {
		name   string
		path   string
		style  site.URLStyle
		origin diff.Absence
		change func(*site.Observation)
		want   bool
	}{
		{"404", "old.html", folders, diff.Absence{}, status(404), true},
		{"410", "old.html", folders, diff.Absence{}, status(410), true},
		{"404 with a long page", "old.html", folders, diff.Absence{}, func(o *site.Observation) { o.Status, o.Err = 404, site.ErrTooLong }, true},
		{"404 with a bomb", "old.html", folders, diff.Absence{}, func(o *site.Observation) { o.Status, o.Err = 404, site.ErrBomb }, false},
		{"404, cut", "old.html", folders, diff.Absence{}, func(o *site.Observation) { o.Status, o.Err = 404, errors.New("cut") }, false},
		{"no answer", "old.html", folders, bucket, func(o *site.Observation) { o.Status, o.Err = 0, errors.New("x") }, false},
		{"served", "old.html", folders, bucket, nil, false},
		{"server error", "old.html", folders, diff.Absence{Unknown: 500, Serves: true}, status(500), false},
		{"not modified", "old.html", folders, diff.Absence{Unknown: 304, Serves: true}, status(304), false},
		{"throttled", "old.html", folders, diff.Absence{Unknown: 429, Serves: true}, status(429), false},

		{"403 of a bucket", "old.html", folders, bucket, status(403), true},
		{"401 of one that answers so", "old.html", folders, diff.Absence{Unknown: 401, Serves: true}, status(401), true},
		{"403, and nobody knows", "old.html", folders, diff.Absence{}, status(403), false},
		{"403 of a firewall for all", "old.html", folders, diff.Absence{Unknown: 403}, status(403), false},
		{"403 of a firewall for one", "old.html", folders, diff.Absence{Unknown: 404, Serves: true}, status(403), false},
		{"401 where others are 403", "old.html", folders, bucket, status(401), false},
		{"403 of a folder of files", "docs/index.html", folders, diff.Absence{Unknown: 404, Serves: true}, status(403), true},
		{"401 of a folder of files", "docs/index.html", folders, diff.Absence{Unknown: 404, Serves: true}, status(401), false},
		{"403 of a folder of nothing", "old/index.html", folders, diff.Absence{Unknown: 404, Serves: true}, status(403), false},
		{"403 of a key", "docs/index.html", keys, diff.Absence{Unknown: 404, Serves: true}, status(403), false},

		{"moved", "old.html", folders, diff.Absence{}, redirect(301, "/new/old.html"), true},
		{"moved for now", "old.html", folders, diff.Absence{}, redirect(302, "new/old.html"), true},
		{"moved and kept", "old.html", folders, diff.Absence{}, redirect(307, "https://blog.example/new/old.html"), true},
		{"moved for ever", "old.html", folders, diff.Absence{}, redirect(308, "https://BLOG.example/new/old.html#top"), true},
		{"to the home page", "old.html", folders, diff.Absence{}, redirect(302, "/"), true},
		{"to what the release has in its place", "about.html", folders, diff.Absence{}, redirect(301, "/about/"), true},
		{"to a name that is written as it is", "页.html", folders, diff.Absence{}, redirect(301, "/文章/页.html"), true},
		{"parked", "old.html", folders, diff.Absence{}, redirect(301, "https://parked.example/"), false},
		{"parked, with the page's name", "old.html", folders, diff.Absence{}, redirect(301, "https://parked.example/new/old.html"), false},
		{"to itself", "old.html", folders, diff.Absence{}, redirect(301, "/old.html"), false},
		{"to itself with a query", "old.html", folders, diff.Absence{}, redirect(302, "?again"), false},
		{"to itself by another scheme", "old.html", folders, diff.Absence{}, redirect(301, "http://blog.example/old.html"), false},
		{"to itself under a shorter name", "old.html", folders, diff.Absence{}, redirect(308, "/old"), false},
		{"to itself as a folder", "old", folders, diff.Absence{}, redirect(301, "/old/"), false},
		{"to the folder of files", "docs", folders, diff.Absence{}, redirect(301, "/docs/"), true},
		{"nowhere", "old.html", folders, diff.Absence{}, redirect(301, ""), false},
		{"to no page of the web", "old.html", folders, diff.Absence{}, redirect(301, "mailto:me@blog.example"), false},

		{"replaced, and led to the folder", "about", folders, diff.Absence{}, redirect(301, "/about/"), true},
		{"replaced, and served", "about", folders, diff.Absence{}, twin, true},
		{"replaced, and still there", "about", folders, diff.Absence{}, nil, false},
		{"replaced, and served without its ending", "about.html", clean, diff.Absence{}, twin, true},
		{"the bytes of a page that is elsewhere", "about.html", folders, diff.Absence{}, twin, false},
		{"the bytes of another key", "about", keys, diff.Absence{}, twin, false},
		{"replaced, and led back", "now/index.html", clean, diff.Absence{}, redirect(301, "/now"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := answer(c.change)
			o.URL = "https://blog.example/" + c.style.URLPath(c.path)
			r := diff.Removed{Path: c.path, Release: goneRelease(), Style: c.style, Absence: c.origin}
			if got := diff.Gone(o, r); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
			want := diff.Expectation{File: site.File{Path: c.path}, Absent: true, Removed: &r}
			if d, ok := diff.Judge(want, o); ok != c.want || !ok && d.Detail == "" {
				t.Errorf("the check: got %v, %s %q", ok, d.Kind, d.Detail)
			}
		})
	}
}

// TestGoneBelowABase has the site lie below a path of its host.
func TestGoneBelowABase(t *testing.T) {
	r := diff.Removed{Path: "about.html", Release: goneRelease()}
	for to, want := range map[string]bool{"/blog/about/": true, "/about/": true, "/blog/about": true, "/blog/about.html": false, "/blog/": true} {
		o := answer(redirect(301, to))
		o.URL = "https://blog.example/blog/about.html"
		if got := diff.Gone(o, r); got != want {
			t.Errorf("%s: got %v, want %v", to, got, want)
		}
	}
}

// TestGoneOfNoRelease knows nothing but the answer.
func TestGoneOfNoRelease(t *testing.T) {
	for code := 100; code < 600; code++ {
		o := answer(status(code))
		o.URL, o.Header = "https://blog.example/old.html", http.Header{"Location": {"/elsewhere"}}
		want := code == 404 || code == 410 || code == 301 || code == 302 || code == 303 || code == 307 || code == 308
		if got := diff.Gone(o, diff.Removed{Path: "old.html"}); got != want {
			t.Errorf("%d: got %v", code, got)
		}
	}
}

// TestTallyOfRefusals has an origin refuse what it does not have, or whom it does not like.
func TestTallyOfRefusals(t *testing.T) {
	removed := diff.Expectation{File: site.File{Path: "old.html"}, Absent: true}
	unknown := diff.Expectation{File: site.File{Path: "not-found"}, NotFound: true}
	for _, c := range []struct {
		page, unknown, removed int
		want                   diff.State
	}{
		{200, 403, 403, diff.Agrees},
		{200, 404, 403, diff.CannotBeSeen},
		{200, 404, 404, diff.Agrees},
		{200, 403, 200, diff.Drifts},
		{403, 403, 403, diff.CannotBeSeen},
		{503, 403, 403, diff.CannotBeSeen},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			var tally diff.Tally
			tally.Add(removed, answer(status(c.removed)))
			tally.Add(unknown, answer(status(c.unknown)))
			page := answer(nil)
			page.Status = c.page
			tally.Add(diff.Expectation{File: fileOf("index.html")}, page)
			if v := tally.Verdict("a", "https://blog.example/"); v.State() != c.want {
				t.Errorf("got %s, %+v", v.State(), v.Differences)
			}
		})
	}
}
