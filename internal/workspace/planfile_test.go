package workspace_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mirror/internal/planfile"
	"mirror/internal/publish"
	"mirror/internal/workspace"
	"mirror/reports"
	"mirror/targets"
	"mirror/targets/dir"
)

// twoFolders is a config with two targets that have no origin.
const twoFolders = `version: 1
site: {dir: ./public}
targets:
  - {name: one, type: dir, path: ./www1}
  - {name: two, type: dir, path: "./${WWW2}"}
`

// reviewed is a workspace with two folders as targets, and a plan of its site in a file.
type reviewed struct {
	*place
	env map[string]string
}

func newReviewed(t *testing.T) *reviewed {
	t.Helper()
	r := &reviewed{&place{t: t, root: t.TempDir(), warnings: &workspace.Warnings{}, lines: &lines{}, kinds: targets.Kinds{dir.Kind()}}, map[string]string{"WWW2": "www2"}}
	r.write("mirror.yaml", twoFolders)
	r.write("public/index.html", "one")
	r.write("public/old.html", "old")
	r.publishFrom("state")
	r.write("public/index.html", "two")
	r.write("public/new.html", "new")
	r.remove("public/old.html")
	r.plan(r.open("state"))
	return r
}

func (r *reviewed) open(state string, only ...string) *workspace.Workspace {
	r.t.Helper()
	w, err := workspace.Open(workspace.Options{
		ConfigFile: filepath.Join(r.root, "mirror.yaml"), StateDir: filepath.Join(r.root, state), Kinds: r.kinds, Only: only,
		Getenv: func(name string) string { return r.env[name] }, Events: workspace.NewLines(r.lines), Warnings: r.warnings,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { w.Close() })
	return w
}

func (r *reviewed) file() string { return filepath.Join(r.root, "plan.json") }

func (r *reviewed) remove(name string) {
	r.t.Helper()
	if err := os.RemoveAll(filepath.Join(r.root, name)); err != nil {
		r.t.Fatal(err)
	}
}

func (r *reviewed) publishFrom(state string) {
	r.t.Helper()
	if _, err := r.open(state).Publish(r.t.Context(), workspace.PublishOptions{}); err != nil {
		r.t.Fatal(err)
	}
}

// plan writes the plan of a workspace as it is now.
func (r *reviewed) plan(w *workspace.Workspace) {
	r.t.Helper()
	doc, err := w.PlanPublish(r.t.Context(), workspace.PlanOptions{Digests: true})
	if err != nil {
		r.t.Fatal(err)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		r.t.Fatal(err)
	}
	r.write("plan.json", string(text))
}

// edit changes the plan in the file.
func (r *reviewed) edit(change func(p *reports.Plan)) {
	r.t.Helper()
	var p reports.Plan
	text, err := os.ReadFile(r.file())
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	change(&p)
	text, err = json.Marshal(p)
	if err != nil {
		r.t.Fatal(err)
	}
	r.write("plan.json", string(text))
}

func (r *reviewed) sub(name, old, new string) {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.root, name))
	if err != nil || !strings.Contains(string(text), old) {
		r.t.Fatalf("%s has no %q: %v", name, old, err)
	}
	r.write(name, strings.Replace(string(text), old, new, 1))
}

// live returns what is live on the targets, by path.
func (r *reviewed) live() map[string]string {
	r.t.Helper()
	all := map[string]string{}
	for _, www := range []string{"www1", "www2", "www3"} {
		root := filepath.Join(r.root, www, "current") + "/."
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) || err == nil && entry.IsDir() {
				return nil
			}
			text, err := os.ReadFile(path)
			all[strings.TrimPrefix(path, r.root)] = string(text)
			return err
		})
		if err != nil {
			r.t.Fatal(err)
		}
	}
	return all
}

