package releasedir_test

import (
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/internal/releasedir"
)

func id(n byte) site.ID {
	m := site.Manifest{{Path: "index.html", Size: 1, Digest: site.Digest{n}}}
	return m.ID()
}

// listing lists a folder of releases: files by name, folders with a slash at the end.
func listing(t *testing.T, entries map[string]time.Time) releasedir.Listing {
	t.Helper()
	l := releasedir.Listing{}
	for name, at := range entries {
		mode := fs.FileMode(0o644)
		if name[len(name)-1] == '/' {
			name, mode = name[:len(name)-1], fs.ModeDir|0o755
		}
		info, err := fs.Stat(fstest.MapFS{name: {Mode: mode, ModTime: at}}, name)
		if err != nil {
			t.Fatal(err)
		}
		l[name] = info
	}
	return l
}

func TestNamesOfReleases(t *testing.T) {
	a := id(1)
	for link, want := range map[string]site.ID{
		"releases/" + string(a): a, "releases/" + string(a) + ".2": a, "releases/" + string(a) + ".x.partial": a,
		"": site.None, "releases": site.None, "../releases/" + string(a): site.None, "/releases/" + string(a): site.None, string(a): site.None,
	} {
		if got := releasedir.IDOfLink(link); got != want {
			t.Errorf("%q names release %q, want %q", link, got, want)
		}
	}
	for name, want := range map[string]bool{string(a) + ".partial": true, string(a): false, "other.partial": false} {
		if got := releasedir.IsPartial(name); got != want {
			t.Errorf("IsPartial(%q) = %t", name, got)
		}
	}
}

func TestCopiesAreNumbered(t *testing.T) {
	a, now := string(id(1)), time.Unix(1e9, 0)
	l := listing(t, map[string]time.Time{a + "/": now, a + ".2": now, a + ".3/": now, a + ".5/": now})
	names, free := l.Copies(id(1))
	if want := []string{a, a + ".3"}; !slices.Equal(names, want) || free != a+".4" { // the file is not ours
		t.Errorf("got %q and the free name %q", names, free)
	}
	if link, err := l.Newest(id(1)); err != nil || link != "releases/"+a+".3" {
		t.Errorf("newest: %q, %v", link, err)
	}
	if _, err := l.Newest(id(2)); err == nil {
		t.Error("a release without a copy has a newest one")
	}
}

func TestReleasesExpireByTheTimesOfTheirLists(t *testing.T) {
	now := time.Unix(1e9, 0)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	entries := map[string]time.Time{
		"README": now, string(id(9)) + ".partial/": ago(48 * time.Hour),
	}
	for n := byte(1); n <= 4; n++ { // the first went live the longest ago
		entries[string(id(n))+"/"] = ago(100 * time.Hour)
		entries[string(id(n))+".sha256"] = ago(time.Duration(50-n) * time.Hour)
	}
	entries[string(id(5))+"/"], entries[string(id(5))+".sha256"] = ago(time.Hour), releasedir.NeverLive // just staged
	l := listing(t, entries)
	live := targets.Live{Release: id(2), Revision: releasedir.Link(string(id(2)))} // after a rollback

	var sequence []site.ID
	for _, p := range l.Sequence(live.Release) {
		sequence = append(sequence, p.Release)
	}
	if want := []site.ID{id(2), id(4), id(3), id(1)}; !slices.Equal(sequence, want) {
		t.Errorf("the sequence is %q, want %q", sequence, want)
	}
	want := []string{string(id(1)), string(id(1)) + ".sha256", string(id(3)), string(id(3)) + ".sha256"}
	slices.Sort(want)
	if got := l.Expired(live, targets.Retention{Keep: 2}, now); !slices.Equal(got, want) {
		t.Errorf("expired: %q, want %q", got, want)
	}
	if got := l.Partials(func(string, fs.FileInfo) bool { return true }); !slices.Equal(got, []string{string(id(9)) + ".partial"}) {
		t.Errorf("half done: %q", got)
	}
}

func TestAReleaseGoesLiveAfterAllOthers(t *testing.T) {
	now := time.Unix(1e9, 0)
	l := listing(t, map[string]time.Time{string(id(1)) + ".sha256": now.Add(time.Hour), string(id(2)) + ".sha256": now})
	if got, want := l.WentLive(id(2), now, time.Second), now.Add(time.Hour+time.Second).UTC(); !got.Equal(want) {
		t.Errorf("it went live at %s, want %s: another publisher's clock is ahead", got, want)
	}
	if got := l.WentLive(id(1), now, time.Second); !got.Equal(now.Add(time.Second)) {
		t.Errorf("it went live at %s: its own earlier time counts", got)
	}
}
