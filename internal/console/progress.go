package console

import (
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"mirror/internal/secrets"
	"mirror/internal/workspace"
	"mirror/reports"
	"mirror/targets"
)

// Progress shows on stderr how far a use-case has come: bars on a terminal, plain lines elsewhere,
// nothing where the console is quiet. Every bar has the time since it began, and ends with its phase.
type Progress struct {
	*workspace.Lines
	bars *mpb.Progress // nil where lines are shown

	mu       sync.Mutex // guards what follows
	byOrigin map[string]*mpb.Bar
	others   []*mpb.Bar // of the present phase
	hash     *mpb.Bar   // of the scan, nil when it is done
}

// Progress opens the display. Close it before anything else is printed.
func (c Console) Progress() *Progress {
	switch _, isTerminal := Terminal(c.Stderr); {
	case c.Quiet:
		return &Progress{Lines: workspace.NewLines(io.Discard)}
	case isTerminal && c.Getenv("TERM") != "dumb":
		raw, _ := unwrapped(c.Stderr).(io.Writer) // a terminal is a file
		return newBars(c.Secrets, mpb.WithOutput(raw))
	}
	return &Progress{Lines: workspace.NewLines(c.Stderr)}
}

// barWidth is the width of a bar without what is written beside it, in cells.
const barWidth = 40

func newBars(known *secrets.Scrubber, options ...mpb.ContainerOption) *Progress {
	bars := mpb.New(append(options, mpb.WithWidth(barWidth))...)
	return &Progress{Lines: workspace.NewLines(scrubbed{bars, known}), bars: bars, byOrigin: map[string]*mpb.Bar{}}
}

// scrubbed keeps secrets out of what is written above the bars, text by text.
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
	p.endPhase()
	p.mu.Unlock()
	p.bars.Wait()
}

// endScan takes the bar of the scan away. The caller must hold mu.
func (p *Progress) endScan() {
	if p.hash != nil {
		p.hash.Abort(true)
		p.hash = nil
	}
}

// endPhase takes the bars of a phase away, the unfinished ones too. The caller must hold mu.
func (p *Progress) endPhase() {
	p.endScan()
	for _, b := range p.byOrigin {
		b.Abort(true)
	}
	clear(p.byOrigin)
	for _, b := range p.others {
		b.Abort(true)
	}
	p.others = nil
}

// bar adds a bar that goes away when it is full. It is nil after Close. The caller must hold mu.
func (p *Progress) bar(name string, total int64, filler mpb.BarFillerBuilder, count ...decor.Decorator) *mpb.Bar {
	b, err := p.bars.Add(total, filler.Build(),
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(reports.Clean(name), decor.WCSyncSpaceR)),
		mpb.AppendDecorators(append(count, elapsed(time.Now()))...))
	if err != nil {
		return nil
	}
	return b
}

// elapsed shows the time since a bar began, in whole seconds.
func elapsed(began time.Time) decor.Decorator {
	return decor.Any(func(decor.Statistics) string {
		return "  " + time.Since(began).Truncate(time.Second).String()
	})
}

// Hashing returns who hears of the files that a scan has read.
func (p *Progress) Hashing() func(files int, bytes int64) {
	if p.bars == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endScan()
	hash := p.bar("hash", 0, mpb.NopStyle(), decor.CurrentNoUnit(" %d files"))
	if hash == nil {
		return nil
	}
	p.hash = hash
	return func(files int, _ int64) { hash.IncrBy(files) }
}

// Phase ends the bars of the phase before, and names the one that begins.
func (p *Progress) Phase(name string) {
	if p.bars != nil {
		p.mu.Lock()
		p.endPhase()
		if b := p.bar(name, 0, mpb.NopStyle()); b != nil {
			p.others = append(p.others, b)
		}
		p.mu.Unlock()
	}
	p.Lines.Phase(name)
}

// Staging shows how far the stage of one destination has come.
func (p *Progress) Staging(destination string) targets.Progress {
	if p.bars == nil {
		return p.Lines.Staging(destination)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.bar(destination, 0, mpb.BarStyle(), decor.CountersNoUnit(" %d / %d files"))
	if b == nil {
		return nil
	}
	p.others = append(p.others, b)
	return &stageMeter{bar: b}
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
	defer p.mu.Unlock()
	p.endScan()
	b := p.byOrigin[origin]
	if b != nil && done == 1 { // the origin is checked again
		b.Abort(true)
		b = nil
	}
	if b == nil {
		if b = p.bar(origin, int64(total), mpb.BarStyle(), decor.CountersNoUnit(" %d / %d pages")); b == nil {
			return
		}
		p.byOrigin[origin] = b
	}
	b.SetCurrent(int64(done))
}
