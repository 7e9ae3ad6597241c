package workspace

import (
	"fmt"
	"io"
	"sync"
	"time"

	"mirror/diff"
	"mirror/internal/humanize"
	"mirror/internal/publish"
	"mirror/reports"
	"mirror/targets"
)

// Events hears what a use-case does.
type Events interface {
	publish.Events
	// Line tells a person one thing.
	Line(format string, args ...any)
	// Hashing returns the function that is told of the files that a scan has read, or nil.
	Hashing() func(files int, bytes int64)
	// Checking says how far the check of one origin has come.
	Checking(origin string, done, total int)
	// Waiting says how an origin stands that is waited for.
	Waiting(v diff.OriginVerdict)
}

// Lines tells what a use-case does in plain lines.
type Lines struct {
	out io.Writer

	mu     sync.Mutex           // guards waited
	waited map[string]time.Time // when it was last said of an origin that it is waited for
}

// NewLines writes to out.
func NewLines(out io.Writer) *Lines { return &Lines{out: out, waited: map[string]time.Time{}} }

// Line prints a line.
func (l *Lines) Line(format string, args ...any) {
	fmt.Fprint(l.out, reports.Clean(fmt.Sprintf(format, args...))+"\n")
}

// Phase names the phase that begins.
func (l *Lines) Phase(name string) { l.Line("%s", name) }

// Note tells of a destination what no error says.
func (l *Lines) Note(destination, text string) { l.Line("  %s: %s", destination, text) }

// Hashing returns nil: a scan is told of when it is done.
func (l *Lines) Hashing() func(files int, bytes int64) { return nil }

// Checking says nothing: the report has the sum.
func (l *Lines) Checking(string, int, int) {}

// Staging says once what a stage sends.
func (l *Lines) Staging(destination string) targets.Progress { return &stageLines{l, destination} }

type stageLines struct {
	lines *Lines
	name  string
}

// Expect says it.
func (s *stageLines) Expect(files int, bytes int64) {
	if files > 0 {
		s.lines.Line("  %s: %s to send, %s", s.name, humanize.Plural(files, "file"), humanize.Bytes(bytes))
	}
}

// Sent says nothing: the report has the sum.
func (s *stageLines) Sent(int, int64) {}

// sayWaiting is how often it is said that an origin is waited for, and sayFirst after how long first.
const (
	sayWaiting = 10 * time.Second
	sayFirst   = 3 * time.Second
)

// Waiting says now and then what an origin that is waited for still lacks.
func (l *Lines) Waiting(v diff.OriginVerdict) {
	l.mu.Lock()
	last, again := l.waited[v.Name]
	due := time.Since(last) > sayWaiting
	if due {
		l.waited[v.Name] = time.Now()
	}
	l.mu.Unlock()
	switch {
	case !due || !again: // the first look in vain is no news
	case v.Err != nil:
		l.Line("  still waiting for %s: %v", v.Name, v.Err)
	case len(v.Differences) > 0:
		first := v.Differences[0]
		l.Line("  still waiting for %s: %s, such as %s %q: %s", v.Name, humanize.Plural(diff.PagesOf(v.Differences), "difference"), first.Kind, first.Path, first.Detail)
	}
}
