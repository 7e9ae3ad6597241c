package console

import (
	"io"
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"mirror/internal/secrets"
	"mirror/internal/workspace"
	"mirror/targets"
)

// Progress shows on stderr how far a use-case has come: bars on a terminal, plain lines elsewhere,
// nothing where the console is quiet.
type Progress struct {
	*workspace.Lines
	bars *mpb.Progress // nil where lines are shown

	mu       sync.Mutex // guards what follows
	byOrigin map[string]*mpb.Bar
	staged   []*stageMeter
	hash     *mpb.Bar
}

// Progress opens the display. Close it before anything else is printed.
func (c Console) Progress() *Progress {
	p := &Progress{byOrigin: map[string]*mpb.Bar{}}
	switch _, isTerminal := Terminal(c.Stderr); {
	case c.Quiet:
		p.Lines = workspace.NewLines(io.Discard)
	case isTerminal:
		raw, _ := unwrapped(c.Stderr).(io.Writer) // a terminal is a file
		p.bars = mpb.New(mpb.WithOutput(raw), mpb.WithWidth(40))
		p.Lines = workspace.NewLines(scrubbed{p.bars, c.Secrets}) // above the bars
	default:
		p.Lines = workspace.NewLines(c.Stderr)
	}
	return p
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
func (p *Progress) Close() {
	if p.bars == nil {
		return
	}
	p.mu.Lock()
	if p.hash != nil {
		p.hash.Abort(true)
	}
	for _, b := range p.byOrigin {
		b.Abort(true)
	}
	for _, s := range p.staged {
		s.bar.Abort(true)
	}
	p.mu.Unlock()
	p.bars.Wait()
}

// bar adds a bar that goes away when it is full.
func (p *Progress) bar(name string, total int64) *mpb.Bar {
	return p.bars.AddBar(total,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.CountersNoUnit(" %d / %d")))
}

// Hashing returns who hears of the files that a scan has read.
func (p *Progress) Hashing() func(files int, bytes int64) {
	if p.bars == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	hash := p.bars.AddBar(0, mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name("hash", decor.WCSyncSpaceR)), mpb.AppendDecorators(decor.CurrentNoUnit(" %d files")))
	p.hash = hash
	return func(files int, _ int64) { hash.IncrBy(files) }
}

// Phase names the phase that begins.
func (p *Progress) Phase(name string) {
	p.mu.Lock()
	if p.hash != nil {
		p.hash.Abort(true)
	}
	p.mu.Unlock()
	p.Lines.Phase(name)
}

// Staging shows how far the stage of one destination has come.
func (p *Progress) Staging(destination string) targets.Progress {
	if p.bars == nil {
		return p.Lines.Staging(destination)
	}
	m := &stageMeter{bar: p.bar(destination, 0)}
	p.mu.Lock()
	p.staged = append(p.staged, m)
	p.mu.Unlock()
	return m
}

// stageMeter moves a bar.
type stageMeter struct{ bar *mpb.Bar }

// Expect sets the bar's whole.
func (m *stageMeter) Expect(files int, _ int64) { m.bar.SetTotal(int64(files), files == 0) }

// Sent moves the bar.
func (m *stageMeter) Sent(files int, _ int64) { m.bar.IncrBy(files) }

// Checking shows how far the check of one origin has come.
func (p *Progress) Checking(origin string, done, total int) {
	if p.bars == nil {
		return
	}
	p.mu.Lock()
	b := p.byOrigin[origin]
	if b == nil || done == 1 {
		if b != nil {
			b.Abort(true)
		}
		b = p.bar(origin, int64(total))
		p.byOrigin[origin] = b
	}
	p.mu.Unlock()
	b.SetCurrent(int64(done))
}
