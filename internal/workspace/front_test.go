package workspace_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/front"
	"mirror/internal/front/admin"
	"mirror/internal/front/hint"
	"mirror/internal/lab"
	"mirror/internal/publish"
	"mirror/internal/static"
	"mirror/internal/workspace"
	"mirror/site"
	allkinds "mirror/targets/kinds"
)

const hintKey = "a key that both machines have"

// TestAFrontIsAnOrigin publishes to the lab while a front serves the lab's origins, and is one of the config's
// origins: the publish watches it, its window includes it, and a check compares it.
func TestAFrontIsAnOrigin(t *testing.T) {
	t.Parallel()
	for _, trust := range []string{"history", "targets", "quorum"} {
		t.Run(trust, func(t *testing.T) {
			t.Parallel()
			testFrontIsAnOrigin(t, trust)
		})
	}
}

func testFrontIsAnOrigin(t *testing.T, trust string) {
	l, err := lab.Start(t.Context(), lab.Options{ContentType: site.ContentType})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // what it leaves is in a folder of its own
	visitors := &static.Swapper{}
	server := httptest.NewServer(visitors)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("public/index.html", "home 1")
	write("public/about/index.html", "about 1")
	write("public/gone.html", "gone")
	write("public/404.html", "lost")
	front := fmt.Sprintf("origins: [{name: front, url: %q, front: true}]\nfront: {trust: %s, hint_key_env: HINT_KEY}\n", server.URL+"/", trust)
	write("mirror.yaml", strings.Replace(string(l.Config("public")), "\nsite:\n", "\nsite:\n  publish_manifest: "+strconv.FormatBool(trust == "quorum")+"\n", 1)+front)
	home := t.TempDir()
	open := func(state string, secrets bool) *workspace.Workspace {
		getenv := func(name string) string { return map[string]string{"HOME": home, "HINT_KEY": hintKey}[name] }
		if secrets {
			getenv = l.Getenv(getenv)
		}
		w, err := workspace.Open(workspace.Options{
			ConfigFile: filepath.Join(dir, "mirror.yaml"), StateDir: filepath.Join(dir, state), Kinds: allkinds.All(), Events: workspace.NewLines(io.Discard),
			Warnings: &workspace.Warnings{}, Getenv: getenv,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Close() }) // the test has ended
		return w
	}
	here, there := open(".mirror", true), open(".mirror", true)
	switch trust {
	case "targets": // on another machine
		there = open(".elsewhere", true)
	case "quorum": // on one that neither publishes nor has credentials: the origins tell
		there = open(".elsewhere", false)
	}
	if _, err := here.Publish(t.Context(), workspace.PublishOptions{NoVerify: true}); err != nil {
		t.Fatal(err)
	}
	f, err := there.Front(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	follow(t, f)
	hints, err := hint.NewReceiver(hintKey, func(hint.Hint) { f.Hint() })
	if err != nil {
		t.Fatal(err)
	}
	handler := admin.New(f, "", "")
	handler.TakeHints(hints)
	visitors.Swap(handler, nil)
	for deadline := time.Now().Add(2 * time.Minute); body(t, server.URL+"/") != "home 1"; {
		if time.Now().After(deadline) {
			t.Fatalf("the front answers %q", body(t, server.URL+"/"))
		}
		time.Sleep(5 * time.Millisecond) // between two looks
	}
	published := func(home string) *publish.Report {
		report, err := here.Publish(t.Context(), workspace.PublishOptions{})
		if err != nil || report.Outcome != publish.Live {
			t.Fatalf("the publish came to %v, %v", report, err)
		}
		if got := body(t, server.URL+"/"); got != home {
			t.Errorf("after the publish a visitor of the front gets %q, want %q", got, home)
		}
		return report
	}
	write("public/index.html", "home 2")
	if err := os.Remove(filepath.Join(dir, "public/gone.html")); err != nil {
		t.Fatal(err)
	}
	report := published("home 2")
	if !slices.ContainsFunc(report.Window.Origins, func(o diff.OriginWindow) bool { return o.Name == "front" && !o.AllNew.Before.IsZero() }) {
		t.Errorf("the window is without the front: %+v", report.Window.Origins)
	}
	verdict, err := here.Check(t.Context(), workspace.CheckOptions{})
	if err != nil || !verdict.Agree() || len(verdict.Origins) != 4 {
		t.Errorf("the check found %+v, %v", verdict, err)
	}
	if told := f.Status().Hints; told == 0 {
		t.Error("the publish has not told the front of itself")
	}
	if names := f.Origins(); slices.Contains(names, "front") {
		t.Errorf("the front takes pages from itself: %s", strings.Join(names, ", "))
	}
}

// follow has a front follow its origins until the test ends.
func follow(t *testing.T, f *front.Front) {
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() { f.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		following.Wait()
		f.Close()
	})
}

func body(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
