package git

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing/transport/server"

	"mirror/internal/longtest"
	"mirror/internal/realserver"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/targettest"
)

// heard counts the bytes that a server answers with.
type heard struct{ bytes atomic.Int64 }

func (h *heard) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err == nil {
		resp.Body = &heardBody{resp.Body, &h.bytes}
	}
	return resp, err
}

type heardBody struct {
	io.ReadCloser
	bytes *atomic.Int64
}

func (b *heardBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.bytes.Add(int64(n))
	return n, err
}

// heavyPage does not compress.
func heavyPage(seed uint64) string {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	raw := make([]byte, 15<<10)
	_, _ = rand.NewChaCha8(key).Read(raw) // it never fails
	return base64.StdEncoding.EncodeToString(raw)
}

// TestPastOnServersOfAllKinds asks for one page of three releases: where single files can be
// fetched little travels, and elsewhere the answer is the same.
func TestPastOnServersOfAllKinds(t *testing.T) {
	longtest.Skip(t, "starts servers of all kinds")
	t.Parallel()
	const pages = 24 // 20 KB each
	poor := httptest.NewServer(goGit{server.NewServer(server.NewFilesystemLoader(osfs.New("/")))})
	defer poor.Close()
	for name, kind := range map[string]struct {
		config  string // of git, set to true
		poor    bool
		atMost  int64
		atLeast int64
	}{
		"single files":  {config: "uploadpack.allowAnySHA1InWant", atLeast: 3 * 10 << 10, atMost: 150 << 10},
		"filters":       {config: "uploadpack.allowFilter", atLeast: pages * 10 << 10, atMost: 2 << 20},
		"nothing":       {config: "core.bare", poor: true, atLeast: pages * 10 << 10, atMost: 2 << 20},
		"reachable sha": {config: "uploadpack.allowReachableSHA1InWant", atLeast: 3 * 10 << 10, atMost: 150 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepo(t, "main")
			files := targettest.Files{}
			for i := range pages {
				files[fmt.Sprintf("%03d.html", i)] = heavyPage(uint64(i))
			}
			r.run(t, nil, nil, "config", kind.config, "true")
			var want []site.Digest
			for i := range 3 {
				files["000.html"] = heavyPage(uint64(1000 + i))
				publish(t, open(t, Config{URL: r.dir}, targets.Env{}), files)
				want = append([]site.Digest{sha256.Sum256([]byte(files["000.html"]))}, want...)
			}
			url := poor.URL + filepath.ToSlash(r.dir)
			if !kind.poor {
				url = realserver.GitHTTP(t, filepath.Dir(r.dir)) + "/site.git"
			}
			h := &heard{}
			past, err := open(t, Config{URL: url}, targets.Env{Transport: h}).Past(t.Context(), 10, []string{"000.html", "never.html"})
			if err != nil || len(past) != len(want) {
				t.Fatalf("got %d releases, %v; want %d", len(past), err, len(want))
			}
			for i, p := range past {
				if f, _ := p.Manifest.Find("000.html"); f.Digest != want[i] || len(p.Manifest) != pages || time.Since(p.Published) > time.Hour {
					t.Errorf("past %d: got %+v of %d files at %s", i, f, len(p.Manifest), p.Published)
				}
			}
			if n := h.bytes.Load(); n > kind.atMost || n < kind.atLeast {
				t.Errorf("%d bytes travelled, want %d to %d", n, kind.atLeast, kind.atMost)
			}
		})
	}
}

// TestRestoreOfACommitThatNoRefNames restores each release of a branch from servers that give such commits, and from others.
func TestRestoreOfACommitThatNoRefNames(t *testing.T) {
	t.Parallel()
	poor := httptest.NewServer(goGit{server.NewServer(server.NewFilesystemLoader(osfs.New("/")))})
	defer poor.Close()
	r := newRepo(t, "main")
	var all []*site.Release
	for i := range 4 {
		files := targettest.Files{"index.html": fmt.Sprintf("release %d", i), "same.txt": "same"}
		publish(t, open(t, Config{URL: r.dir}, targets.Env{}), files)
		all = append(all, targettest.Release(files))
	}
	for ref := range strings.Lines(r.run(t, nil, nil, "for-each-ref", "--format=%(refname)", "refs/mirror")) {
		r.run(t, nil, nil, "update-ref", "-d", strings.TrimSpace(ref))
	}
	for _, url := range []string{r.dir, poor.URL + filepath.ToSlash(r.dir)} {
		for i, rel := range all {
			held, err := open(t, Config{URL: url}, targets.Env{}).Restore(t.Context(), rel.ID())
			if err != nil {
				t.Errorf("%s: release %d: %v", url, i, err)
				continue
			}
			f, _ := held.Manifest().Find("index.html")
			var text strings.Builder
			if err := held.Copy(t.Context(), &text, f); err != nil || text.String() != fmt.Sprintf("release %d", i) {
				t.Errorf("%s: release %d: got %q, %v", url, i, text.String(), err)
			}
			if err := held.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestPastHasTheCommitsOfOthers(t *testing.T) {
	r := newRepo(t, "main")
	tgt := open(t, Config{URL: r.dir}, targets.Env{})
	publish(t, tgt, v1)
	r.put(t, map[string][]byte{"index.html": []byte("by hand")})
	publish(t, tgt, v2)
	past, err := tgt.Past(t.Context(), 10, []string{"index.html"})
	if err != nil || len(past) != 3 {
		t.Fatalf("got %+v, %v; want three commits", past, err)
	}
	for i, want := range []struct {
		release site.ID
		text    string
		files   int
	}{
		{targettest.Release(v2).ID(), v2["index.html"], len(v2)},
		{site.None, "by hand", len(v1)},
		{targettest.Release(v1).ID(), v1["index.html"], len(v1)},
	} {
		f, _ := past[i].Manifest.Find("index.html")
		if past[i].Release != want.release || f.Digest != sha256.Sum256([]byte(want.text)) || len(past[i].Manifest) != want.files {
			t.Errorf("past %d: got %+v, want %+v", i, past[i], want)
		}
	}
}
