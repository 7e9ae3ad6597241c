package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mirror/internal/longtest"
	"mirror/internal/publish"
	"mirror/internal/realserver"
	"mirror/internal/realserver/s3gateway"
	"mirror/internal/static"
	"mirror/reports"
	"mirror/site"
)

const killConfig = `version: 1
site: {dir: %q, not_found: 404.html}
targets:
  - {name: pages, type: git, url: %q, origin: {url: %q}}
  - name: bucket
    type: s3
    endpoint: %q
    bucket: %q
    path_style: true
    access_key_env: TEST_ACCESS
    secret_key_env: TEST_SECRET
    origin: {url: %q}
  - {name: disk, type: dir, path: %q, origin: {url: %q}}
%spublish: {max_delete: 100%%, verify_timeout: 2m}
check: {rate: 0}
`

// edition is one of the two sites that the test turns between: every page names its
// edition and the one style sheet that only that edition has.
func edition(name string) map[string]string {
	files := map[string]string{"404.html": "<h1>not here</h1>", "css/" + name + ".css": "body{--edition:" + name + "}"}
	for i := range 60 {
		files[fmt.Sprintf("posts/%02d.html", i)] = fmt.Sprintf("<p>%d of edition=%s;", i, name)
	}
	files["index.html"] = "<h1>edition=" + name + ";"
	return files
}

