package bench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"mirror/internal/benchsite"
	"mirror/internal/secrets"
	"mirror/internal/workspace"
	"mirror/targets/kinds"
)

// publishConfig has this test's own program be `mirror publish --no-verify` with the config that it names, where
// MIRROR_BINARY names no program.
const publishConfig = "MIRROR_TEST_PUBLISH_CONFIG"

func TestMain(m *testing.M) {
	if config := os.Getenv(publishConfig); config != "" {
		if err := publish(config); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if list := os.Getenv(loopList); list != "" {
		os.Exit(loop(list))
	}
	os.Exit(m.Run())
}

func publish(config string) error {
	w, err := workspace.Open(workspace.Options{
		ConfigFile: config, Kinds: kinds.All(), Getenv: os.Getenv, Log: slog.New(slog.DiscardHandler), Events: workspace.NewLines(io.Discard),
		Output: io.Discard, Secrets: secrets.New(), Warnings: &workspace.Warnings{},
	})
	if err != nil {
		return err
	}
	defer w.Close()
	_, err = w.Publish(context.Background(), workspace.PublishOptions{NoVerify: true})
	return err
}

// mirrorTool is mirror with a config that has the targets; open starts the server and fills them in.
func mirrorTool(open func(e *Entry) (targets string, place Place)) Tool {
	version := ""
	if program := os.Getenv("MIRROR_BINARY"); program != "" {
		version = program + " version"
	}
	return Tool{Name: "mirror", Version: version, Open: func(e *Entry) Place {
		dir := e.TempDir()
		targets, place := open(e)
		config := filepath.Join(dir, "mirror.yaml")
		text := fmt.Sprintf("version: 1\nsite: {dir: %q}\npublish: {max_delete: 100%%}\ncheck: {rate: 0}\ntargets:\n%s", e.Site, targets)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			e.Fatal(err)
		}
		place.Publish = func(step string) Command {
			return mirrorCommand(dir, step, "TEST_ACCESS=mirror-test", "TEST_SECRET=mirror-test-secret")
		}
		place.Before = func(step string) error {
			if step != stepFresh {
				return nil
			}
			return os.RemoveAll(filepath.Join(dir, ".mirror"))
		}
		return place
	}}
}

func mirrorCommand(dir, step string, env ...string) Command {
	program := os.Getenv("MIRROR_BINARY")
	switch {
	case program == "" && step == stepVerified:
		return Command{}
	case program == "":
		return Command{Line: "exec " + os.Args[0], Dir: dir, Env: append(env, publishConfig+"="+filepath.Join(dir, "mirror.yaml"))}
	case step == stepVerified:
		return Command{Line: "exec " + program + " publish -q", Dir: dir, Env: env}
	}
	return Command{Line: "exec " + program + " publish -q --no-verify", Dir: dir, Env: env}
}

// The steps of a contest, in their order.
const (
	stepCold      = "cold"
	stepUntouched = "untouched"
	stepChanged   = "1 % changed"
	stepFresh     = "1 % changed, fresh runner"
	stepRebuilt   = "rebuilt"
	stepVerified  = "1 % changed, verified"
)

// steps are those that every kind has, on a site of a shape, and a further one that not every kind has. What not every tool does
// comes last: the others would have more to do in the step after it.
func steps(shape benchsite.Shape, further ...string) []Step {
	change := func(dir string, n int) error { return shape.Change(dir, n) }
	rebuild := func(dir string, _ int) error { return benchsite.Rebuild(dir, time.Now()) }
	all := []Step{{Name: stepCold}, {Name: stepUntouched}, {Name: stepChanged, Change: change}, {Name: stepRebuilt, Change: rebuild}}
	for _, name := range further {
		all = append(all, Step{Name: name, Change: change})
	}
	return all
}

// full reports whether this is `make bench`, and how many rounds it has.
func full(t *testing.T) (rounds int) {
	t.Helper()
	if os.Getenv("MIRROR_BENCH") == "" {
		t.Skip("takes minutes: make bench")
	}
	rounds, err := strconv.Atoi(os.Getenv("MIRROR_BENCH"))
	if err != nil || rounds < 1 {
		t.Fatalf("MIRROR_BENCH=%s: must be the number of rounds", os.Getenv("MIRROR_BENCH"))
	}
	return rounds
}

// fullContest plays the rounds of `make bench` on the site of docs/performance.md and prints their table.
func fullContest(t *testing.T, title string, further []string, tools ...Tool) {
	t.Helper()
	rounds, dir := full(t), filepath.Join(t.TempDir(), "site")
	if err := benchsite.Full.Write(dir); err != nil {
		t.Fatal(err)
	}
	c := &Contest{Site: dir, Steps: steps(benchsite.Full, further...), Tools: tools, Rounds: rounds}
	c.Run(t)
	c.Write(results(t), title)
}

// results is where tables go: the file that MIRROR_BENCH_RESULTS names, and standard output.
func results(t *testing.T) io.Writer {
	t.Helper()
	name := os.Getenv("MIRROR_BENCH_RESULTS")
	if name == "" {
		return os.Stdout
	}
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	return io.MultiWriter(file, os.Stdout)
}

// peer is a tool that needs a program, which is looked for in PATH.
func peer(name, program, version string, open func(e *Entry) Place) Tool {
	tool := Tool{Name: name, Version: version, Open: open}
	if _, err := exec.LookPath(program); err != nil {
		tool.Missing = program
	}
	return tool
}

// always is a Place.Publish of one command for all steps that every tool takes.
func always(c Command) func(step string) Command {
	return func(step string) Command {
		if step == stepVerified {
			return Command{}
		}
		return c
	}
}
