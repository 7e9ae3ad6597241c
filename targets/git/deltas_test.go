package git

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mirror/internal/benchsite"
	"mirror/internal/realserver"
	"mirror/targets"
	"mirror/targets/targettest"
)

// strictRepo is a repository that checks and completes each pack with `git index-pack --strict --fix-thin`.
func strictRepo(t testing.TB) (r repo, url string) {
	t.Helper()
	r = newRepo(t, "main")
	r.run(t, nil, nil, "config", "receive.fsckObjects", "true")
	r.run(t, nil, nil, "config", "receive.unpackLimit", "1")
	return r, realserver.GitHTTP(t, filepath.Dir(r.dir)) + "/site.git"
}

// nativeBytes is the size of the pack that git itself makes of what is new on the branch.
func (r repo) nativeBytes(t testing.TB, from, to string) int64 {
	t.Helper()
	pack := r.run(t, fmt.Appendf(nil, "%s\n^%s\n", to, from), nil, "pack-objects", "--thin", "--revs", "-q", "--no-reuse-delta", "--stdout")
	return int64(len(pack))
}

// TestDeltasLikeNative changes a page in each folder, an asset with a content hash in its name and two
// large lists: what is sent is at most 1.2 times what git itself would send.
func TestDeltasLikeNative(t *testing.T) {
	t.Parallel()
	realserver.Need(t, "git")
	shape := benchsite.Shape{Folders: 8, Pages: 8, Bytes: 8250}
	before, after := deltaSite(t, shape, 0), deltaSite(t, shape, 1)
	r, url := strictRepo(t)
	count, state := &counter{}, t.TempDir()
	fresh := func() *Target { return open(t, Config{URL: url}, targets.Env{Transport: count, State: state}) }
	publish(t, fresh(), before)
	from := r.head(t)
	count.reset()
	publish(t, fresh(), after)
	native := r.nativeBytes(t, from, r.head(t))
	t.Logf("sent %d bytes, git %d", count.sent.Load(), native)
	if got, limit := count.sent.Load(), native*12/10+2048; got > limit { // besides packs: commands and capabilities
		t.Errorf("sent: got %d bytes, want at most %d", got, limit)
	}
	if held, err := fresh().ReadBack(t.Context()); err != nil || held.ID() != targettest.Release(after).ID() {
		t.Errorf("the branch has other files than the site: %v", err)
	}
	r.fsck(t)
}

// deltaSite is a site in its nth round.
func deltaSite(t testing.TB, shape benchsite.Shape, round int) targettest.Files {
	t.Helper()
	files := targettest.Files{}
	put := func(path, text string) error { files[path] = text; return nil }
	if err := shape.Each(put); err != nil {
		t.Fatal(err)
	}
	if round > 0 {
		if err := shape.EachChanged(round, put); err != nil {
			t.Fatal(err)
		}
	}
	var sitemap, search strings.Builder
	for i := range 800 {
		day := 1
		if i%40 == 0 {
			day += round
		}
		fmt.Fprintf(&sitemap, "<url><loc>https://example.com/posts/%04d-a-title/</loc><lastmod>2026-11-%02d</lastmod></url>\n", i, day)
		fmt.Fprintf(&search, `{"url":"/posts/%04d/","day":%d,"text":"%s"},`, i, day, shape.Page(1, i%10, 0)[3000:3400])
	}
	files["sitemap.xml"], files["search.json"] = sitemap.String(), search.String() // 70 KB and 340 KB
	files[fmt.Sprintf("assets/app-B%dxY3k2a.js", round)] = fmt.Sprintf("const round = %d;\n", round) + shape.Page(7, 7, 0)
	return files
}