// newKillWorld starts a real server for each of three kinds of target, beside more targets.
func newKillWorld(t *testing.T, more ...string) *realWorld {
	t.Helper()
	dir := t.TempDir()
	w := &realWorld{
		t: t, config: filepath.Join(dir, "mirror.yaml"), site: filepath.Join(dir, "public"),
		pages: realserver.Pages(t, 0), bucket: s3gateway.Start(t),
	}
	disk := filepath.Join(dir, "www")
	text := fmt.Sprintf(killConfig, w.site, w.pages.Remote, w.pages.Site, w.bucket.Endpoint, w.bucket.Bucket, w.bucket.Website,
		disk, realserver.Nginx(t, filepath.Join(disk, "current"))+"/", strings.Join(more, ""))
	if err := os.WriteFile(w.config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return w
}

// imageTarget is a target in a real registry, with an origin that serves the image.
func imageTarget(t *testing.T) string {
	t.Helper()
	image := realserver.Registry(t, realserver.DockerRegistry, nil) + "/blog:latest"
	return fmt.Sprintf("  - {name: image, type: oci, image: %q, base: none, origin: {url: %q}}\n", image, serveImage(t, image))
}

// hostTarget is a target on a real SSH server, with nginx before it.
func hostTarget(t *testing.T) string {
	t.Helper()
	folder, login := filepath.Join(t.TempDir(), "www"), realserver.SSHD(t, false)
	return fmt.Sprintf("  - {name: host, type: ssh, url: %q, ssh_key: %q, known_hosts: %q, origin: {url: %q}}\n",
		login.URL(folder), login.Key, login.KnownHosts, realserver.Nginx(t, filepath.Join(folder, "current"))+"/")
}

// serveImage serves an image from its registry as `mirror serve --image` does, until the test ends.
func serveImage(t *testing.T, image string) string {
	t.Helper()
	h := static.FollowImage(t.Context(), &static.Follower{
		Image: image, Poll: 50 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		Site: static.Options{NotFound: "404.html", ContentType: site.ContentType},
	})
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/"
}

// TestKilledPublishConverges kills the real program at random moments of a publish, while
// readers go on. No page is ever missing or of no edition, no page is served before its
// style sheet, and the next publish makes all origins agree.
func TestKilledPublishConverges(t *testing.T) {
	longtest.Skip(t, "kills 12 publishes to real servers")
	t.Parallel()
	const kills = 12
	w := newKillWorld(t)
	w.write(edition("odd"))
	w.publish("live")
	w.write(edition("even"))
	began := time.Now() // of a publish that changes what is live, as those below
	w.publish("live")
	whole := time.Since(began)
	stop := w.readers()
	rng := rand.New(rand.NewPCG(7, 7))
	var killed, committing int
	for i := range kills {
		w.write(edition([]string{"odd", "even"}[i%2]))
		if dead, took := w.kill(time.Duration(rng.Int64N(int64(whole))), "publish"); dead {
			killed++
		} else {
			whole = took // the first one may have been much slower
		}
		if last := w.journal(); last.Interrupted() && len(last.Committing) > 0 {
			committing++
		}
		w.converges()
	}
	reads := stop()
	t.Logf("killed %d of %d publishes, %d while they committed; %d pages read meanwhile", killed, kills, committing, reads)
	if killed == 0 || reads < 100 {
		t.Error("nothing was tried")
	}
}

// TestKilledRollbackConverges kills the real program at random moments of a rollback, every other time after the first commit
// has begun, while readers go on as above. The
// next run makes all origins agree: on the release that was asked for, if it is a rollback, with its ID or without, or on the
// built site, if it is a publish. There is a target of each kind but exec, whose program is the user's. With
// MIRROR_EXPERIMENT=full there are 100 kills, or as many as MIRROR_KILLS says. MIRROR_SEED sets the seed.
func TestKilledRollbackConverges(t *testing.T) {
	longtest.Skip(t, "kills rollbacks on real servers")
	t.Parallel()
	kills := 3
	if os.Getenv("MIRROR_EXPERIMENT") == "full" {
		kills, _ = strconv.Atoi(cmp.Or(os.Getenv("MIRROR_KILLS"), "100"))
	}
	w := newKillWorld(t, imageTarget(t), hostTarget(t))
	w.write(edition("odd"))
	odd := w.publish("live").Release
	w.write(edition("even"))
	even := w.publish("live").Release
	began := time.Now()
	var doc reports.Publish
	w.mirror(exitAgree, &doc, "rollback")
	whole := time.Since(began)
	stop := w.readers()
	seed, _ := strconv.ParseUint(cmp.Or(os.Getenv("MIRROR_SEED"), "1"), 10, 64)
	rng := rand.New(rand.NewPCG(12, seed))
	live, other := odd, even
	var killed, committing int
	for i := range kills {
		after := time.Duration(rng.Int64N(int64(whole)))
		if i == kills-1 && killed == 0 {
			after = 0 // the first one was much slower than those that ended before they were to be killed
		}
		kill := w.kill
		if i%2 == 1 {
			kill, after = w.killCommitting, after/10
		}
		if dead, took := kill(after, "rollback", string(other)); dead {
			killed++
		} else {
			whole = took
		}
		last := w.journal()
		if last.Interrupted() && len(last.Committing) > 0 {
			committing++
		}
		next := [][]string{{"rollback", string(other[:10])}, {"rollback"}, {"publish"}}[i%3]
		want := other
		switch {
		case next[0] == "publish":
			want = even
		case last.Release == other && !last.Interrupted():
			next = []string{"rollback", string(other)} // it had ended: without an ID it would be undone
		}
		again := []string{"rollback", string(want)}
		if next[0] == "publish" {
			again = next
		}
		doc = w.settles(next, again...)
		var check reports.Check
		w.mirror(exitAgree, &check, "check")
		if doc.Release != want || !check.Agree || check.Release != want {
			t.Errorf("kill %d, then %s: want %s: %+v, %+v", i, next, want.Short(), doc, check)
		}
		if want != live {
			live, other = other, live
		}
		t.Logf("kill %d: %d were killed, %d while they committed; then %s", i+1, killed, committing, next)
	}
	reads := stop()
	t.Logf("killed %d of %d rollbacks, %d while they committed; %d pages read meanwhile", killed, kills, committing, reads)
	if killed == 0 || reads < 100 {
		t.Error("nothing was tried")
	}
}

// readers reads the pages of every origin until stop, which returns how many it read.
func (w *realWorld) readers() (stop func() int64) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	var readers sync.WaitGroup
	var reads atomic.Int64
	var doc reports.Check
	w.mirror(exitAgree, &doc, "check")
	for _, o := range doc.Origins {
		readers.Go(func() {
			if err := readOn(ctx, o.URL, o.Name == "bucket", &reads); err != nil {
				w.t.Errorf("%s: %v", o.Name, err)
			}
		})
	}
	return func() int64 {
		cancel()
		readers.Wait()
		return reads.Load()
	}
}

