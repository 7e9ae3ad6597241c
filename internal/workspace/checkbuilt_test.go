package workspace

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/longtest"
)

// without serves pages without their extension only, and answers for their file names as told.
func without(files map[string]string, named http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if _, ok := files[name+".html"]; ok {
			r.URL.Path += ".html"
		} else if strings.HasSuffix(name, ".html") && files[name] != "" {
			named(w, r)
			return
		}
		host(files)(w, r)
	}
}

func toClean(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, strings.TrimSuffix(r.URL.Path, ".html"), http.StatusPermanentRedirect)
}

// TestCleanURLsAreFoundOut has hosts that serve new.html at /new, and one that does not.
func TestCleanURLsAreFoundOut(t *testing.T) {
	built := builds()[2]
	for _, c := range []struct {
		name, clean string
		live        http.HandlerFunc
		want        string
	}{
		{"a host that redirects to the name without its extension", "auto", without(built, toClean), ""},
		{"a host that has the name without its extension only", "auto", without(built, http.NotFound), ""},
		{"a host that has both", "auto", func(w http.ResponseWriter, r *http.Request) {
			without(built, host(built))(w, r)
		}, ""},
		{"a plain host", "auto", host(built), ""},
		{"a plain host without the page", "auto", host(with(built, "new.html", "")), "missing new.html: answered 404"},
		{"a plain host, told to be clean", "true", host(built), "missing 404.html: answered 404\nmissing new.html: answered 404"},
		{"a clean host, told to be plain", "false", without(built, toClean), "redirected 404.html: answered 308, elsewhere on the same host (hint: clean_urls and index say how the origin names its pages)\n" +
			"redirected new.html: answered 308, elsewhere on the same host (hint: clean_urls and index say how the origin names its pages)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(c.live)
			defer server.Close()
			o := LiveOptions{SiteOptions: SiteOptions{Concurrency: 4, Timeout: time.Minute}, Built: BuiltOptions{NotFound: "404.html", CleanURLs: c.clean, Index: true}}
			v, err := CheckLive(t.Context(), []string{folderOf(t, built), server.URL}, o, NewLines(io.Discard))
			if got := rows(v); err != nil || got != c.want {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
		})
	}
}

// TestCheckBuiltWaits has a host that first has nothing and answers nothing, and then serves names
// without extensions.
func TestCheckBuiltWaits(t *testing.T) {
	longtest.Skip(t, "waits for a live site to change")
	t.Parallel()
	built := builds()[2]
	var asked atomic.Int64
	v := checkBuilt(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) < 20 {
			panic(http.ErrAbortHandler)
		}
		without(built, toClean)(w, r)
	}, built, 2*time.Minute)
	if !v.Agree() {
		t.Errorf("got %s: %s", v.State(), rows(v))
	}
}

// TestCheckBuiltLeavesOut has files that hosts read, and paths that a person names.
func TestCheckBuiltLeavesOut(t *testing.T) {
	t.Parallel()
	built := with(builds()[2], "_headers", "x", ".nojekyll", " ", "CNAME", "blog.example", "feed.xml", "<rss/>")
	server := httptest.NewServer(host(builds()[2]))
	defer server.Close()
	o := LiveOptions{SiteOptions: SiteOptions{Concurrency: 4, Timeout: time.Minute}, Built: BuiltOptions{NotFound: "404.html", CleanURLs: "auto", Index: true, Ignore: []string{"*.xml"}}}
	v, err := CheckLive(t.Context(), []string{folderOf(t, built), server.URL}, o, NewLines(io.Discard))
	if err != nil || !v.Agree() || !strings.Contains(strings.Join(v.Notes, "\n"), "need not serve them: _headers, .nojekyll, CNAME") {
		t.Errorf("got %s, %q, %v", rows(v), v.Notes, err)
	}
}

// TestCheckLiveRefuses is what cannot be meant: a usage error each.
func TestCheckLiveRefuses(t *testing.T) {
	usual := LiveOptions{SiteOptions: SiteOptions{Concurrency: 4, Timeout: time.Minute}, Built: BuiltOptions{CleanURLs: "auto"}}
	dir := folderOf(t, builds()[0])
	for _, c := range []struct {
		arguments []string
		change    func(*LiveOptions)
		want      string
	}{
		{[]string{dir}, nil, "cannot be compared with anything"},
		{[]string{"http://a.example"}, nil, "mirror check URL URL…"},
		{[]string{dir, dir}, nil, "URL of a site"},
		{[]string{dir + "/none", "http://a.example"}, nil, "there is no such folder or file"},
		{[]string{"oci:Not A Reference", "http://a.example"}, nil, "is no site"},
		{[]string{dir, "http://a.example", "http://a.example/"}, nil, "named twice"},
		{[]string{dir, "http://a.example"}, func(o *LiveOptions) { o.TrustETag = true }, "--trust-etag"},
		{[]string{dir, "http://a.example"}, func(o *LiveOptions) { o.Tolerance = diff.Tolerance{Window: 1} }, "--max-age"},
		{[]string{dir, "http://a.example"}, func(o *LiveOptions) { o.Built.Ignore = []string{"["} }, "--ignore"},
		{[]string{dir, "http://a.example"}, func(o *LiveOptions) { o.Built.CleanURLs = "maybe" }, "--clean-urls maybe"},
		{[]string{dir, "http://a.example"}, func(o *LiveOptions) { o.Built.Earlier = []string{"none"} }, `"none" is no site`},
		{[]string{"http://a.example", "http://b.example"}, func(o *LiveOptions) { o.List = "none" }, "--pages"},
	} {
		o := usual
		if c.change != nil {
			c.change(&o)
		}
		_, err := CheckLive(t.Context(), c.arguments, o, NewLines(io.Discard))
		if _, ok := errors.AsType[*UsageError](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %s", c.arguments, err, c.want)
		}
	}
}
