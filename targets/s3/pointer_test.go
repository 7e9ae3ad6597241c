package s3_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"mirror/internal/longtest"
	"mirror/internal/static"
	"mirror/internal/workspace"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/s3"
	"mirror/targets/targettest"
)

// pointed gives a handle on the place in the layout pointer.
func (p *place) pointed(t testing.TB, transport http.RoundTripper) s3.Pointed {
	t.Helper()
	return p.pointedWith(t, targets.Env{Owner: "fixture", Transport: transport})
}

func (p *place) pointedWith(t testing.TB, env targets.Env) s3.Pointed {
	t.Helper()
	c := p.config
	c.Bucket, c.Endpoint, c.Region, c.Layout = p.bucket, p.endpoint, "us-east-1", "pointer"
	c.AccessKeyEnv, c.SecretKeyEnv = "TEST_KEY", "TEST_SECRET"
	env.Getenv = func(name string) string { return map[string]string{"TEST_KEY": p.key, "TEST_SECRET": p.secret}[name] }
	tgt, err := s3.OpenPointed(t.Context(), env, c)
	if err != nil {
		t.Fatal(err)
	}
	return tgt
}

// liveFolder is where a reader that follows the pointer looks.
func (p *place) liveFolder() string {
	raw, err := p.readObject(".mirror/pointer")
	var doc struct {
		Folder string `json:"folder"`
	}
	if err != nil || json.Unmarshal(raw, &doc) != nil {
		return ""
	}
	return doc.Folder
}

// TestSuiteOfPointer runs the suite against the layout pointer, read by one that follows it.
func TestSuiteOfPointer(t *testing.T) {
	longtest.Skip(t, "runs the whole suite of a target once more")
	once(t)
	targettest.Run(t, func(t *testing.T) targettest.Fixture {
		p := fake(t)
		return targettest.Fixture{
			Kind: s3.Kind(),
			Open: func(t *testing.T, transport http.RoundTripper) targets.Target { return p.pointed(t, transport) },
			Gracing: func(t *testing.T, policy *grace.Policy) targets.Target {
				return p.pointedWith(t, targets.Env{Owner: "fixture", Grace: policy})
			},
			Holds: p.holds,
			HTTP:  true,
			Read: func(path string) ([]byte, error) {
				if p.liveFolder() == "" && path[0] == '.' && len(path) > 8 && path[:8] == ".mirror/" {
					return nil, fs.ErrNotExist
				}
				return p.readObject(p.liveFolder() + path)
			},
			Put: func(t *testing.T, files map[string][]byte) {
				at := map[string][]byte{}
				for path, data := range files {
					at[p.liveFolder()+path] = data
				}
				p.putObjects(t, at)
			},
		}
	})
}

// TestServeHasWhatIsBesideARelease fetches the beacon and the files in grace with a release, as mirror serve does, and
// without a file that was purged.
func TestServeHasWhatIsBesideARelease(t *testing.T) {
	t.Parallel()
	const asset, lazy = "assets/app-3f2a9c1d.js", "assets/lazy/chunk-DiwrgTda.js"
	p := fake(t)
	tgt := p.pointedWith(t, targets.Env{Owner: "fixture", Grace: &grace.Policy{Releases: 1}})
	source := workspace.FollowedReleases{Releases: tgt}
	fetch := func() (version string, paths []string) {
		t.Helper()
		spool, err := static.NewSpool(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer spool.Close()
		if version, err = source.Current(t.Context()); err != nil {
			t.Fatal(err)
		}
		files, err := source.Fetch(t.Context(), version, spool)
		if err != nil {
			t.Fatal(err)
		}
		return version, slices.Sorted(maps.Keys(files))
	}
	publish(t, tgt, targettest.Release(targettest.Files{"index.html": "1", asset: "app 1", lazy: "lazy 1"}))
	live := targettest.Release(targettest.Files{"index.html": "2"})
	publish(t, tgt, live)
	before, paths := fetch()
	if want := []string{site.DefaultBeacon, asset, lazy, "index.html"}; !slices.Equal(paths, want) {
		t.Errorf("fetched %q, want %q", paths, want)
	}
	if _, err := tgt.Erase(t.Context(), targets.Erasure{Paths: []string{asset}, Live: live}); err != nil {
		t.Fatal(err)
	}
	after, paths := fetch()
	if want := []string{site.DefaultBeacon, lazy, "index.html"}; !slices.Equal(paths, want) || before == after {
		t.Errorf("after the purge: version %q, before %q; fetched %q, want %q", after, before, paths, want)
	}
}

// TestServeFollowsThePointer serves what the pointer names: nothing, a release, the next one, and the one before
// again. A release with an altered file is not served.
func TestServeFollowsThePointer(t *testing.T) {
	t.Parallel()
	p := fake(t)
	tgt := p.pointed(t, nil)
	h := static.FollowSite(t.Context(), static.SiteFollower{Source: workspace.FollowedReleases{Releases: tgt}, Poll: 10 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	shows := func(status int, text string) {
		t.Helper()
		got := ""
		for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			if got = w.Body.String(); w.Code == status && strings.Contains(got, text) {
				return
			}
		}
		t.Fatalf("got %q, want %d %q", got, status, text)
	}
	shows(http.StatusServiceUnavailable, "nothing is published")
	publish(t, tgt, targettest.Release(old))
	shows(http.StatusOK, "old")
	swap := publish(t, tgt, targettest.Release(next))
	shows(http.StatusOK, "new")
	if err := tgt.Rollback(t.Context(), swap); err != nil {
		t.Fatal(err)
	}
	shows(http.StatusOK, "old")
	altered := targettest.Release(targettest.Files{"index.html": "third"})
	if err := tgt.Stage(t.Context(), altered, nil); err != nil {
		t.Fatal(err)
	}
	p.putObjects(t, map[string][]byte{".mirror/releases/" + string(altered.ID()) + "/index.html": []byte("THIRD")})
	source := workspace.FollowedReleases{Releases: tgt}
	spool, err := static.NewSpool(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer spool.Close()
	if _, err := source.Fetch(t.Context(), string(altered.ID()), spool); !errors.Is(err, site.ErrChanged) {
		t.Errorf("fetch of an altered release: got %v, want site.ErrChanged", err)
	}
}
