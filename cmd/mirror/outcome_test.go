package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirror/internal/history"
	"mirror/internal/longtest"
	"mirror/internal/publish"
	"mirror/internal/realserver"
	"mirror/site"
	"mirror/targets"
)

// fragile is a shelf at which things can break: each hook, where it is set, is called with what
// it may replace.
type fragile struct {
	*shelf
	onPlan, onStage, onCommit, onCommitted, onPrune func() error
}

func call(hook func() error) error {
	if hook == nil {
		return nil
	}
	return hook()
}

// Plan breaks, or plans.
func (f *fragile) Plan(ctx context.Context, rel *site.Release) (targets.Plan, error) {
	if err := errors.Join(call(f.onPlan), ctx.Err()); err != nil {
		return targets.Plan{}, err
	}
	return f.shelf.Plan(ctx, rel)
}

// Stage breaks, or stages.
func (f *fragile) Stage(ctx context.Context, rel *site.Release, p targets.Progress) error {
	if err := errors.Join(call(f.onStage), ctx.Err()); err != nil {
		return err
	}
	return f.shelf.Stage(ctx, rel, p)
}

// Commit breaks before or after it commits.
func (f *fragile) Commit(ctx context.Context, s targets.Swap) error {
	if err := errors.Join(call(f.onCommit), ctx.Err()); err != nil {
		return err
	}
	return errors.Join(f.shelf.Commit(ctx, s), call(f.onCommitted))
}

// Rollback shows what was live before.
func (f *fragile) Rollback(_ context.Context, s targets.Swap) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live, f.now = f.staged[s.From.Release], s.From
	return nil
}

// Prune breaks, or does nothing.
func (f *fragile) Prune(context.Context, targets.Retention) error { return call(f.onPrune) }

// brittleWorld is a site, a config and one target that can break, with its origin.
type brittleWorld struct {
	t    *testing.T
	dir  string
	args []string // before those of the command
	*fragile
}

func newBrittleWorld(t *testing.T) *brittleWorld {
	t.Helper()
	w := &brittleWorld{t: t, dir: t.TempDir(), fragile: &fragile{shelf: &shelf{staged: map[site.ID]map[string][]byte{}}}}
	front := httptest.NewServer(w.shelf)
	t.Cleanup(front.Close)
	w.write("mirror.yaml", fmt.Sprintf("version: 1\nsite: {dir: public, build: \"true\"}\ntargets:\n  - {name: one, type: shelf, label: a, origin: {url: %q}}\ncheck: {rate: 0}\n", front.URL+"/"))
	w.write("public/index.html", "first")
	w.write("public/about.html", "about")
	w.args = []string{"-c", filepath.Join(w.dir, "mirror.yaml")}
	return w
}

