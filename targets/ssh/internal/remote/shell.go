package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"mirror/internal/command"
	"mirror/internal/sshclient"
)

// The scripts are of one line and without quotes, so that each login shell takes them as they are. Their
// arguments are paths.
const (
	scriptProbe = `echo mirror-shell; for c in cp rm tar xargs sha256sum openssl sync; do command -v $c >/dev/null && echo $c; done; ` +
		`mv --help 2>&1 | grep -q -e -T -e nT && echo mv -T; tar --help 2>&1 | grep -q -e same-permissions && echo tar --no-same-permissions; echo end`
	scriptSums    = `cd -- "$1" && exec xargs -0 sha256sum --`
	scriptOpenSSL = `cd -- "$1" && exec xargs -0 openssl dgst -sha256 -r --`
	scriptLink    = `umask "$3" && cd -- "$1" && exec xargs -0 cp -lP --parents -t "$2" --`
	scriptUnpack  = `umask "$2" && cd -- "$1" && exec tar -x -o --no-same-permissions -f -`
	scriptUnpack0 = `umask "$2" && cd -- "$1" && exec tar -x -o -f -`
	scriptSync    = `cd -- "$1" && { sync -f . 2>/dev/null || sync; }`
	scriptRemove  = `cd -- "$1" && exec xargs -0 rm -rf --`
	scriptReplace = `exec mv -T -f -- "$1" "$2"`
)

// shell is what is known of the account's shell.
type shell struct {
	mu    sync.Mutex // guards what follows, also while it is found out
	asked bool
	tools map[string]bool // nil where there is no shell
}

// has reports whether the account has a shell with a tool.
func (h *Host) has(ctx context.Context, tool string) bool {
	h.shell.mu.Lock()
	defer h.shell.mu.Unlock()
	if !h.shell.asked {
		tools, err := h.probe(ctx)
		if err != nil && ctx.Err() != nil {
			return false
		}
		h.shell.asked, h.shell.tools = true, tools
	}
	return h.shell.tools[tool]
}

// maxProbe bounds what the probe, and what the user's own start-up files print before it, are read of.
const maxProbe = 64 << 10

// probe runs a script: a host that lets the account use sftp only starts something else in its place.
func (h *Host) probe(ctx context.Context) (map[string]bool, error) {
	var out strings.Builder
	err := h.script(ctx, scriptProbe, nil, nil, &limited{&out, maxProbe}, 0)
	if err != nil {
		return nil, err
	}
	_, said, found := strings.Cut("\n"+out.String(), "\nmirror-shell\n")
	if !found || !strings.HasSuffix(said, "end\n") {
		return nil, errors.New("no shell")
	}
	tools := map[string]bool{}
	for tool := range strings.Lines(said) {
		tools[strings.TrimSpace(tool)] = true
	}
	return tools, nil
}

// limited is a writer that refuses more than it has room for.
type limited struct {
	io.Writer
	room int
}

// Write refuses what is too much.
func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.room {
		return 0, errFlood
	}
	l.room -= len(p)
	return l.Writer.Write(p)
}

// script runs a script, and ends it when ctx ends or when nothing moves for longer than a silence and patience.
// feed writes its standard input; nil for an empty one. What it prints goes to out, which may be nil.
func (h *Host) script(ctx context.Context, script string, args []string, feed func(w io.Writer) error, out io.Writer, patience time.Duration) error {
	s, err := h.acquire(ctx) // further sessions go over its connection
	if err != nil {
		return err
	}
	defer h.release(s)
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	words := &command.Words{}
	p, err := h.dialer.Run(running, commandLine(script, args), words)
	if err != nil {
		return err
	}
	w := &watch{limit: h.silence + patience, giveUp: p.Kill}
	err = w.around(func() error { return converse(p, w, feed, out) })
	switch why := w.why(); {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case why != nil:
		return fmt.Errorf("ssh to %s: %w", h.name, why)
	case err != nil && words.String() != "":
		return fmt.Errorf("%w: %s", err, words)
	}
	return err
}

// errFeed marks an error of what a script is fed with.
type errFeed struct{ err error }

// Error is that of the feed.
func (e errFeed) Error() string { return e.err.Error() }

// Unwrap returns the error of the feed.
func (e errFeed) Unwrap() error { return e.err }

// converse feeds a process, reads what it prints, and waits for its end.
func converse(p *sshclient.Process, w *watch, feed func(io.Writer) error, out io.Writer) error {
	fed := make(chan error, 1)
	go func() {
		err := error(nil)
		if feed != nil {
			if err = feed(moving{p.In, w}); err != nil {
				p.Kill() // a part must not be taken for the whole
			}
		}
		_ = p.In.Close() // it may be closed already
		fed <- err
	}()
	if out == nil {
		out = io.Discard
	}
	_, readErr := io.Copy(moving{out, w}, bounded{p.Out, w})
	if readErr != nil {
		p.Kill()
	}
	feedErr := <-fed
	waitErr := p.Wait()
	if feed := (errFeed{}); errors.As(feedErr, &feed) {
		return feed.err
	}
	if waitErr != nil {
		return waitErr // it tells more than a pipe that was closed
	}
	return errors.Join(readErr, feedErr)
}

// commandLine is a command for each kind of login shell that has exec and single quotes.
func commandLine(script string, args []string) string {
	line := "exec /bin/sh -c " + sshclient.Quote(script) + " mirror"
	for _, a := range args {
		line += " " + sshclient.Quote(a)
	}
	return line
}

// names writes names as xargs -0 reads them.
func names(all []string) func(w io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Join(all, "\x00")+"\x00")
		return err
	}
}
