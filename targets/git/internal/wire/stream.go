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
	"time"

	"mirror/internal/command"
)

// program is a git service: a process of this machine, or one at the other end of an ssh connection.
type program struct {
	label string // where it runs, for messages: "ssh to host: "; or ""

	in   io.WriteCloser
	out  io.Reader
	kill func()       // ends it at once
	wait func() error // waits for its end and frees what it held
	// hint says what to do about what it complained of, "" for nothing. It may be nil.
	hint func(said string) string
}

// stream is a conversation with a program through its standard input and output.
type stream struct {
	program
	stderr *command.Words
	watch  *watch
	stop   func() bool // stops watching ctx
	wrote  chan struct{}
	used   bool
	once   sync.Once
	err    error
}

// newStream makes the end of ctx, and silence, the end of the program: no read or write outlives it.
func newStream(ctx context.Context, p program, stderr *command.Words, silence time.Duration) *stream {
	s := &stream{program: p, stderr: stderr, watch: &watch{limit: silence, giveUp: p.kill}}
	s.in, s.out = watchedWriter{p.in, s.watch}, watchedReader{p.out, s.watch}
	s.stop = context.AfterFunc(ctx, p.kill)
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
			_ = s.in.Close()                   // the same
		}
		if n, _ := io.CopyN(io.Discard, s.out, command.MaxWords); n == command.MaxWords {
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

// explain prefers silence, and what the program complained of, to what followed from it.
func (s *stream) explain(err error) error {
	said, hint, silent := s.stderr.String(), "", s.watch.silent()
	if silent {
		err = silentError(s.watch.limit)
	}
	switch {
	case said == "" && s.err != nil && !silent:
		err = fmt.Errorf("%w (%w)", err, s.err)
	case said != "" && errors.Is(err, errNoWord):
		err = errors.New(said)
	case said != "":
		err = fmt.Errorf("%s (%w)", said, err)
	}
	if said != "" && s.hint != nil {
		hint = s.hint(said)
	}
	return fmt.Errorf("%s%w%s", s.label, err, hint)
}

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
	stderr := &command.Words{}
	p, err := command.Start(ctx, withoutGit(os.Environ()), stderr, r.git, strings.TrimPrefix(string(s), "git-"), r.path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.path, err)
	}
	return newStream(ctx, program{in: p.In, out: p.Out, kill: p.Kill, wait: p.Wait}, stderr, silence), nil
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
