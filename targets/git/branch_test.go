package git

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/realserver"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/git/internal/wire"
	"mirror/targets/targettest"
)

var (
	v1 = targettest.Files{"index.html": "one", "css/site.css": "a{}", "old.html": "old"}
	v2 = targettest.Files{"index.html": "two", "css/site.css": "a{}", "new.html": "new"}
)

func publish(t testing.TB, tgt targets.Target, files targettest.Files) targets.Swap {
	t.Helper()
	swap, err := targettest.Publish(t.Context(), tgt, targettest.Release(files))
	if err != nil {
		t.Fatalf("publish: %v", err)
	}
	return swap
}

func (r repo) want(t testing.TB, path, text string) {
	t.Helper()
	if got, err := r.read(path); err != nil || string(got) != text {
		t.Errorf("%s: got %q, %v; want %q", path, got, err, text)
	}
}

func TestKeptFiles(t *testing.T) {
	realserver.Need(t, "git")
	theirs := map[string][]byte{"CNAME": []byte("old.example\n"), ".nojekyll": []byte("why\n"), "their.html": []byte("x")}
	own := targettest.Files{"index.html": "x", "CNAME": "site.example\n"}
	for _, tc := range []struct {
		name     string
		live     map[string][]byte
		config   string
		files    targettest.Files
		cname    string
		noJekyll string
	}{
		{"kept", theirs, "", v1, "old.example\n", "why\n"},
		{"set by the config", theirs, "new.example", v1, "new.example\n", "why\n"},
		{"the site's own", theirs, "new.example", own, "site.example\n", "why\n"},
		{"a new branch", nil, "new.example", v1, "new.example\n", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRepo(t, "main")
			if tc.live != nil {
				r.put(t, tc.live)
			}
			c := Config{URL: r.dir, CNAME: tc.config}
			for range 2 { // what was kept once is kept for ever
				publish(t, open(t, c, targets.Env{}), tc.files)
				r.want(t, "CNAME", tc.cname)
				r.want(t, ".nojekyll", tc.noJekyll)
			}
			if _, err := r.read("their.html"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("their.html: got %v, want it gone", err)
			}
			held, err := open(t, c, targets.Env{}).ReadBack(t.Context())
			if err != nil || held.ID() != targettest.Release(tc.files).ID() {
				t.Errorf("held: got %+v, %v; want the site's files alone", held, err)
			}
		})
	}
}

// TestCNAMEAddedAfterStage has somebody add a domain between an old stage and a commit.
func TestCNAMEAddedAfterStage(t *testing.T) {
	realserver.Need(t, "git")
	r := newRepo(t, "main")
	tgt := open(t, Config{URL: r.dir}, targets.Env{})
	publish(t, tgt, v1)
	if err := tgt.Stage(t.Context(), targettest.Release(v2), nil); err != nil {
		t.Fatal(err)
	}
	r.put(t, map[string][]byte{"CNAME": []byte("late.example\n")})
	live, err := tgt.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := tgt.Commit(t.Context(), targets.Swap{From: live, To: targettest.Release(v2).ID()}); err != nil {
		t.Fatal(err)
	}
	r.want(t, "CNAME", "late.example\n")
	r.want(t, "index.html", "two")
	if parent := r.run(t, nil, nil, "rev-parse", "gh-pages^"); parent != live.Revision {
		t.Errorf("parent: got %s, want the head that was live, %s", parent, live.Revision)
	}
	r.fsck(t)
}

// TestForeignModes counts an executable, a link and a submodule as changes: their bytes
// are not what a web server would give.
func TestForeignModes(t *testing.T) {
	realserver.Need(t, "git")
	r := newRepo(t, "main")
	blob := r.run(t, []byte("one"), nil, "hash-object", "-w", "--stdin")
	tree := r.run(t, []byte("100755 blob "+blob+"\tindex.html\n120000 blob "+blob+"\tlink.html\n"+
		"160000 commit "+strings.Repeat("1", 40)+"\tsub\n"), nil, "mktree")
	r.run(t, nil, nil, "update-ref", "refs/heads/gh-pages", r.run(t, nil, nil, "commit-tree", "-m", "odd", tree))
	tgt := open(t, Config{URL: r.dir}, targets.Env{})
	plan, err := tgt.Plan(t.Context(), targettest.Release(targettest.Files{"index.html": "one", "link.html": "one"}))
	if err != nil {
		t.Fatal(err)
	}
	if c := plan.Changes; len(c.Change) != 2 || len(c.Delete) != 1 || c.Same != 0 {
		t.Errorf("got %+v, want two changes and one delete", c)
	}
	if got := plan.Metadata["index.html"]; got != "mode: 100755 → 100644" || len(plan.Metadata) != 1 {
		t.Errorf("metadata: got %q, want the mode of index.html", plan.Metadata)
	}
	if held, err := tgt.ReadBack(t.Context()); err != nil || len(held) != 3 {
		t.Errorf("held: got %+v, %v; want three entries", held, err)
	}
}

