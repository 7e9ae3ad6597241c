package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"mirror/diff"
	"mirror/internal/humanize"
	"mirror/reports"
	"mirror/targets"
)

// display shows on stderr what goes on: bars on a terminal, plain lines elsewhere, nothing
// with --quiet.
type display struct {
	out   io.Writer
	scrub func(string) string
	bars  *mpb.Progress // nil where lines are shown

	mu       sync.Mutex
	byOrigin map[string]*mpb.Bar
	waited   map[string]time.Time // when it was last said of an origin that it is waited for
	staged   []*stageMeter
	hash     *mpb.Bar
}

// display opens the display. Close it before anything else is printed.
func (a *app) display() *display {
	d := &display{out: a.stderr, scrub: a.secrets.Scrub, byOrigin: map[string]*mpb.Bar{}, waited: map[string]time.Time{}}
	if a.quiet {
		d.out = io.Discard
		return d
	}
	if _, ok := terminal(a.stderr); ok {
		d.bars = mpb.New(mpb.WithOutput(unwrapped(a.stderr)), mpb.WithWidth(40))
	}
	return d
}

// Close takes the bars away.
func (d *display) Close() {
	if d.bars == nil {
		return
	}
	d.mu.Lock()
	if d.hash != nil {
		d.hash.Abort(true)
	}
	for _, b := range d.byOrigin {
		b.Abort(true)
	}
	for _, s := range d.staged {
		s.bar.Abort(true)
	}
	d.mu.Unlock()
	d.bars.Wait()
}

// line prints a line, above the bars where there are some.
func (d *display) line(format string, args ...any) {
	text := reports.Clean(fmt.Sprintf(format, args...)) + "\n"
	if d.bars != nil {
		_, _ = d.bars.Write([]byte(d.scrub(text))) // a closed terminal is no reason to stop
		return
	}
	fmt.Fprint(d.out, text)
}

// bar adds a bar that goes away when it is full.
func (d *display) bar(name string, total int64) *mpb.Bar {
	return d.bars.AddBar(total,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.CountersNoUnit(" %d / %d")))
}

// hashing returns who hears of the files that a scan has read.
func (d *display) hashing() func(files int, bytes int64) {
	if d.bars == nil {
		return nil
	}
	d.hash = d.bars.AddBar(0, mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name("hash", decor.WCSyncSpaceR)), mpb.AppendDecorators(decor.CurrentNoUnit(" %d files")))
	return func(files int, _ int64) { d.hash.IncrBy(files) }
}

// Phase names the phase that begins.
func (d *display) Phase(name string) {
	d.mu.Lock()
	if d.hash != nil {
		d.hash.Abort(true)
	}
	d.mu.Unlock()
	d.line("%s", name)
}

// Note tells of a destination what no error says.
func (d *display) Note(destination, text string) { d.line("  %s: %s", destination, text) }

// Staging shows how far the stage of one destination has come.
func (d *display) Staging(destination string) targets.Progress {
	if d.bars == nil {
		return &stageLines{display: d, name: destination}
	}
	m := &stageMeter{bar: d.bar(destination, 0)}
	d.mu.Lock()
	d.staged = append(d.staged, m)
	d.mu.Unlock()
	return m
}

// stageMeter moves a bar.
type stageMeter struct{ bar *mpb.Bar }

// Expect sets the bar's whole.
func (m *stageMeter) Expect(files int, _ int64) { m.bar.SetTotal(int64(files), files == 0) }

// Sent moves the bar.
func (m *stageMeter) Sent(files int, _ int64) { m.bar.IncrBy(files) }

// stageLines says once what a stage sends.
type stageLines struct {
	display *display
	name    string
}

// Expect says it.
func (l *stageLines) Expect(files int, bytes int64) {
	if files > 0 {
		l.display.line("  %s: %d files to send, %s", l.name, files, humanize.Bytes(bytes))
	}
}

// Sent says nothing: the report has the sum.
func (l *stageLines) Sent(int, int64) {}

// sayWaiting is how often it is said that an origin is waited for.
const sayWaiting = 10 * time.Second

// waiting says now and then what an origin that is waited for still lacks.
func (d *display) waiting(v diff.OriginVerdict) {
	d.mu.Lock()
	last, again := d.waited[v.Name]
	due := time.Since(last) > sayWaiting
	if due {
		d.waited[v.Name] = time.Now()
	}
	d.mu.Unlock()
	switch {
	case !due || !again: // the first look in vain is no news
	case v.Err != nil:
		d.line("  still waiting for %s: %v", v.Name, v.Err)
	case len(v.Differences) > 0:
		first := v.Differences[0]
		d.line("  still waiting for %s: %d differences, such as %s %q: %s", v.Name, len(v.Differences), first.Kind, first.Path, first.Detail)
	}
}

// checking shows how far the check of one origin has come.
func (d *display) checking(origin string, done, total int) {
	if d.bars == nil {
		return
	}
	d.mu.Lock()
	b := d.byOrigin[origin]
	if b == nil || done == 1 {
		if b != nil {
			b.Abort(true)
		}
		b = d.bar(origin, int64(total))
		d.byOrigin[origin] = b
	}
	d.mu.Unlock()
	b.SetCurrent(int64(done))
}
