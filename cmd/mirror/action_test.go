package main

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"mirror/internal/longtest"
	"mirror/internal/realserver"
)

// action is what the runner reads of action.yml.
type action struct {
	Inputs  map[string]struct{ Description, Default string }
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []struct {
			ID, Uses, Run, Shell string
			Env, With            map[string]string
			WorkingDirectory     string `yaml:"working-directory"`
		}
	}
}

// TestActionFile checks what no linter checks of an action.
func TestActionFile(t *testing.T) {
	text, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`inputs\.([\w-]+)`).FindAllStringSubmatch(string(text), -1) {
		used[m[1]] = true
	}
	if got, want := slices.Sorted(maps.Keys(used)), slices.Sorted(maps.Keys(a.Inputs)); !slices.Equal(got, want) {
		t.Errorf("inputs: got %v, want %v", got, want)
	}
	ids := map[string]bool{}
	for _, s := range a.Runs.Steps {
		ids[s.ID] = true
		switch {
		case strings.Contains(s.Run, "${{"):
			t.Errorf("%q: an expression in a script is read as a script", s.Run)
		case s.Run != "" && s.Shell != "bash":
			t.Errorf("%q: a step of an action says its shell", s.Run)
		case s.Uses != "" && !regexp.MustCompile(`^[\w-]+/[\w-]+@v\d+$`).MatchString(s.Uses):
			t.Errorf("%q is not pinned to a major version", s.Uses)
		}
	}
	for name, o := range a.Outputs {
		m := regexp.MustCompile(`^\$\{\{ steps\.(\w+)\.outputs\.([\w-]+) \}\}$`).FindStringSubmatch(o.Value)
		if m == nil || !ids[m[1]] || m[2] != name {
			t.Errorf("output %s: %q is no output of a step", name, o.Value)
		}
	}
	if a.Runs.Using != "composite" || len(a.Runs.Steps) == 0 {
		t.Errorf("got %+v", a.Runs)
	}
}

// step is one run of the action's script, as the runner would run it.
type step struct {
	code            int
	log             string
	output, summary string
}