func (w *brittleWorld) write(name, text string) {
	w.t.Helper()
	file := filepath.Join(w.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *brittleWorld) state(name string) string { return filepath.Join(w.dir, ".mirror", name) }

// ended is what every document says of its end.
type ended struct {
	Schema, Outcome, Error string
	Agree                  *bool
	Warnings               []string
}

// mirror runs the program and returns its exit code and what it printed.
func (w *brittleWorld) mirror(ctx context.Context, args ...string) (code int, out, errs *bytes.Buffer) {
	kind := w.kind()
	kind.Open = func(_ context.Context, _ targets.Env, decode func(any) error) (targets.Target, error) {
		var c shelfConfig
		return w.fragile, decode(&c)
	}
	out, errs = &bytes.Buffer{}, &bytes.Buffer{}
	code = runKinds(ctx, targets.Kinds{kind}, append(w.args, args...), func(string) string { return "" }, strings.NewReader(""), out, errs)
	return code, out, errs
}

// run runs the program and returns its exit code, and the one document on its stdout.
func (w *brittleWorld) run(ctx context.Context, args ...string) (code int, doc ended, errs string) {
	w.t.Helper()
	code, out, stderr := w.mirror(ctx, args...)
	d := json.NewDecoder(out)
	if err := d.Decode(&doc); err != nil {
		w.t.Errorf("mirror %s: exit code %d and no document: %v\n%s", strings.Join(args, " "), code, err, stderr)
	}
	if d.Decode(&struct{}{}) != io.EOF {
		w.t.Errorf("mirror %s: more than one document", strings.Join(args, " "))
	}
	return code, doc, stderr.String()
}

// want runs the program with --json and wants that exit code.
func (w *brittleWorld) want(code int, args ...string) ended {
	w.t.Helper()
	got, doc, errs := w.run(w.t.Context(), append(args, "--json")...)
	if got != code {
		w.t.Fatalf("mirror %s: got exit code %d, want %d\n%+v\n%s", strings.Join(args, " "), got, code, doc, errs)
	}
	if code != exitAgree && doc.Error == "" && doc.Agree == nil {
		w.t.Errorf("mirror %s: exit code %d, and the document has no error: %+v", strings.Join(args, " "), code, doc)
	}
	return doc
}

// warned wants a warning with the text.
func (d ended) warned(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(strings.Join(d.Warnings, "\n"), text) {
		t.Errorf("got the warnings %q, want one with %q", d.Warnings, text)
	}
}

// TestHistoryDecidesNothing publishes and checks with a history that cannot be used.
func TestHistoryDecidesNothing(t *testing.T) {
	longtest.Skip(t, "publishes and checks beside each fault of a history")
	for name, spoil := range map[string]func(t *testing.T, file string){
		"locked for writers": func(t *testing.T, file string) { lockHistory(t, file, "BEGIN EXCLUSIVE") },
		"locked for all": func(t *testing.T, file string) {
			lockHistory(t, file, "PRAGMA journal_mode = DELETE", "BEGIN EXCLUSIVE", "CREATE TABLE other (x)")
		},
		"damaged": func(t *testing.T, file string) {
			if err := os.WriteFile(file, bytes.Repeat([]byte("no database "), 1000), 0o644); err != nil {
				t.Fatal(err)
			}
		},
		"a folder": func(t *testing.T, file string) {
			if err := errors.Join(os.Remove(file), os.Mkdir(file, 0o755)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newBrittleWorld(t)
			w.want(exitAgree, "publish")
			spoil(t, w.state(history.Name))
			w.write("public/index.html", "second")
			began := time.Now()
			doc := w.want(exitAgree, "publish")
			if took := time.Since(began); took > 5*time.Minute {
				t.Errorf("the publish took %s", took)
			}
			if doc.Outcome != "live" {
				t.Errorf("outcome %s", doc.Outcome)
			}
			doc.warned(t, "history")
			w.want(exitAgree, "check").warned(t, "history")
			w.want(exitAgree, "plan")
			if name == "damaged" || name == "a folder" {
				w.want(exitFailed, "report")
				w.want(exitFailed, "history")
			}
		})
	}
}

// lockHistory keeps the history's lock, as another process would, until the test ends.
func lockHistory(t *testing.T, file string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?mode=rw")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// TestBookkeepingDecidesNothing publishes a second release while something beside it fails.
func TestBookkeepingDecidesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		spoil   func(w *brittleWorld)
		warning string
	}{
		"prune": {func(w *brittleWorld) { w.onPrune = func() error { return errors.New("not today") } }, "not today"},
		"state folder gone after the commit": {func(w *brittleWorld) {
			w.onCommitted = func() error {
				state := w.state("")
				return errors.Join(os.Rename(state, w.dir+"/moved"), os.WriteFile(filepath.Clean(state), nil, 0o644))
			}
		}, "journal"},
		"scan cache": {func(w *brittleWorld) { w.replaceByFolder("scan") }, "scan cache"},
		"owner":      {func(w *brittleWorld) { w.replaceByFolder("owner") }, "owner"},
		"the journal's last line": {func(w *brittleWorld) {
			w.onCommitted = func() error { w.replaceByFolder("journal.json"); return nil }
		}, "journal"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newBrittleWorld(t)
			w.want(exitAgree, "publish")
			w.write("public/index.html", "second")
			c.spoil(w)
			doc := w.want(exitAgree, "publish")
			if doc.Outcome != "live" || doc.Error != "" {
				t.Errorf("got %+v", doc)
			}
			doc.warned(t, c.warning)
		})
	}
}

func (w *brittleWorld) replaceByFolder(name string) {
	if err := errors.Join(os.RemoveAll(w.state(name)), os.MkdirAll(w.state(name)+"/full", 0o755)); err != nil {
		w.t.Error(err)
	}
}

// TestJournalStopsWhatHasNotBegun has a journal that cannot be written before anything is live.
func TestJournalStopsWhatHasNotBegun(t *testing.T) {
	t.Parallel()
	w := newBrittleWorld(t)
	w.want(exitAgree, "publish")
	w.write("public/index.html", "second")
	w.onStage = func() error { w.replaceByFolder("journal.json"); return nil }
	doc := w.want(exitFailed, "publish")
	if doc.Outcome != "failed" || w.now.Release == site.None || string(w.live["index.html"]) != "first" {
		t.Errorf("got %+v, and %s is live", doc, w.live["index.html"])
	}
}