// TestAmendedCommit changes a file under a message of ours.
func TestAmendedCommit(t *testing.T) {
	realserver.Need(t, "git")
	r := newRepo(t, "main")
	publish(t, open(t, Config{URL: r.dir}, targets.Env{}), v1)
	message := r.run(t, nil, nil, "log", "-1", "--format=%B", "gh-pages")
	r.put(t, map[string][]byte{"index.html": []byte("amended")})
	amended := r.run(t, nil, nil, "commit-tree", "-m", message, "gh-pages^{tree}")
	r.run(t, nil, nil, "update-ref", "refs/heads/gh-pages", amended)
	live, err := open(t, Config{URL: r.dir}, targets.Env{}).Live(t.Context())
	if want := (targets.Live{Revision: amended}); err != nil || live != want {
		t.Errorf("got %+v, %v; want %+v", live, err, want)
	}
}

// TestTwoPublishers moves the branch between the advertisement that a commit reads and the
// push that it sends: only the server can see that.
func TestTwoPublishers(t *testing.T) {
	r := newRepo(t, "main")
	url := realserver.GitHTTP(t, filepath.Dir(r.dir)) + "/site.git"
	publish(t, open(t, Config{URL: url}, targets.Env{}), v1)
	late := &beforePush{do: func() { r.put(t, map[string][]byte{"index.html": []byte("theirs")}) }}
	tgt := open(t, Config{URL: url}, targets.Env{Transport: late})
	rel := targettest.Release(v2)
	if err := tgt.Stage(t.Context(), rel, nil); err != nil {
		t.Fatal(err)
	}
	live, err := tgt.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	late.armed = true
	if err := tgt.Commit(t.Context(), targets.Swap{From: live, To: rel.ID()}); !errors.Is(err, targets.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
	r.want(t, "index.html", "theirs")
}

// beforePush does something once, just before a push reaches the server.
type beforePush struct {
	armed bool
	do    func()
}

func (b *beforePush) RoundTrip(req *http.Request) (*http.Response, error) {
	if b.armed && req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, string(wire.ReceivePack)) {
		b.armed = false
		b.do()
	}
	return http.DefaultTransport.RoundTrip(req)
}

// TestClone compares a clone with the site.
func TestClone(t *testing.T) {
	realserver.Need(t, "git")
	r := newRepo(t, "main")
	publish(t, open(t, Config{URL: r.dir}, targets.Env{}), v1)
	publish(t, open(t, Config{URL: r.dir}, targets.Env{}), v2)
	dir := filepath.Join(t.TempDir(), "clone")
	if out, err := exec.Command("git", "clone", "-q", "-b", "gh-pages", r.dir, dir).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v\n%s", err, out)
	}
	for path, text := range v2 {
		if got, err := os.ReadFile(filepath.Join(dir, path)); err != nil || string(got) != text {
			t.Errorf("%s: got %q, %v; want %q", path, got, err, text)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "old.html")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("old.html: got %v, want it gone", err)
	}
}

func TestPrune(t *testing.T) {
	realserver.Need(t, "git")
	r := newRepo(t, "main")
	tgt := open(t, Config{URL: r.dir}, targets.Env{})
	publish(t, tgt, v1)
	publish(t, tgt, v2)
	for _, text := range []string{"three", "four"} {
		if err := tgt.Stage(t.Context(), targettest.Release(targettest.Files{"index.html": text}), nil); err != nil {
			t.Fatal(err)
		}
	}
	r.run(t, nil, nil, "update-ref", "refs/mirror/theirs", r.head(t))
	staged := targettest.Release(targettest.Files{"index.html": "three"}).ID()
	third := targettest.Files{"index.html": "third"}
	publish(t, tgt, third)
	if err := tgt.Prune(t.Context(), targets.Retention{Keep: 2}); err != nil {
		t.Fatal(err)
	}
	got := r.run(t, nil, nil, "for-each-ref", "--format=%(refname)", "refs/mirror")
	for ref, want := range map[string]bool{
		string(staged): true, string(targettest.Release(v2).ID()): true, "theirs": true,
		string(targettest.Release(v1).ID()): false, string(targettest.Release(third).ID()): true,
	} {
		if strings.Contains(got, stagePrefix+ref) != want {
			t.Errorf("ref of %.12s after prune: got %v, want %v\n%s", ref, !want, want, got)
		}
	}
}

// TestCNAMEChangedInConfig publishes a site that is live already under another domain.
func TestCNAMEChangedInConfig(t *testing.T) {
	realserver.Need(t, "git")
	r := newRepo(t, "main")
	publish(t, open(t, Config{URL: r.dir}, targets.Env{}), v1)
	tgt := open(t, Config{URL: r.dir, CNAME: "new.example"}, targets.Env{})
	for _, want := range []site.ID{site.None, targettest.Release(v1).ID()} {
		plan, err := tgt.Plan(t.Context(), targettest.Release(v1))
		if err != nil || plan.Live.Release != want || !plan.Changes.Empty() {
			t.Errorf("plan: got %+v, %v; want release %s and no change", plan, err, want.Short())
		}
		publish(t, tgt, v1)
		r.want(t, "CNAME", "new.example\n")
	}
}
