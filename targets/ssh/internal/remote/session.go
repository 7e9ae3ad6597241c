package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pkg/sftp"

	"mirror/internal/command"
	"mirror/internal/sshclient"
)

// session is an sftp session that is up.
type session struct {
	client *sftp.Client
	watch  *watch
	words  *command.Words
	end    context.CancelFunc
	dead   atomic.Bool   // it was killed
	gone   chan struct{} // closed when the session has ended

	users int         // guarded by Host.mu
	idle  *time.Timer // guarded by Host.mu
}

// idleTime is for how long a session stays open that is not used.
const idleTime = 10 * time.Second

// endTime is how long ssh gets to end by itself.
const endTime = 2 * time.Second

// connect starts the server's sftp. The end of ctx ends the attempt, and nothing later.
func (h *Host) connect(ctx context.Context) (*session, error) {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	defer stop()
	s := &session{words: &command.Words{}, end: cancel, gone: make(chan struct{})}
	s.watch = &watch{limit: h.silence, giveUp: s.kill}
	var process *sshclient.Process
	err := s.watch.around(func() (err error) {
		if process, err = h.dialer.Subsystem(running, "sftp", s.words); err != nil {
			return err
		}
		s.client, err = sftp.NewClientPipe(bounded{process.Out, s.watch}, process.In,
			sftp.UseConcurrentWrites(true), sftp.UseConcurrentReads(true))
		return err
	})
	if process == nil {
		cancel()
		return nil, h.explain(ctx, s, err)
	}
	go s.await(process, err == nil)
	if err != nil {
		cancel()
		<-s.gone
		return nil, h.explain(ctx, s, err)
	}
	return s, nil
}

// kill ends the session at once.
func (s *session) kill() {
	s.dead.Store(true)
	s.end()
}

// await frees what the session held when it has ended.
func (s *session) await(p *sshclient.Process, up bool) {
	if up {
		_ = s.client.Wait() // each request under way gets the error
	}
	late := time.AfterFunc(endTime, s.kill)
	_ = p.Wait() // what ssh complained of is in words
	late.Stop()
	s.kill()
	close(s.gone)
}

// lost reports whether the session is at its end.
func (s *session) lost(err error) bool {
	if isCut(err) || s.dead.Load() || s.watch.why() != nil {
		return true
	}
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

// isCut reports whether an error is that of a connection which is not there any more: what a client that writes into
// it gets depends on how far the end of the other side has come.
func isCut(err error) bool {
	if err == nil {
		return false
	}
	return errors.Is(err, sftp.ErrSSHFxConnectionLost) || errors.Is(err, os.ErrClosed) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, syscall.EPIPE) || strings.Contains(err.Error(), "failed to send packet")
}

// explain prefers what ssh complained of, and silence, to what followed from it.
func (h *Host) explain(ctx context.Context, s *session, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	said := s.words.String()
	switch why := s.watch.why(); {
	case why != nil:
		err = why
	case said != "":
		err = fmt.Errorf("%s (%w)%s", said, err, h.dialer.Hint(ctx, said))
	case isCut(err):
		err = fmt.Errorf("the connection was cut: %w", err)
	}
	return fmt.Errorf("ssh to %s: %w", h.name, err)
}

// acquire returns the session that is up, or a new one. The caller must release it.
func (h *Host) acquire(ctx context.Context) (*session, error) {
	select {
	case h.connecting <- struct{}{}:
		defer func() { <-h.connecting }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if s := h.current(); s != nil {
		return s, nil
	}
	s, err := h.connect(ctx)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s.users = 1
	h.now = s
	go h.has(context.WithoutCancel(ctx), "") // what the shell has is known when it is needed
	return s, nil
}

// current takes the session that is up, if there is one.
func (h *Host) current() *session {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.now
	if s == nil || s.lost(nil) {
		h.now = nil
		return nil
	}
	if s.idle != nil {
		s.idle.Stop()
	}
	s.users++
	return s
}

// release has the session end when it is not used for a while.
func (h *Host) release(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.users--; s.users == 0 {
		s.idle = time.AfterFunc(idleTime, func() { h.endIdle(s) })
	}
}

func (h *Host) endIdle(s *session) {
	h.mu.Lock()
	idle := s.users == 0
	if idle && h.now == s {
		h.now = nil
	}
	h.mu.Unlock()
	if idle {
		_ = s.client.Close() // there is nothing to lose
	}
}

// do makes requests of the sftp server. The end of ctx ends the session: a request has no end of its own.
func (h *Host) do(ctx context.Context, f func(s *session) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s, err := h.acquire(ctx)
	if err != nil {
		return err
	}
	defer h.release(s)
	stop := context.AfterFunc(ctx, s.kill)
	err = s.watch.around(func() error { return f(s) })
	stop()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case s.lost(err):
		s.kill()
		<-s.gone
		return h.explain(ctx, s, err)
	}
	return err
}