// TestOneDocumentForEveryEnd ends each command early, in each way.
func TestOneDocumentForEveryEnd(t *testing.T) {
	t.Parallel()
	w := newBrittleWorld(t)
	w.want(exitAgree, "publish")
	config := w.args[1]
	failed := func(code int, args ...string) {
		t.Helper()
		doc := w.want(code, args...)
		schema := map[string]string{"watch": "window"}[args[0]]
		if schema == "" {
			schema = args[0]
		}
		if doc.Schema != "mirror."+schema+"/v1" {
			t.Errorf("mirror %v: got %+v", args, doc)
		}
		if args[0] == "publish" && doc.Outcome != "failed" || args[0] == "check" && (doc.Agree == nil || *doc.Agree) {
			t.Errorf("mirror %v: got %+v", args, doc)
		}
	}
	for _, command := range []string{"publish", "plan", "check", "watch", "report", "history"} {
		w.args[1] = filepath.Join(w.dir, "none.yaml")
		failed(exitUsage, command)
		w.args[1] = config
		failed(exitUsage, command, "--frobnicate")
	}
	failed(exitUsage, "publish", "extra")
	failed(exitUsage, "publish", "--max-delete", "lots")
	failed(exitUsage, "publish", "--verify-timeout=-3s")
	failed(exitUsage, "publish", "--verify-timeout=0s")
	failed(exitUsage, "check", "--tolerate", "what")
	failed(exitUsage, "check", "http://a.example/")
	failed(exitUsage, "history", "--limit", "-1")
	failed(exitUsage, "report", "--since", "2026-02-01", "--until", "2026-01-01")

	lock, _, err := publishJournal(w.state(""))
	if err != nil {
		t.Fatal(err)
	}
	failed(exitFailed, "publish")
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"dangling": "nothing.html", "out": "../mirror.yaml"} {
		link := filepath.Join(w.dir, "public", name+".html")
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"publish", "plan", "check", "watch"} {
			failed(exitFailed, command)
		}
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.RemoveAll(w.dir+"/public"), os.Mkdir(w.dir+"/public", 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"publish", "plan"} {
		failed(exitFailed, command)
	}
}

// TestInterruptedEndsWithADocument interrupts a publish in each of its phases.
func TestInterruptedEndsWithADocument(t *testing.T) {
	for name, c := range map[string]struct {
		at      func(w *brittleWorld) *func() error
		outcome string
		journal string // what it says of the outcome
	}{
		"plan":   {func(w *brittleWorld) *func() error { return &w.onPlan }, "failed", "live"},
		"stage":  {func(w *brittleWorld) *func() error { return &w.onStage }, "failed", "failed"},
		"commit": {func(w *brittleWorld) *func() error { return &w.onCommit }, "rolled_back", "rolled_back"},
		"watch":  {func(w *brittleWorld) *func() error { return &w.onCommitted }, "live", "live"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newBrittleWorld(t)
			w.want(exitAgree, "publish")
			w.write("public/index.html", "second")
			ctx, interrupt := context.WithCancel(t.Context())
			*c.at(w) = func() error { interrupt(); return nil }
			code, doc, errs := w.run(ctx, "publish", "--json")
			if code != exitInterrupted || doc.Outcome != c.outcome || !strings.Contains(doc.Error, "interrupted") {
				t.Errorf("got exit code %d, %+v\n%s", code, doc, errs)
			}
			text, err := os.ReadFile(w.state("journal.json"))
			if err != nil || !strings.Contains(string(text), fmt.Sprintf("%q: %q", "outcome", c.journal)) {
				t.Errorf("the journal says %s, %v; want %s", text, err, c.journal)
			}
		})
	}
}

// TestInterruptedEarlyEndsWithADocument interrupts commands before they could do anything.
func TestInterruptedEarlyEndsWithADocument(t *testing.T) {
	t.Parallel()
	w := newBrittleWorld(t)
	w.want(exitAgree, "publish")
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	for _, args := range [][]string{{"publish"}, {"publish", "--build"}, {"plan"}, {"check"}, {"watch"}, {"report"}, {"history"}} {
		code, doc, errs := w.run(ctx, append(args, "--json")...)
		if code != exitInterrupted || !strings.Contains(doc.Error, "interrupted") {
			t.Errorf("mirror %v: got exit code %d, %+v\n%s", args, code, doc, errs)
		}
	}
}

// TestDriftComesBeforeUnreachable has one origin drift and another not answer.
func TestDriftComesBeforeUnreachable(t *testing.T) {
	t.Parallel()
	w := newBrittleWorld(t)
	w.want(exitAgree, "publish")
	gone := "http://" + realserver.Loopback(realserver.FreePort(t)) + "/"
	config, err := os.ReadFile(w.args[1])
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(config), "check: {", fmt.Sprintf("  - {name: two, type: shelf, label: b, origin: {url: %q}}\ncheck: {confirm: 0, ", gone), 1)
	w.write("mirror.yaml", text)
	w.want(exitFailed, "check")
	w.live["about.html"] = []byte("altered")
	w.want(exitDisagree, "check")
}

// publishJournal takes the state folder's lock, as another publish would.
func publishJournal(state string) (*publish.Journal, publish.Page, error) {
	return publish.OpenJournal(state)
}

// TestDaemonOnceGoesByTheVerdicts has a daemon check once, with a history that another process
// holds.
func TestDaemonOnceGoesByTheVerdicts(t *testing.T) {
	longtest.Skip(t, "waits for a history that another process holds")
	t.Parallel()
	w := newBrittleWorld(t)
	w.want(exitAgree, "publish")
	lockHistory(t, w.state(history.Name), "BEGIN EXCLUSIVE")
	code, _, errs := w.mirror(t.Context(), "daemon", "--once")
	if code != exitAgree || !strings.Contains(errs.String(), "cannot record a check") {
		t.Errorf("got exit code %d\n%s", code, errs)
	}
	w.live["about.html"] = []byte("altered")
	if code, _, errs := w.mirror(t.Context(), "daemon", "--once"); code != exitDisagree {
		t.Errorf("got exit code %d\n%s", code, errs)
	}
}