// TestContentsThatAreKept looks at what is in the state folder: nothing that does not compress, nothing
// above 4 MiB, and after many publishes a few packs that git reads.
func TestContentsThatAreKept(t *testing.T) {
	t.Parallel()
	r, state := newRepo(t, "main"), t.TempDir()
	noise := make([]byte, 300_000)
	for i := range noise {
		noise[i] = byte(rand.Uint32()) //nolint:gosec // no secret
	}
	for round := range 14 {
		files := targettest.Files{"index.html": strings.Repeat(fmt.Sprintf("<p>round %d</p>\n", round), 500), "photo.jpg": string(noise), "large.txt": strings.Repeat("large ", 900_000)}
		publish(t, open(t, Config{URL: r.dir}, targets.Env{State: state}), files)
	}
	packs, err := filepath.Glob(filepath.Join(state, "contents", "pack-*.pack"))
	if err != nil || len(packs) == 0 || len(packs) > 13 {
		t.Errorf("packs: got %d, %v; want some, and at most 13", len(packs), err)
	}
	var size int64
	for _, p := range packs {
		r.run(t, nil, nil, "verify-pack", p)
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size > 50_000 {
		t.Errorf("kept: got %d bytes, want only those of the page", size)
	}
	r.fsck(t)
}

// TestNoDeltasWithoutThinPacks has a server without thin packs: what is sent stands for itself.
func TestNoDeltasWithoutThinPacks(t *testing.T) {
	t.Parallel()
	r, state := newRepo(t, "main"), t.TempDir()
	text := strings.Repeat("<p>some words of a page</p>\n", 200)
	for round := range 2 {
		tgt := open(t, Config{URL: r.dir}, targets.Env{State: state})
		tgt.whole.Store(true)
		publish(t, tgt, targettest.Files{"index.html": fmt.Sprint(round) + text})
	}
	r.want(t, "index.html", "1"+text)
	r.fsck(t)
}

func TestStems(t *testing.T) {
	t.Parallel()
	for p, want := range map[string]string{
		"assets/app.3f2a9c1b.js":       "assets/app*.js",
		"assets/index-BxY3_k2a.css":    "assets/index*.css",
		"main.a1b2c3d4e5.chunk.js":     "main*.chunk.js",
		"about/index.html":             "",
		"posts/some-longer-title.html": "",
		"a/b.min.js":                   "",
	} {
		if got := stemOf(p); got != want {
			t.Errorf("%s: got %q, want %q", p, got, want)
		}
	}
}

// TestRandomUpdates publishes a site that changes at random: after each publish the branch has the site byte
// for byte, and git finds nothing wrong in what was pushed.
func TestRandomUpdates(t *testing.T) {
	t.Parallel()
	realserver.Need(t, "git")
	seed := rand.Uint64() //nolint:gosec // no secret
	t.Logf("seed %d", seed)
	r, state, random := newRepo(t, "main"), t.TempDir(), rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // no secret
	r.run(t, nil, nil, "config", "receive.fsckObjects", "true")
	r.run(t, nil, nil, "config", "receive.unpackLimit", "1")
	shape := benchsite.Shape{Folders: 4, Pages: 4, Bytes: 4000}
	files := deltaSite(t, shape, 0)
	delete(files, "search.json") // large: one is enough for a test
	history := []string{"keep", "squash", "last 3"}[random.IntN(3)]
	for range 12 {
		for range 1 + random.IntN(6) {
			change(random, files)
		}
		tgt := open(t, Config{URL: r.dir, History: history}, targets.Env{State: state})
		publish(t, tgt, files)
		held, err := tgt.ReadBack(t.Context())
		if err != nil || held.ID() != targettest.Release(files).ID() {
			t.Fatalf("%s: the branch has other files than the site: %v", history, err)
		}
	}
	r.fsck(t)
}

// change changes a site in one way.
func change(random *rand.Rand, files targettest.Files) {
	paths := slices.Sorted(maps.Keys(files))
	p := paths[random.IntN(len(paths))]
	text := files[p]
	switch at := random.IntN(len(text) + 1); random.IntN(7) {
	case 0:
		files[p] = text[:at] + fmt.Sprint(random.Uint64()) + text[at:]
	case 1:
		files[p] = text[at:] + text[:at]
	case 2:
		files[p] = text[:at]
	case 3:
		files[fmt.Sprintf("new-%d/index.html", random.Uint64())] = text
	case 4: // renamed
		delete(files, p)
		files[fmt.Sprintf("renamed-%d.html", random.Uint64())] = text
	case 5: // a file becomes a folder
		delete(files, p)
		files[p+"/index.html"] = text
	case 6: // many go
		for _, p := range paths[:len(paths)/8] {
			delete(files, p)
		}
		files["index.html"] = text
	}
}
