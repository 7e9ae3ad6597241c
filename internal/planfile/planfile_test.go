package planfile_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/planfile"
	"mirror/reports"
)

// plan is one of a site on two targets.
func plan() reports.Plan {
	return reports.Plan{
		Schema: reports.PlanSchema, Release: "aa", Config: "cc", Content: map[string]string{"a.html": "1"},
		Targets: []reports.PlanTarget{
			{Name: "one", Type: "dir", Revision: "r1", Place: "p1", Add: []string{"a.html"}, Metadata: []reports.PlanMetadata{{Path: "m", Detail: "none → x"}}},
			{Name: "two", Type: "s3", Revision: "r2", Place: "p2", Delete: []string{"old.html"}},
		},
		Order: []reports.PlanStep{{Name: "one", After: 7}, {Name: "two", Barrier: true}},
	}
}

// TestWhatIsNoPlanIsRefused reads files that a pull request could have.
func TestWhatIsNoPlanIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "null": "null", "array": "[]", "number": "1", "cut": `{"schema":"mirror.plan/v1"`, "two": `{} {}`,
		"deep": strings.Repeat("[", 1<<16), "deep inside": `{"schema":"mirror.plan/v1","targets":` + strings.Repeat("[", 1<<16),
		"no targets": `{"schema":"mirror.plan/v1","config":"c"}`, "no config": `{"schema":"mirror.plan/v1","targets":[{}]}`,
		"another schema": `{"schema":"` + strings.Repeat("x", 1<<16) + `\u001b[31m"}`, "wrong types": `{"schema":"mirror.plan/v1","config":1,"targets":{}}`,
		"a failure": `{"schema":"mirror.plan/v1","config":"c","error":"no route","targets":[{}]}`,
	} {
		file := filepath.Join(t.TempDir(), "plan.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := planfile.Read(file); !errors.Is(err, planfile.ErrInvalid) || len(err.Error()) > 2000 {
			t.Errorf("%s: got %.3000v", name, err)
		}
	}
	if _, err := planfile.Read(t.TempDir()); err == nil {
		t.Error("a folder is read")
	}
}

// TestAnErrorIsBounded compares with plans that have much more than the publish, under names that would act on a
// terminal or forge lines.
func TestAnErrorIsBounded(t *testing.T) {
	reviewed := plan()
	evil := "x\x1b[31m\n::error::forged " + strings.Repeat("y", 1000)
	for i := range 500 {
		reviewed.Targets = append(reviewed.Targets, reports.PlanTarget{Name: evil}, reports.PlanTarget{Name: fmt.Sprint(evil, i)})
		reviewed.Targets[0].Delete = append(reviewed.Targets[0].Delete, fmt.Sprint(evil, i))
	}
	reviewed.Order = append(reviewed.Order, reports.PlanStep{Name: evil})
	reviewed.Release, reviewed.Targets[0].Type, reviewed.Config = "\x1b[31m\n", evil, evil
	err := planfile.Compare(reviewed, plan(), planfile.Options{})
	var changed *planfile.ChangedError
	if !errors.As(err, &changed) || len(changed.Differences) > 61 || len(err.Error()) > 30_000 {
		t.Fatalf("got %.2000v", err)
	}
	for _, d := range changed.Differences {
		if strings.HasPrefix(d, "::error") || strings.ContainsAny(d, "\n\x1b") {
			t.Errorf("got %q", d)
		}
	}
}

// TestTheTimesBetweenCommitsAreNotCompared nor is the barrier, for a publish that does not watch.
func TestTheTimesBetweenCommitsAreNotCompared(t *testing.T) {
	reviewed := plan()
	reviewed.Order[0].After, reviewed.Order[0].Reason = 900, "as measured"
	reviewed.Targets[0].Kept = []string{"uploads/1.png"}
	reviewed.Warnings = []string{"one: slow"}
	if err := planfile.Compare(reviewed, plan(), planfile.Options{}); err != nil {
		t.Error(err)
	}
	reviewed.Order[1].Barrier = false
	if err := planfile.Compare(reviewed, plan(), planfile.Options{Unwatched: true}); err != nil {
		t.Error(err)
	}
	if err := planfile.Compare(reviewed, plan(), planfile.Options{}); err == nil || !strings.Contains(err.Error(), "order: planned: one, two; now: one, two behind the barrier") {
		t.Errorf("the barrier: got %v", err)
	}
}

// TestAPathThatIsNotUTF8 is written to JSON with other characters, and is the same path still.
func TestAPathThatIsNotUTF8(t *testing.T) {
	now := plan()
	now.Targets[0].Add = []string{"caf\xe9\xff.html"}
	text, err := json.Marshal(now)
	if err != nil {
		t.Fatal(err)
	}
	var reviewed reports.Plan
	if err := json.Unmarshal(text, &reviewed); err != nil {
		t.Fatal(err)
	}
	if err := planfile.Compare(reviewed, now, planfile.Options{}); err != nil {
		t.Error(err)
	}
}

// FuzzCompare never panics, and finds no difference only where the targets do the same.
func FuzzCompare(f *testing.F) {
	text, err := json.Marshal(plan())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"targets":[{"name":"one"},{"name":"one","add":["a","a"]}],"order":[{}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var reviewed reports.Plan
		if json.Unmarshal(text, &reviewed) != nil {
			return
		}
		if planfile.Compare(reviewed, plan(), planfile.Options{}) == nil && (len(reviewed.Targets) != 2 || reviewed.Release != "aa" || len(reviewed.Targets[1].Delete) != 1) {
			t.Errorf("no difference is found in %+v", reviewed)
		}
	})
}
