package console

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"mirror/internal/watch"
	"mirror/reports"
)

// redraw is how often a table is drawn.
const redraw = 250 * time.Millisecond

// Table is the state of a watch, drawn over itself on a terminal. Elsewhere it is
// never drawn.
type Table struct {
	out   io.Writer // nil for none
	style reports.Style
	began time.Time
	lines int
}

// Table returns the table of a watch that began then.
func (c Console) Table(began time.Time, style reports.Style) *Table {
	t := &Table{began: began}
	if _, ok := Terminal(c.Stderr); ok && !c.Quiet {
		t.out, t.style = c.Stderr, c.Style(c.Stderr, style)
	}
	return t
}

// Settler is a watch that goes on.
type Settler interface {
	// Settle waits until the named origins have settled, or ctx ends, and returns those that have not.
	Settle(ctx context.Context, names []string) (late []string)
	// Progress tells how far each origin has come.
	Progress() []watch.Progress
}

// Settle waits until the watch w has settled at the named origins or ctx ends, and draws meanwhile how
// far it has come. It returns the origins that are late and how far each origin had come at the end.
func (t *Table) Settle(ctx context.Context, w Settler, names []string) (late []string, end []watch.Progress) {
	settled := make(chan []string, 1)
	go func() { settled <- w.Settle(ctx, names) }()
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		select {
		case late = <-settled:
			return late, w.Progress()
		case <-tick.C:
			t.draw(w.Progress())
		}
	}
}

func (t *Table) draw(all []watch.Progress) {
	if t.out == nil {
		return
	}
	doc := reports.Watching{Elapsed: time.Since(t.began)}
	for _, s := range all {
		doc.Origins = append(doc.Origins, reports.WatchingOrigin{Name: s.Name, Release: s.Claim, Heard: s.Heard, New: s.New, All: s.All, Settled: s.Settled})
	}
	var b bytes.Buffer
	if doc.Text(&b, t.style) != nil {
		return // nothing but a buffer was written to
	}
	t.Clear()
	t.lines = bytes.Count(b.Bytes(), []byte("\n"))
	_, _ = t.out.Write(b.Bytes()) // a closed terminal is no reason to stop
}

// Clear takes the table away.
func (t *Table) Clear() {
	if t.out != nil && t.lines > 0 {
		fmt.Fprintf(t.out, "\x1b[%dA\x1b[J", t.lines)
		t.lines = 0
	}
}
