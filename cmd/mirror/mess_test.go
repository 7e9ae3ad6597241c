package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// mostMemory is what a check may take, in bytes, whatever its origins do.
const mostMemory = 256 << 20

// mess is a folder with a site and a config for the hostile origins.
type mess struct {
	t    *testing.T
	dir  string
	env  []string
	site map[string]string
}

// newMess writes the site, and a config with each origin as a target of its own.
func newMess(t *testing.T, site map[string]string, origins map[string]string, env ...string) *mess {
	t.Helper()
	m := &mess{t: t, dir: t.TempDir(), env: append(os.Environ(), env...), site: site}
	for path, text := range site {
		file := filepath.Join(m.dir, "public", path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := "version: 1\nsite: {dir: public, not_found: 404.html}\ncheck: {timeout: 1m, concurrency: 16, rate: 0}\ntargets:\n"
	for name, base := range origins {
		config += fmt.Sprintf("  - {name: %s, type: dir, path: www/%s, origin: {url: %q}}\n", name, name, base+"/")
	}
	if err := os.WriteFile(filepath.Join(m.dir, "mirror.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return m
}

// within gives the origins less time for an answer.
func (m *mess) within(timeout string) *mess {
	m.t.Helper()
	file := filepath.Join(m.dir, "mirror.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte("timeout: 1m"), []byte("timeout: "+timeout), 1), 0o600); err != nil {
		m.t.Fatal(err)
	}
	return m
}

// finding is what a check says, as JSON.
type finding struct {
	Origins []struct {
		Name, State, Error string
	}
	Drift []struct {
		Origin, Path, Kind, Detail string
	}
}

// kinds returns the kinds of drift of an origin's pages, or its state.
func (f finding) kinds(origin string) string {
	var kinds []string
	for _, d := range f.Drift {
		if d.Origin == origin && !strings.Contains(d.Detail, "does not exist") {
			kinds = append(kinds, d.Kind)
		}
	}
	slices.Sort(kinds)
	for _, o := range f.Origins {
		if o.Name == origin && len(kinds) == 0 {
			return o.State
		}
	}
	return strings.Join(slices.Compact(kinds), " ")
}

// why returns what is said of an origin.
func (f finding) why(origin string) string {
	var all strings.Builder
	for _, o := range f.Origins {
		if o.Name == origin {
			fmt.Fprintf(&all, "%s %s; ", o.State, o.Error)
		}
	}
	for _, d := range f.Drift {
		if d.Origin == origin {
			fmt.Fprintf(&all, "%s %s %s; ", d.Kind, d.Path, d.Detail)
		}
	}
	return all.String()
}

// check looks at the origins alone.
func (m *mess) check(args ...string) (code int, stdout []byte) {
	m.t.Helper()
	return m.run(append([]string{"check", "--live-only"}, args...)...)
}

// checkLimit is how long a check may take, however its origins hang, on a busy machine.
const checkLimit = 5 * time.Minute

// run runs the whole program. It wants an end, little memory, and nothing raw in what is
// printed.
func (m *mess) run(args ...string) (code int, stdout []byte) {
	m.t.Helper()
	path, err := binary()
	if err != nil {
		m.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), checkLimit)
	defer cancel()
	var out, errOut bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = m.dir, m.env, &out, &errOut
	began := time.Now()
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	memory := watchMemory(cmd.Process.Pid)
	err = cmd.Wait()
	took := time.Since(began)
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		m.t.Fatal(err)
	}
	peak := memory()
	m.t.Logf("%v: took %s, %d MiB at most; %s", args, took.Round(time.Millisecond), peak>>20, errOut.Bytes())
	if ctx.Err() != nil {
		m.t.Errorf("%v: no end after %s", args, took)
	}
	if unseen := peak == 0 && took > 10*time.Second; unseen || peak > mostMemory {
		m.t.Errorf("%v: %d MiB of memory", args, peak>>20)
	}
	m.printable("stdout", out.Bytes())
	m.printable("stderr", errOut.Bytes())
	return cmd.ProcessState.ExitCode(), out.Bytes()
}

// watchMemory follows the most memory that a process has had, until it is asked for it. What
// the kernel tells of an ended process counts this one in, which it was forked from.
func watchMemory(pid int) (peak func() int64) {
	done, result := make(chan struct{}), make(chan int64)
	go func() {
		var most int64
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			most = max(most, peakOf(pid))
			select {
			case <-tick.C:
			case <-done:
				result <- most
				return
			}
		}
	}()
	return func() int64 { close(done); return <-result }
}

// peakOf reads it; 0 where the process has ended.
func peakOf(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kilobytes, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes << 10
}

// printable fails for what could drive a terminal.
func (m *mess) printable(where string, text []byte) {
	m.t.Helper()
	for line := range bytes.Lines(text) {
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")) // as CSV ends its lines
		raw := bytes.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) })
		if raw || !utf8.Valid(line) {
			m.t.Errorf("%s has something raw: %q", where, line)
		}
	}
}
