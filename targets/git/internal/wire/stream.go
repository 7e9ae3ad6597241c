package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// stream is a conversation with a program through its standard input and output: a git
// of this machine, or one at the other end of an ssh connection.
type stream struct {
	in     io.WriteCloser
	out    io.Reader
	stderr *words
	kill   func()       // ends the program at once
	wait   func() error // waits for its end and frees what it held
	stop   func() bool  // stops watching ctx
	wrote  chan struct{}
	used   bool
	once   sync.Once
	err    error
}

// watched makes the end of ctx the end of the program: no read or write outlives it.
func (s *stream) watched(ctx context.Context) *stream {
	s.stop = context.AfterFunc(ctx, s.kill)
	return s
}

func (s *stream) advertisement() io.Reader { return s.out }

// exchange writes beside the reading: a server may talk while it is being written to.
func (s *stream) exchange(_ context.Context, r request) (io.ReadCloser, error) {
	s.used, s.wrote = true, make(chan struct{})
	go func() {
		defer close(s.wrote)
		_, err := io.Copy(s.in, r.reader())
		if err = errors.Join(err, s.in.Close()); err != nil {
			s.kill() // the reader finds the stream cut, and the reason in what the program said
		}
	}()
	return io.NopCloser(s.out), nil
}

// flush is the packet that says there is no request.
const flush = "0000"

// Close ends the program, politely where nothing was asked of it.
func (s *stream) Close() error {
	s.once.Do(func() {
		if !s.used {
			_, _ = io.WriteString(s.in, flush) // the program may be gone already
			_ = s.in.Close()
		}
		if n, _ := io.CopyN(io.Discard, s.out, maxMessage); n == maxMessage {
			s.kill() // it has more to say than we want to hear
		}
		if s.wrote != nil {
			<-s.wrote
		}
		s.err = s.wait()
		s.stop()
	})
	return s.err
}

// said is what the program complained of.
func (s *stream) said() string { return s.stderr.String() }

// localRemote runs the git of this machine on a repository of this machine.
type localRemote struct{ git, path string }

func newLocalRemote(path string) (*localRemote, error) {
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, fmt.Errorf("%s: a local repository needs the program git, which is not installed "+
			"(hint: install git, or use an https or ssh url)", path)
	}
	return &localRemote{git: git, path: path}, nil
}

func (r *localRemote) dial(ctx context.Context, s Service) (conversation, error) {
	cmd := exec.Command(r.git, strings.TrimPrefix(string(s), "git-"), r.path)
	cmd.Env = withoutGit(os.Environ())
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c := &stream{in: in, out: out, stderr: &words{}}
	cmd.Stderr = c.stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", r.path, err)
	}
	c.kill = func() { _ = cmd.Process.Kill() } // it may have ended by itself
	c.wait = cmd.Wait
	return c.watched(ctx), nil
}

// withoutGit drops the variables with which a git that runs us would lead another git to
// its own repository.
func withoutGit(env []string) []string {
	var kept []string
	for _, v := range env {
		if !strings.HasPrefix(v, "GIT_") {
			kept = append(kept, v)
		}
	}
	return kept
}
