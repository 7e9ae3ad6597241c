package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A script that passes an unset variable must not do what the command does without the option: publish without the
// reviewed plan, or roll back to another release than the one that was asked for.
func TestEmptyValuesAreUsageErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	a := &app{getenv: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}
	for _, cmd := range commands(a.command()) {
		line := strings.Fields(cmd.CommandPath())[1:]
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !takesText(f) || f.Annotations[mayBeEmpty] != nil {
				return
			}
			refusesEmpty(t, append(line[:len(line):len(line)], "--"+f.Name, ""), "--"+f.Name)
		})
		refusesEmpty(t, append(line[:len(line):len(line)], ""), "argument 1")
	}
}

// commands lists the commands that do something.
func commands(cmd *cobra.Command) (all []*cobra.Command) {
	if cmd.HasParent() && cmd.Runnable() {
		all = append(all, cmd)
	}
	for _, sub := range cmd.Commands() {
		all = append(all, commands(sub)...)
	}
	return all
}

func refusesEmpty(t *testing.T, args []string, named string) {
	t.Helper()
	var stderr strings.Builder
	code := run(t.Context(), args, func(string) string { return "" }, strings.NewReader(""), io.Discard, &stderr)
	if code != exitUsage || !strings.Contains(stderr.String(), named+" is empty") {
		t.Errorf("mirror %q: exit code %d, %q; want %d and that %s is empty", args, code, stderr.String(), exitUsage, named)
	}
}

func TestEmptyPageOfNotFoundIsAllowed(t *testing.T) {
	t.Chdir(t.TempDir())
	var stderr strings.Builder
	code := run(t.Context(), []string{"check", "missing", "http://127.0.0.1:9/", "--not-found", ""}, func(string) string { return "" }, strings.NewReader(""), io.Discard, &stderr)
	if code == exitUsage && strings.Contains(stderr.String(), "is empty") {
		t.Errorf("an empty --not-found is refused: %s", stderr.String())
	}
}