// TestAPlanIsCarriedOutAsReviewedOrRefused changes one thing after the plan was made. The publish names it
// and changes nothing.
func TestAPlanIsCarriedOutAsReviewedOrRefused(t *testing.T) {
	t.Parallel()
	plan := func(change func(p *reports.Plan)) func(r *reviewed) { return func(r *reviewed) { r.edit(change) } }
	for name, c := range map[string]struct {
		interfere func(r *reviewed)
		only      []string
		want      string
	}{
		"a file of the site has other content": {func(r *reviewed) { r.write("public/index.html", "three") }, nil,
			`site: "index.html" has other content than was planned`},
		"the site has one file more": {func(r *reviewed) { r.write("public/more.html", "more") }, nil,
			`one: "more.html": planned: no change, now: add`},
		"the site has one file less": {func(r *reviewed) { r.remove("public/new.html") }, nil,
			`two: "new.html": planned: add, now: no change`},
		"another publisher made another release live": {func(r *reviewed) {
			r.write("public/index.html", "other")
			r.publishFrom("another")
			r.write("public/index.html", "two")
		}, nil, `is live now`},
		"another publisher made the planned release live": {func(r *reviewed) { r.publishFrom("another") }, nil,
			`one: "new.html": planned: add, now: no change`},
		"one target was published to": {func(r *reviewed) {
			if _, err := r.open("another", "two").Publish(r.t.Context(), workspace.PublishOptions{}); err != nil {
				r.t.Fatal(err)
			}
		}, nil, `two: release `},
		"a release went live and was rolled back, by whose traces the target differs": {func(r *reviewed) {
			r.publishFrom("another")
			if _, err := r.open("another").Rollback(r.t.Context(), workspace.RollbackOptions{}); err != nil {
				r.t.Fatal(err)
			}
		}, nil, ""},
		"a file that is live was changed by hand": {func(r *reviewed) {
			r.write("www2/current/old.html", "tampered")
			r.write("www2/current/extra.html", "x")
		}, nil,
			`two: "extra.html": planned: no change, now: delete`},
		"a live file that stays was lost": {func(r *reviewed) { r.remove("www1/current/index.html") }, nil,
			`one: "index.html": planned: change, now: add`},
		"what was live is gone": {func(r *reviewed) { r.remove("www1") }, nil,
			`none is live now`},
		"a target was added to the config": {func(r *reviewed) {
			r.write("mirror.yaml", twoFolders+"  - {name: three, type: dir, path: ./www3}\n")
		}, nil, `three: the plan does not include it`},
		"a target was removed from the config": {func(r *reviewed) { r.sub("mirror.yaml", "  - {name: one, type: dir, path: ./www1}\n", "") }, nil,
			`one: it was planned, and the publish does not include it`},
		"a target was renamed": {func(r *reviewed) { r.sub("mirror.yaml", "name: one", "name: first") }, nil,
			`first: the same place was called one in the plan`},
		"a name stands for another place": {func(r *reviewed) { r.env["WWW2"] = "www3" }, nil,
			`two: it writes to another place than was planned`},
		"another option in the config": {func(r *reviewed) { r.write("mirror.yaml", twoFolders+"publish: {max_delete: 100%}\n") }, nil,
			`config: it is not the one that the plan was made with`},
		"fewer targets than were planned": {func(*reviewed) {}, []string{"one"},
			`two: it was planned, and the publish does not include it (was it removed from the config, or left out by --target?)`},
		"a plan of one target for two": {func(r *reviewed) { r.plan(r.open("state", "two")) }, nil,
			`one: the plan does not include it`},
		"the order differs": {plan(func(p *reports.Plan) { slices.Reverse(p.Order) }), nil,
			`order: planned: two, one; now: one, two`},
		"the format is newer": {plan(func(p *reports.Plan) { p.Schema = "mirror.plan/v2" }), nil,
			`its schema is "mirror.plan/v2"`},
		"the plan hides a file": {plan(func(p *reports.Plan) { p.Targets[1].Delete = nil }), nil,
			`two: "old.html": planned: no change, now: delete`},
		"the plan lists a file twice": {plan(func(p *reports.Plan) { p.Targets[0].Add = []string{"new.html", "new.html"} }), nil,
			`one: "new.html": planned: add, add, now: add`},
		"the plan has a target twice": {plan(func(p *reports.Plan) { p.Targets = append(p.Targets, p.Targets[0]) }), nil,
			`one: the plan has it twice`},
		"the plan is of another release": {plan(func(p *reports.Plan) { p.Release = "\x1b[31m" }), nil, `site: release `},
		"the plan failed":                {plan(func(p *reports.Plan) { p.Targets[0].Error = "no route" }), nil, `it is incomplete: one failed`},
		"the plan has no config":         {plan(func(p *reports.Plan) { p.Config = "" }), nil, `it does not say with which config it was made`},
		"the file was cut":               {func(r *reviewed) { r.write("plan.json", `{"schema":"mirror.plan/v1","targets":[{`) }, nil, `unexpected end of JSON input`},
		"the file is no plan":            {func(r *reviewed) { r.write("plan.json", `[]`) }, nil, `cannot unmarshal array`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReviewed(t)
			c.interfere(r)
			before := r.live()
			report, err := r.open("state", c.only...).Publish(t.Context(), workspace.PublishOptions{PlanFile: r.file()})
			var changed *planfile.ChangedError
			switch {
			case c.want == "" && err == nil:
				if live := r.live(); live["/www1/current/index.html"] != "two" || live["/www2/current/new.html"] != "new" {
					t.Errorf("got %s, %v", report.Outcome, live)
				}
			case err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &changed) && !errors.Is(err, planfile.ErrInvalid):
				t.Errorf("got %v, want %q", err, c.want)
			case !maps.Equal(r.live(), before):
				t.Errorf("the targets changed: got %v, want %v", r.live(), before)
			}
		})
	}
}

// TestAPlanThatStillHoldsIsCarriedOut publishes from another machine what was planned, and what needs no change.
func TestAPlanThatStillHoldsIsCarriedOut(t *testing.T) {
	t.Parallel()
	r := newReviewed(t)
	for _, want := range []publish.Outcome{publish.Live, publish.Unchanged} {
		report, err := r.open("another").Publish(t.Context(), workspace.PublishOptions{PlanFile: r.file()})
		if err != nil || report.Outcome != want {
			t.Errorf("got %v, %+v, want %s", err, report, want)
		}
		if live := r.live(); live["/www1/current/index.html"] != "two" || live["/www2/current/new.html"] != "new" {
			t.Errorf("got %v", live)
		}
		r.plan(r.open("state"))
	}
	r.write("public/index.html", "three")
	r.plan(r.open("state", "two"))
	report, err := r.open("another", "two").Publish(t.Context(), workspace.PublishOptions{PlanFile: r.file()})
	if live := r.live(); err != nil || report.Outcome != publish.Live || live["/www1/current/index.html"] != "two" || live["/www2/current/index.html"] != "three" {
		t.Errorf("one target: got %v, %v", err, live)
	}
	_, err = r.open("state").Publish(t.Context(), workspace.PublishOptions{PlanFile: r.file() + ".missing"})
	if _, ok := errors.AsType[*workspace.UsageError](err); !ok {
		t.Errorf("a file that is not there: got %v", err)
	}
}