// kill starts a run and kills it after a while. It reports false, and how long the run took, if that had ended.
func (w *realWorld) kill(after time.Duration, args ...string) (dead bool, took time.Duration) {
	w.t.Helper()
	cmd := w.command(append(args, "-q")...)
	began := time.Now()
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // it may have ended
	defer timer.Stop()
	return cmd.Wait() != nil, time.Since(began)
}

// killCommitting starts a run and kills it a while after its first commit has begun. It reports false and how long the run took
// if that had ended.
func (w *realWorld) killCommitting(after time.Duration, args ...string) (dead bool, took time.Duration) {
	w.t.Helper()
	file := filepath.Join(filepath.Dir(w.config), ".mirror", "journal.json")
	before, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := w.command(append(args, "-q")...)
	began := time.Now()
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		poll := time.NewTicker(time.Millisecond)
		defer poll.Stop()
		for {
			var page publish.Page
			text, err := os.ReadFile(file)
			if err == nil && !bytes.Equal(text, before) && json.Unmarshal(text, &page) == nil && len(page.Committing) > 0 {
				break
			}
			select {
			case <-poll.C:
			case <-ended:
				return
			}
		}
		select {
		case <-time.After(after):
			_ = cmd.Process.Kill() // it may have ended
		case <-ended:
		}
	})
	dead, took = cmd.Wait() != nil, time.Since(began)
	close(ended)
	watching.Wait()
	return dead, took
}

// journal is what the last run left. Where it was killed while it started a program, the lock is held until that program
// runs: a new process has the files of the old one for a moment.
func (w *realWorld) journal() publish.Page {
	w.t.Helper()
	state := filepath.Join(filepath.Dir(w.config), ".mirror")
	j, last, err := publish.OpenJournal(state)
	for deadline := time.Now().Add(time.Minute); errors.Is(err, publish.ErrBusy) && time.Now().Before(deadline); {
		<-time.After(5 * time.Millisecond)
		j, last, err = publish.OpenJournal(state)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		w.t.Fatal(err)
	}
	return last
}

// settles runs a command that makes all origins agree. A killed run may have committed what an origin deploys a moment later,
// for which a run that has nothing else to do does not wait: then again is run.
func (w *realWorld) settles(args []string, again ...string) (doc reports.Publish) {
	w.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; args = again {
		cmd := w.command(append(slices.Clone(args), "--json")...)
		var errOut bytes.Buffer
		cmd.Stderr = &errOut
		out, err := cmd.Output()
		code := cmd.ProcessState.ExitCode()
		if code == exitDisagree && time.Now().Before(deadline) {
			continue
		}
		doc = reports.Publish{}
		if code != exitAgree || json.Unmarshal(out, &doc) != nil {
			w.t.Fatalf("mirror %s: %v\n%s%s", strings.Join(args, " "), err, out, &errOut)
		}
		return doc
	}
}

func (w *realWorld) converges() {
	w.t.Helper()
	doc := w.settles([]string{"publish"}, "publish")
	if doc.Outcome != "live" && doc.Outcome != "unchanged" {
		w.t.Errorf("outcome %s", doc.Outcome)
	}
	var check reports.Check
	w.mirror(exitAgree, &check, "check")
	if !check.Agree {
		w.t.Errorf("got %+v", check)
	}
}

// readOn reads pages until ctx ends, and with each page the style sheet that it needs
// where assets says that a release's assets come before its pages. It leaves the processors to what
// it watches: a page each 5 ms.
func readOn(ctx context.Context, base string, assets bool, reads *atomic.Int64) error {
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	for i := 0; ctx.Err() == nil; i++ {
		<-pace.C
		path := fmt.Sprintf("posts/%02d.html", i%60)
		text, err := get(base, path)
		if err != nil {
			return err
		}
		_, rest, ok := strings.Cut(text, "edition=")
		name, _, _ := strings.Cut(rest, ";")
		if !ok || name != "even" && name != "odd" {
			return fmt.Errorf("%s is of no edition: %q", path, text)
		}
		reads.Add(1)
		if !assets {
			continue
		}
		again, err := get(base, path)
		if err != nil || again != text {
			continue // it has just been replaced
		}
		sheet, err := get(base, "css/"+name+".css")
		if err != nil {
			return err
		}
		last, err := get(base, path)
		if err == nil && sheet == "" && last == text { // still the page that needs it
			return fmt.Errorf("%s is served without css/%s.css", path, name)
		}
	}
	return nil
}
