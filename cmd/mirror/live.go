package main

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"mirror/internal/watch"
	"mirror/reports"
)

// redraw is how often the live table is drawn.
const redraw = 250 * time.Millisecond

// liveTable is the state of a watch, drawn over itself on a terminal. Elsewhere it is
// never drawn.
type liveTable struct {
	out   io.Writer // nil for none
	style reports.Style
	began time.Time
	lines int
}

func (a *app) liveTable(began time.Time) *liveTable {
	l := &liveTable{began: began}
	if _, ok := terminal(a.stderr); ok && !a.quiet {
		l.out, l.style = a.stderr, a.style(a.stderr)
	}
	return l
}

func (l *liveTable) draw(all []watch.Progress) {
	if l.out == nil {
		return
	}
	doc := reports.Watching{Elapsed: time.Since(l.began)}
	for _, s := range all {
		doc.Origins = append(doc.Origins, reports.WatchingOrigin{Name: s.Name, Release: s.Claim, Heard: s.Heard, New: s.New, All: s.All, Settled: s.Settled})
	}
	var b bytes.Buffer
	if doc.Text(&b, l.style) != nil {
		return // nothing but a buffer was written to
	}
	l.clear()
	l.lines = bytes.Count(b.Bytes(), []byte("\n"))
	_, _ = l.out.Write(b.Bytes()) // a closed terminal is no reason to stop
}

// clear takes the table away.
func (l *liveTable) clear() {
	if l.out != nil && l.lines > 0 {
		fmt.Fprintf(l.out, "\x1b[%dA\x1b[J", l.lines)
		l.lines = 0
	}
}
