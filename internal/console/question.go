package console

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"mirror/reports"
)

// shownForeign is how many files the question lists.
const shownForeign = 10

// AskAdoption returns who decides on a place that holds files of others: a person, where stdin
// and stderr are terminals, else nil.
func (c Console) AskAdoption(say func(format string, args ...any)) func(ctx context.Context, destination string, foreign []string) (bool, error) {
	_, in := Terminal(c.Stdin)
	_, out := Terminal(c.Stderr)
	if !in || !out {
		return nil
	}
	if c.Quiet { // a question is asked all the same
		say = func(format string, args ...any) { fmt.Fprintln(c.Stderr, reports.Clean(fmt.Sprintf(format, args...))) }
	}
	return func(ctx context.Context, destination string, foreign []string) (bool, error) {
		say("no publish has used %s before, and it holds other files:", destination)
		for _, path := range foreign[:min(len(foreign), shownForeign)] {
			say("  %q", path)
		}
		if n := len(foreign) - shownForeign; n > 0 {
			say("  … and %d more", n)
		}
		say("Delete all %d of them? (y/N)", len(foreign))
		return c.confirmed(ctx)
	}
}

// confirmed reads the answer to a question, which is no unless it is y or yes.
func (c Console) confirmed(ctx context.Context) (bool, error) {
	answer := make(chan string, 1)
	go func() { // reading from a terminal cannot be interrupted: it is left behind
		line, _ := bufio.NewReader(io.LimitReader(c.Stdin, 1<<10)).ReadString('\n') // an end is a no
		answer <- line
	}()
	select {
	case line := <-answer:
		line = strings.ToLower(strings.TrimSpace(line))
		return line == "y" || line == "yes", nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}
