package command

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"os/exec"
)

// Process is a running program with pipes to its standard input and output.
type Process struct {
	In  io.WriteCloser
	Out io.ReadCloser

	ctx    context.Context
	cancel context.CancelFunc
	cmd    *exec.Cmd

	stderr, stderrEnd *os.File      // what the program writes, and the end that it writes to
	marker            []byte        // written to stderrEnd when the program has ended
	copied            chan struct{} // closed when all before the marker was copied
}

// Start starts a program. What it writes on its standard error is copied to stderr. When ctx ends,
// or Kill is called, the pipes are closed and the program and all its descendants are ended, as with
// Run. The caller must call Wait.
func Start(ctx context.Context, env []string, stderr io.Writer, name string, args ...string) (*Process, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := New(ctx, name, args...)
	cmd.Env = env
	p := &Process{ctx: ctx, cancel: cancel, cmd: cmd, marker: []byte(rand.Text()), copied: make(chan struct{})}
	theirs, err := p.pipes()
	if err == nil {
		err = unstarted(cmd, cmd.Start())
	}
	for _, f := range theirs {
		f.Close()
	}
	if err != nil {
		cancel()
		p.close()
		p.closeStderr()
		return nil, err
	}
	context.AfterFunc(ctx, p.close)
	go func() {
		defer close(p.copied)
		copyUntil(stderr, p.stderr, p.marker)
	}()
	return p, nil
}

// pipes makes the pipes and returns the program's ends of them.
func (p *Process) pipes() (theirs []*os.File, err error) {
	inR, inW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.In, p.cmd.Stdin = inW, inR
	outR, outW, err := os.Pipe()
	if err != nil {
		return []*os.File{inR}, err
	}
	p.Out, p.cmd.Stdout = outR, outW
	errR, errW, err := os.Pipe()
	if err != nil {
		return []*os.File{inR, outW}, err
	}
	p.stderr, p.stderrEnd, p.cmd.Stderr = errR, errW, errW
	return []*os.File{inR, outW}, nil
}

// copyUntil copies what comes before a marker, or all. What is lost is only missing in a message.
func copyUntil(to io.Writer, from io.Reader, marker []byte) {
	var held []byte
	buf := make([]byte, 8<<10)
	for {
		n, err := from.Read(buf)
		held = append(held, buf[:n]...)
		end := bytes.Index(held, marker)
		if end < 0 && err == nil {
			ready := len(held) - beginning(held, marker)
			_, _ = to.Write(held[:ready]) // what a program says is for people: it ends no work
			held = append(held[:0], held[ready:]...)
			continue
		}
		if end >= 0 {
			held = held[:end]
		}
		_, _ = to.Write(held)
		return
	}
}

// beginning is how many bytes at the end of a text may be the beginning of a marker.
func beginning(text, marker []byte) int {
	n := min(len(text), len(marker)-1)
	for n > 0 && !bytes.HasPrefix(marker, text[len(text)-n:]) {
		n--
	}
	return n
}

func (p *Process) close() {
	if p.In != nil {
		_ = p.In.Close() // closing twice is harmless
	}
	if p.Out != nil {
		_ = p.Out.Close() // nothing is read any more
	}
}

// Pid is the program's number, and that of its process group where the system has such.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Kill ends the program.
func (p *Process) Kill() { p.cancel() }

// Wait waits for the program's end and frees what it held. What a program that ended by itself has
// left running is left alone; it may still hold the standard error, so that this never ends by itself.
func (p *Process) Wait() error {
	err := p.cmd.Wait()
	if p.ctx.Err() != nil {
		killRest(p.cmd)
		err = errors.Join(p.ctx.Err(), err)
	}
	_, _ = p.stderrEnd.Write(p.marker) // it is read until then
	<-p.copied
	p.closeStderr()
	p.cancel()
	return err
}

func (p *Process) closeStderr() {
	for _, f := range []*os.File{p.stderr, p.stderrEnd} {
		if f != nil {
			_ = f.Close() // nothing is lost
		}
	}
}
