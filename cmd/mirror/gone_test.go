package main

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/lab/edge"
	"mirror/internal/longtest"
	"mirror/internal/publish"
	"mirror/internal/workspace"
	"mirror/reports"
)

// goneSite is the site of the tests of removed pages, without a page for what is not found:
// with one, every origin has to answer 404 with it.
func goneSite() map[string]string {
	return map[string]string{"index.html": "<p>home", "same.html": "<p>same", "new/old.html": "<p>moved"}
}

// republish publishes the files as `mirror publish` does, with all the time that it may take by
// default. A publish that waits for what never comes is ended by the test's own patience, long before.
func (r *trial) republish(files map[string]string, limit time.Duration) (*reports.Publish, error) {
	r.t.Helper()
	r.write(files)
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*time.Minute)
	defer cancel()
	return r.app.publishing(ctx, false, func(w *workspace.Workspace) (*publish.Report, error) {
		return w.Publish(ctx, workspace.PublishOptions{VerifyTimeout: limit})
	})
}

func (r *trial) check() (v diff.Verdict) {
	r.t.Helper()
	err := r.app.inWorkspace(func(w *workspace.Workspace) (err error) {
		v, err = w.Check(r.t.Context(), workspace.CheckOptions{})
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

// newGoneTrial has the lab serve the site with what is to be removed, and every origin answer
// by absent what it does not have; nil for 404.
func newGoneTrial(t *testing.T, removed map[string]string, absent http.Handler) *trial {
	t.Helper()
	r := newTrial(t)
	r.configure("  not_found: 404.html\n", "")
	before := goneSite()
	maps.Copy(before, removed)
	r.write(before)
	r.publish(publish.Parallel)
	if absent != nil {
		for _, o := range r.lab.Origins() {
			o.SetFault(edge.Absent(absent))
		}
	}
	return r
}

// TestPublishOfRemovedPagesIsLive removes pages in all the ways in which origins say that a page is
// not there. The publish is live without waiting for anything that never comes, and the check agrees.
func TestPublishOfRemovedPagesIsLive(t *testing.T) {
	longtest.Skip(t, "publishes to a lab for each way to remove a page")
	moved := http.RedirectHandler("/new/old.html", http.StatusMovedPermanently)
	answer := func(status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	}
	old := map[string]string{"old.html": "<p>old"}
	for _, c := range []struct {
		name           string
		removed, added map[string]string
		absent         http.Handler
		clean          bool // at the git host, which serves pages without their endings
	}{
		{name: "404", removed: old},
		{name: "403", removed: old, absent: answer(http.StatusForbidden)},
		{name: "301", removed: old, absent: onlyAt("/old.html", moved)},
		{name: "a file became a folder", removed: map[string]string{"about": "<p>about"}, added: map[string]string{"about/index.html": "<p>about us"}},
		{name: "a page became a folder", removed: map[string]string{"about.html": "<p>about"}, added: map[string]string{"about/index.html": "<p>about us"}, clean: true},
		{name: "a page became a folder with the same bytes", removed: map[string]string{"about.html": "<p>about"}, added: map[string]string{"about/index.html": "<p>about"}, clean: true},
		{name: "a file became a folder with the same bytes", removed: map[string]string{"about": "<p>about"}, added: map[string]string{"about/index.html": "<p>about"}},
		{name: "CNAME", removed: map[string]string{"CNAME": "blog.example\n", "old.html": "<p>old"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newGoneTrial(t, c.removed, c.absent)
			if c.clean {
				r.configure("origin: {url: ", "origin: {clean_urls: true, url: ") // the first is git's
				r.lab.Git.Override("/about", led(r.lab.Git.Origin))
			}
			files := goneSite()
			maps.Copy(files, c.added)
			doc, err := r.republish(files, 5*time.Minute)
			if err != nil || doc.Outcome != string(publish.Live) || doc.Window == nil || !doc.Window.Closed {
				t.Fatalf("got %+v, %v", doc, err)
			}
			if v := r.check(); !v.Agree() {
				t.Errorf("the check does not agree: %v", found(v))
			}
		})
	}
}

// onlyAt answers one path by h, and others with 404.
func onlyAt(path string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// led answers as hosts do that serve pages without their endings: /about is about.html where there is
// one, else the folder's page.
func led(o *edge.Origin) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, path := range []string{"/about.html", "/about/"} {
			asked := r.Clone(r.Context())
			asked.URL.Path, asked.URL.RawPath = path, ""
			var absent bool
			edge.Absent(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { absent = true }))(o).ServeHTTP(w, asked)
			if !absent {
				return
			}
		}
		http.NotFound(w, r)
	})
}

// TestPublishOfRemovedPagesDiverges removes a page that an origin does not let go, or of which its
// answers do not tell. The publish says so when its time is over, and so does the check.
func TestPublishOfRemovedPagesDiverges(t *testing.T) {
	longtest.Skip(t, "waits for pages that never go")
	to := func(where string) http.Handler { return http.RedirectHandler(where, http.StatusFound) }
	answer := func(status int, text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
		})
	}
	for _, c := range []struct {
		name string
		at   string // the path that is answered otherwise, "" for all
		by   http.Handler
		want diff.State
	}{
		{"a firewall for all", "", answer(http.StatusForbidden, "blocked"), diff.CannotBeSeen},
		{"nothing at all", "", edge.Hang(nil), diff.CannotBeSeen},
		{"a firewall for the page", "/old.html", answer(http.StatusForbidden, "blocked"), diff.CannotBeSeen},
		{"the old bytes", "/old.html", answer(http.StatusOK, "<p>old"), diff.Drifts},
		{"other bytes", "/old.html", answer(http.StatusOK, "<p>no such page"), diff.Drifts},
		{"parked", "/old.html", to("https://parked.example/"), diff.Drifts},
		{"led to itself", "/old.html", to("/old.html"), diff.Drifts},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newGoneTrial(t, map[string]string{"old.html": "<p>old"}, nil)
			if c.at == "" {
				r.lab.S3.SetFault(func(http.Handler) http.Handler { return c.by })
			} else {
				r.lab.S3.Override(c.at, c.by)
			}
			began := time.Now()
			doc, err := r.republish(goneSite(), 2*time.Second)
			if took := time.Since(began); took > 5*time.Minute {
				t.Errorf("took %s", took)
			}
			t.Logf("publish took %s", time.Since(began))
			if err == nil || doc == nil || doc.Outcome != string(publish.Diverged) {
				t.Fatalf("got %+v, %v", doc, err)
			}
			began = time.Now()
			v := r.check()
			t.Logf("the check took %s", time.Since(began))
			at := slices.IndexFunc(v.Origins, func(o diff.OriginVerdict) bool { return o.Name == "s3" })
			if v.Agree() || v.Origins[at].State() != c.want {
				t.Errorf("the check: got %s, %v", v.Origins[at].State(), found(v))
			}
		})
	}
}
