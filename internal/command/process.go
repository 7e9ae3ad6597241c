package command

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"time"
)

// Process is a running program with pipes to its standard input and output.
type Process struct {
	In  io.WriteCloser
	Out io.ReadCloser

	ctx    context.Context
	cancel context.CancelFunc
	cmd    *exec.Cmd
	stderr *os.File
	copied chan struct{} // closed when all of the standard error was copied
}

// lastWords is how long the standard error of a program that has ended is waited for: something
// that it left running, such as the master of shared ssh connections, may hold it open.
const lastWords = 100 * time.Millisecond

// Start starts a program. What it writes on its standard error is copied to stderr. When ctx ends,
// or Kill is called, the pipes are closed and the program and all its descendants are ended, as with
// Run. The caller must call Wait.
func Start(ctx context.Context, env []string, stderr io.Writer, name string, args ...string) (*Process, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := New(ctx, name, args...)
	cmd.Env = env
	p := &Process{ctx: ctx, cancel: cancel, cmd: cmd, copied: make(chan struct{})}
	theirs, err := p.pipes()
	if err == nil {
		err = cmd.Start()
	}
	for _, f := range theirs {
		f.Close()
	}
	if err != nil {
		cancel()
		p.close()
		return nil, err
	}
	context.AfterFunc(ctx, p.close)
	go func() {
		defer close(p.copied)
		_, _ = io.Copy(stderr, p.stderr) // what is lost of it is only missing in a message
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
	p.stderr, p.cmd.Stderr = errR, errW
	return []*os.File{inR, outW, errW}, nil
}

func (p *Process) close() {
	if p.In != nil {
		_ = p.In.Close() // closing twice is harmless
	}
	if p.Out != nil {
		_ = p.Out.Close()
	}
}

// Pid is the program's number, and that of its process group where the system has such.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Kill ends the program.
func (p *Process) Kill() { p.cancel() }

// Wait waits for the program's end and frees what it held. What a program that ended by itself has
// left running is left alone.
func (p *Process) Wait() error {
	err := p.cmd.Wait()
	if p.ctx.Err() != nil {
		killRest(p.cmd)
		err = errors.Join(p.ctx.Err(), err)
	}
	select {
	case <-p.copied:
	case <-time.After(lastWords):
	}
	_ = p.stderr.Close() // it was only read
	<-p.copied
	p.cancel()
	return err
}
