package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mirror/targets/kinds"
)

// TestDeployedCommands holds the units and the container recipe to flags that there are.
func TestDeployedCommands(t *testing.T) {
	found := 0
	for _, args := range deployed(t) {
		found++
		a := &app{kinds: kinds.All(), getenv: os.Getenv, stdin: strings.NewReader(""), stdout: &strings.Builder{}, stderr: &strings.Builder{}}
		cmd, rest, err := a.command().Find(args)
		if err == nil {
			err = cmd.ParseFlags(rest)
		}
		isSite := len(cmd.Flags().Args()) == 1 && cmd.Flags().Arg(0) == "$MIRROR_SERVE"
		if err != nil || cmd.Name() != args[0] || len(cmd.Flags().Args()) > 0 && !isSite {
			t.Errorf("%q: %v, %v", args, err, cmd.Flags().Args())
		}
	}
	if found != 9 {
		t.Errorf("found %d commands", found)
	}
}

// deployed lists the arguments that mirror is started with below deploy.
func deployed(t *testing.T) (all [][]string) {
	t.Helper()
	for _, name := range []string{"mirror-daemon.service", "mirror-check.service", "mirror-front.service", "mirror-serve.service"} {
		for _, line := range regexp.MustCompile(`(?m)^ExecStart=\S*/mirror (.*)$`).FindAllStringSubmatch(deployFile(t, name), -1) {
			all = append(all, strings.Fields(line[1]))
		}
	}
	all = append(all, strings.Fields(regexp.MustCompile(`(?m)^Exec=(.*)$`).FindStringSubmatch(deployFile(t, "quadlet/mirror-front.container"))[1]))
	for _, line := range regexp.MustCompile(`(?m)^    command: \[(.*)\]$`).FindAllStringSubmatch(deployFile(t, "compose.yaml"), -1) {
		var words []string
		for word := range strings.SplitSeq(line[1], ", ") {
			words = append(words, strings.Trim(word, `"`))
		}
		all = append(all, words)
	}
	for _, line := range regexp.MustCompile(`(?m)^\s*CMD (\[.*\])$`).FindAllStringSubmatch(deployFile(t, "Containerfile"), -1) {
		var words []string
		if err := json.Unmarshal([]byte(line[1]), &words); err != nil {
			t.Fatal(err)
		}
		if words[0] == "/mirror" {
			words = words[1:]
		}
		all = append(all, words)
	}
	return all
}

func deployFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestUnitsAreSound asks systemd what it thinks of them.
func TestUnitsAreSound(t *testing.T) {
	program, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd is not installed")
	}
	mirror, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	units := []string{
		"mirror-daemon.service", "mirror-check.service", "mirror-check.timer",
		"mirror-front.service", "mirror-front.socket", "mirror-front-redirect.socket", "mirror-serve.service", "mirror-serve.socket",
	}
	for _, name := range units {
		unit := filepath.Join(dir, name)
		text := strings.ReplaceAll(deployFile(t, name), "/usr/local/bin/mirror", mirror)
		if err := os.WriteFile(unit, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		append([]string{"verify"}, units...),
		{"security", "--offline=true", "--threshold=20", "mirror-daemon.service"}, // tenths: 2.0 of 10
		{"security", "--offline=true", "--threshold=20", "mirror-check.service"},
		{"security", "--offline=true", "--threshold=20", "mirror-front.service"},
		{"security", "--offline=true", "--threshold=20", "mirror-serve.service"},
	} {
		for i, arg := range args {
			if strings.HasPrefix(arg, "mirror-") {
				args[i] = filepath.Join(dir, arg)
			}
		}
		if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
			t.Errorf("systemd-analyze %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
