package main

import (
	"io"
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"mirror/internal/secrets"
	"mirror/internal/workspace"
	"mirror/targets"
)

// display shows on stderr what goes on: bars on a terminal, plain lines elsewhere, nothing
// with --quiet.
type display struct {
	*workspace.Lines
	bars *mpb.Progress // nil where lines are shown

	mu       sync.Mutex // guards what follows
	byOrigin map[string]*mpb.Bar
	staged   []*stageMeter
	hash     *mpb.Bar
}

// display opens the display. Close it before anything else is printed.
func (a *app) display() *display {
	d := &display{byOrigin: map[string]*mpb.Bar{}}
	switch _, isTerminal := terminal(a.stderr); {
	case a.quiet:
		d.Lines = workspace.NewLines(io.Discard)
	case isTerminal:
		d.bars = mpb.New(mpb.WithOutput(unwrapped(a.stderr)), mpb.WithWidth(40))
		d.Lines = workspace.NewLines(scrubbed{d.bars, a.secrets}) // above the bars
	default:
		d.Lines = workspace.NewLines(a.stderr)
	}
	return d
}

// scrubbed keeps secrets out of what is written, text by text.
type scrubbed struct {
	io.Writer
	secrets *secrets.Scrubber
}

// Write writes a text.
func (s scrubbed) Write(text []byte) (int, error) {
	_, err := s.Writer.Write(s.secrets.Bytes(text))
	return len(text), err
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

// bar adds a bar that goes away when it is full.
func (d *display) bar(name string, total int64) *mpb.Bar {
	return d.bars.AddBar(total,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.CountersNoUnit(" %d / %d")))
}

// Hashing returns who hears of the files that a scan has read.
func (d *display) Hashing() func(files int, bytes int64) {
	if d.bars == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	hash := d.bars.AddBar(0, mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name("hash", decor.WCSyncSpaceR)), mpb.AppendDecorators(decor.CurrentNoUnit(" %d files")))
	d.hash = hash
	return func(files int, _ int64) { hash.IncrBy(files) }
}

// Phase names the phase that begins.
func (d *display) Phase(name string) {
	d.mu.Lock()
	if d.hash != nil {
		d.hash.Abort(true)
	}
	d.mu.Unlock()
	d.Lines.Phase(name)
}

// Staging shows how far the stage of one destination has come.
func (d *display) Staging(destination string) targets.Progress {
	if d.bars == nil {
		return d.Lines.Staging(destination)
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

// Checking shows how far the check of one origin has come.
func (d *display) Checking(origin string, done, total int) {
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

// unwrapped is the stream behind a scrubbed one, for code that draws on a terminal and scrubs
// what it draws.
func unwrapped(stream io.Writer) io.Writer {
	if scrubbed, ok := stream.(*secrets.Writer); ok {
		return scrubbed.Unwrap()
	}
	return stream
}
