package grace

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"mirror/site"
)

func manifest(paths ...string) site.Manifest {
	var m site.Manifest
	for _, p := range paths {
		m = append(m, site.File{Path: p, Size: 3, Digest: sha256.Sum256([]byte(p))})
	}
	m.Sort()
	return m
}

func none(string) bool { return false }

func TestAFileStaysForReleasesOrATime(t *testing.T) {
	a, b, c, d := manifest("index.html", "a.11112222.aabbccdd.js", "old.html"), manifest("index.html", "b.1a2b3c4d.js"), manifest("index.html", "c.1a2b3c4d.js"), manifest("index.html", "x")
	start := time.Unix(1e9, 0)
	p := &Policy{Releases: 1, For: time.Hour}
	l := p.Next(nil, a, b, start, none)
	if got := l.Paths(); !slices.Equal(got, []string{"a.11112222.aabbccdd.js"}) {
		t.Fatalf("got %q beside the second release", got)
	}
	if again := p.Next(l, b, b, start.Add(time.Minute), none); !slices.Equal(again, l) {
		t.Errorf("the same release again changes the list to %v", again)
	}
	l = p.Next(l, b, c, start.Add(time.Minute), none)
	if got := l.Paths(); !slices.Equal(got, []string{"a.11112222.aabbccdd.js", "b.1a2b3c4d.js"}) {
		t.Fatalf("got %q a minute later", got)
	}
	l = p.Next(l, c, d, start.Add(3*time.Hour), none)
	if got := l.Paths(); !slices.Equal(got, []string{"c.1a2b3c4d.js"}) {
		t.Errorf("got %q three hours later", got)
	}
	if got := p.Current(l, start.Add(30*time.Hour)); len(got) != 1 {
		t.Errorf("the release before is dropped by its age: %v", got)
	}
	if got := (&Policy{For: time.Hour}).Current(l, start.Add(30*time.Hour)); len(got) != 0 {
		t.Errorf("%v stays after its time", got)
	}
	if got := (*Policy)(nil).Next(l, c, d, start, none); got != nil {
		t.Errorf("without a policy %v stays", got)
	}
}

func TestAPathOfTheReleaseIsNeverOnTheList(t *testing.T) {
	p := &Policy{Releases: 5, All: true}
	from := manifest("gone.css", "page.html", "stays.js", "folder/x.js", "file", "uploads/a.js")
	to := manifest("stays.js", "folder", "file/y.js")
	l := p.Next(List{{Path: "stays.js"}, {Path: "older.js"}}, from, to, time.Now(), func(path string) bool { return path == "uploads/a.js" })
	if got := l.Paths(); !slices.Equal(got, []string{"gone.css", "older.js"}) {
		t.Errorf("got %q", got)
	}
	p = &Policy{Releases: 5, Match: []string{"*.html"}}
	if got := p.Next(nil, from, to, time.Now(), none).Paths(); !slices.Equal(got, []string{"page.html"}) {
		t.Errorf("got %q by a glob", got)
	}
}

func TestAListIsBounded(t *testing.T) {
	var old List
	for i := range MaxEntries {
		old = append(old, Entry{Path: fmt.Sprintf("old/%06d", i), Left: time.Unix(1, 0)})
	}
	l := (&Policy{Releases: 9, All: true}).Next(old, manifest("new.js"), manifest("x"), time.Now(), none)
	if len(l) != MaxEntries || !l.Has("new.js") {
		t.Errorf("%d entries, with the newest: %t", len(l), l.Has("new.js"))
	}
}

// TestAFolderOfHashes: where all files of a folder are hashed by their names, those count whose hash could
// be taken for a word.
func TestAFolderOfHashes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	var m site.Manifest
	for range 20_000 {
		raw := make([]byte, 6)
		for i := range raw {
			raw[i] = byte(r.Uint32())
		}
		m = append(m, site.File{Path: "assets/index-" + base64.RawURLEncoding.EncodeToString(raw) + ".js"})
	}
	m = append(m, site.File{Path: "assets/user-settings.js"}, site.File{Path: "js/main-component.js"})
	m.Sort()
	hashed, missed := In(m), 0
	for _, f := range m {
		if !hashed(f.Path) {
			missed++
			t.Log(f.Path)
		}
	}
	if missed < 2 || missed > 12 || hashed("js/main-component.js") || hashed("assets/user-settings.js") {
		t.Errorf("%d of %d are missed", missed, len(m))
	}
}

// TestNamesTellOfEachOther: a name that reads as words counts where another one with a hash differs from it in just that.
func TestNamesTellOfEachOther(t *testing.T) {
	hashed := In(manifest("assets/index-WagaCugo.js", "assets/app-LoginBox.js", "assets/user-settings.js"), manifest("assets/index-B_x9-aZ1.js", "assets/user-profiles.js"))
	if !hashed("assets/index-WagaCugo.js") {
		t.Error("the name of an earlier release is not recognised by that of the next")
	}
	for _, name := range []string{"assets/app-LoginBox.js", "assets/user-settings.js", "index-WagaCugo.js", "assets/index-WagaCugo.css"} {
		if hashed(name) {
			t.Errorf("%q is taken for a hashed name", name)
		}
	}
	r := rand.New(rand.NewPCG(5, 5))
	missed := 0
	for range 20_000 {
		var pair []site.Manifest
		for range 2 {
			raw := make([]byte, 6)
			for i := range raw {
				raw[i] = byte(r.Uint32())
			}
			pair = append(pair, manifest("assets/index-"+base64.RawURLEncoding.EncodeToString(raw)+".js"))
		}
		if !In(pair...)(pair[0][0].Path) {
			missed++
		}
	}
	if missed > 12 {
		t.Errorf("%d of 20,000 names that are replaced by another one with a hash are missed", missed)
	}
	t.Logf("%d of 20,000 missed", missed)
}

func TestListsAreReadBack(t *testing.T) {
	l := List{
		{Path: "a b\n\"#.js", Size: 5, Digest: sha256.Sum256([]byte("x")), Left: time.Unix(1700000000, 0).UTC(), Releases: 3},
		{Path: "z.js", Left: time.Unix(5, 0).UTC()},
	}
	got, err := Decode(l.Encode())
	if err != nil || !slices.Equal(got, l) {
		t.Errorf("got %v, %v, want %v", got, err, l)
	}
	for _, bad := range []string{"", "{}", "[]", `{"version":2,"files":[]}`, `{"version":1,"files":[{"path":"../x"}]}`, `{"version":1,"files":[{"path":"/x"}]}`, `{"version":1,"files":[{"path":""}]}`} {
		if got, err := Decode([]byte(bad)); err == nil {
			t.Errorf("%q was read as %v", bad, got)
		}
	}
}