// runAction runs the action in dir with the real program.
func runAction(t *testing.T, dir string, inputs map[string]string) step {
	t.Helper()
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("../../ci/action")
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	if err := os.Mkdir(filepath.Join(temp, "mirror-bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(temp, "mirror-bin/mirror")); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"RUNNER_TEMP": temp, "GITHUB_ACTIONS": "true",
		"GITHUB_OUTPUT": filepath.Join(temp, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(temp, "summary"),
		"COMMAND": "check", "CONFIG": "", "SITE": "", "URLS": "", "ARGS": "", "ANNOTATIONS": "true", "SUMMARY": "true", "SARIF": "", "JUNIT": "", "JSON": "",
		"HOME": temp, "PATH": os.Getenv("PATH"),
	}
	maps.Copy(env, inputs)
	cmd := exec.CommandContext(t.Context(), "bash", script, "run")
	cmd.Dir = dir
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	log, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() < 0) {
		t.Fatal(err)
	}
	output, _ := os.ReadFile(env["GITHUB_OUTPUT"]) // "" is what the test then sees
	summary, _ := os.ReadFile(env["GITHUB_STEP_SUMMARY"])
	return step{cmd.ProcessState.ExitCode(), string(log), string(output), string(summary)}
}

// obeyed lists the commands that the runner takes from a log: none between stop-commands and
// its token.
func (s step) obeyed() []string {
	var commands []string
	token := ""
	for line := range strings.Lines(s.log) {
		line = strings.TrimSpace(line)
		stop, stopped := strings.CutPrefix(line, "::stop-commands::")
		switch {
		case token != "" && line == "::"+token+"::":
			token = ""
		case token != "":
		case stopped:
			token = stop
		case strings.HasPrefix(line, "::") || strings.Contains(line, "##["):
			commands = append(commands, line)
		}
	}
	if token != "" {
		commands = append(commands, "commands stay stopped")
	}
	return commands
}

// liveSite writes a config with one target, whose origin is live.
func liveSite(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(dir, "www/current"))))
	t.Cleanup(server.Close)
	config := fmt.Sprintf("version: 1\nsite: {dir: public}\ntargets:\n  - {name: one, type: dir, path: www, origin: {url: %q}}\ncheck: {rate: 0}\n", server.URL+"/")
	page := filepath.Join(dir, "public", "##[error]x.html")
	for _, err := range []error{
		os.Mkdir(filepath.Join(dir, "public"), 0o755),
		os.WriteFile(filepath.Join(dir, "site.yaml"), []byte(config), 0o644),
		os.WriteFile(page, []byte("first"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAction(t *testing.T) {
	longtest.Skip(t, "runs the action many times")
	for _, program := range []string{"bash", "od"} {
		realserver.Need(t, program)
	}
	dir := liveSite(t)
	want := func(s step, code int, outcome string, commands ...string) {
		t.Helper()
		if s.code != code || s.output != fmt.Sprintf("agree=%v\noutcome=%s\nexit-code=%d\n", code == 0, outcome, code) {
			t.Fatalf("got exit code %d and %q, want %d and %s; the log:\n%s", s.code, s.output, code, outcome, s.log)
		}
		got := s.obeyed()
		if !slices.EqualFunc(got, commands, strings.HasPrefix) {
			t.Errorf("the runner obeys %q, want %q", got, commands)
		}
	}
	published := runAction(t, dir, map[string]string{"COMMAND": "publish", "CONFIG": "site.yaml"})
	want(published, 0, "live")
	for _, part := range []string{"✅ Release", "| <code>one</code> | ok |", "| <code>one</code> | agree |", "window"} {
		if !strings.Contains(published.summary, part) {
			t.Errorf("summary without %q: got %q", part, published.summary)
		}
	}
	agree := runAction(t, dir, map[string]string{"CONFIG": "site.yaml"})
	want(agree, 0, "agree")
	if err := os.WriteFile(filepath.Join(dir, "public/staged.html"), []byte("later"), 0o644); err != nil {
		t.Fatal(err)
	}
	staged := runAction(t, dir, map[string]string{"COMMAND": "publish", "CONFIG": "site.yaml", "ARGS": "--stage-only"})
	if staged.code != 0 || staged.output != "agree=false\noutcome=staged\nexit-code=0\n" || !strings.Contains(staged.summary, "is staged on") {
		t.Errorf("staged: got %d, %q, %q", staged.code, staged.output, staged.summary)
	}
	if err := os.Remove(filepath.Join(dir, "public/staged.html")); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(agree.summary, "The origin serves") {
		t.Errorf("summary: got %q", agree.summary)
	}
	config, err := os.ReadFile(filepath.Join(dir, "site.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	url := regexp.MustCompile(`http://[0-9.:]+/`).FindString(string(config))
	const noCheck = "::error title=mirror check::no check was made (exit code 2)"
	want(runAction(t, dir, map[string]string{"SITE": "public", "URLS": "\t" + url + "\r\n\n"}), 0, "agree")
	want(runAction(t, dir, map[string]string{"SITE": "$(touch injected)", "URLS": url + "  " + url}), 2, "usage", noCheck)
	want(runAction(t, dir, map[string]string{"SITE": "--version", "URLS": url}), 2, "usage", noCheck)

	if err := os.WriteFile(filepath.Join(dir, "www/current", "##[error]x.html"), []byte("hacked"), 0o644); err != nil {
		t.Fatal(err)
	}
	drift := runAction(t, dir, map[string]string{"CONFIG": "site.yaml", "ARGS": "--live-only\r\n\n--quiet", "SARIF": "a b.sarif", "JUNIT": "$(id).xml", "JSON": "`x`.json"})
	want(drift, 1, "drift", "::error title=mirror%3A one%3A 1 altered::")
	host := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"), ":", "%3A")
	want(runAction(t, dir, map[string]string{"SITE": "public", "URLS": url}), 1, "drift", "::error title=mirror%3A "+host+"%3A 1 altered::")
	for _, name := range []string{"a b.sarif", "$(id).xml", "`x`.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	silent := runAction(t, dir, map[string]string{"CONFIG": "site.yaml", "ANNOTATIONS": "false", "SUMMARY": "false"})
	want(silent, 1, "drift")
	if silent.summary != "" {
		t.Errorf("summary: got %q", silent.summary)
	}
	want(runAction(t, dir, map[string]string{"CONFIG": "no.yaml; touch injected"}), 2, "usage", noCheck)
	want(runAction(t, dir, map[string]string{"CONFIG": "##[error]no.yaml"}), 2, "usage", noCheck)
	want(runAction(t, dir, map[string]string{"COMMAND": "check; touch injected"}), 2, "usage", "::error title=mirror::")
	if _, err := os.Stat(filepath.Join(dir, "injected")); err == nil {
		t.Error("an input was run as a script")
	}
}
