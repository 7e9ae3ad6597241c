// Package remote works on the files of an account on another host, over one ssh connection: with sftp, and
// with a few commands of POSIX where the host gives the account a shell that has them. No program of ours
// runs there. What the host sends is bounded in bytes and in time.
package remote

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"

	"mirror/internal/sshclient"
)

// Host is an account on a host. It is safe for concurrent use.
type Host struct {
	dialer  sshclient.Dialer
	name    string // for messages
	silence time.Duration

	connecting chan struct{} // held while a session is looked for
	shell      shell

	mu  sync.Mutex // guards now, and of each session users and idle
	now *session   // the one that is up, or nil
}

// New returns the host. It connects to nothing.
func New(at sshclient.Host, o sshclient.Options) (*Host, error) {
	o.Multiplex = filepath.Join(os.TempDir(), "mirror-"+rand.Text()[:16])
	d, err := sshclient.New(at, o)
	if err != nil {
		return nil, err
	}
	return With(d, at.String()), nil
}

// With returns the host that a dialer reaches.
func With(d sshclient.Dialer, name string) *Host {
	return &Host{dialer: d, name: name, silence: Silence, connecting: make(chan struct{}, 1)}
}

// WithSilence has the host be given up after less time than Silence, and returns it.
func (h *Host) WithSilence(limit time.Duration) *Host {
	h.silence = limit
	return h
}

// at says which path an error is about.
func at(what, name string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if status := (*sftp.StatusError)(nil); errors.As(err, &status) {
		err = fmt.Errorf("the server answers %q", strings.Trim(fmt.Sprint(status), `"`))
	}
	return fmt.Errorf("%s %q: %w", what, name, err)
}

// Home returns the absolute path of the folder that relative paths are below.
func (h *Host) Home(ctx context.Context) (home string, err error) {
	err = h.do(ctx, func(s *session) error { home, err = s.client.RealPath("."); return err })
	if err == nil && !path.IsAbs(home) {
		err = errors.New("it is not an absolute path")
	}
	return home, at("find the folder of the account", home, err)
}

// Lstat describes what is at a path. No link is followed.
func (h *Host) Lstat(ctx context.Context, name string) (info fs.FileInfo, err error) {
	err = h.do(ctx, func(s *session) error { info, err = s.client.Lstat(name); return err })
	return info, at("look at", name, err)
}

// Readlink returns the text of a symbolic link.
func (h *Host) Readlink(ctx context.Context, name string) (to string, err error) {
	err = h.do(ctx, func(s *session) error { to, err = s.client.ReadLink(name); return err })
	return to, at("read the link", name, err)
}

// ReadDir lists a folder, which may be a link to one.
func (h *Host) ReadDir(ctx context.Context, name string) (all []fs.FileInfo, err error) {
	err = h.do(ctx, func(s *session) error { all, err = s.client.ReadDir(name); return err })
	return all, at("list", name, err)
}

// Mkdir makes a folder. There is none yet.
func (h *Host) Mkdir(ctx context.Context, name string) error {
	return at("make the folder", name, h.do(ctx, func(s *session) error { return s.client.Mkdir(name) }))
}

// Symlink makes a symbolic link, and makes sure that the server took it for what it is: servers differ in
// which of the two names they expect first.
func (h *Host) Symlink(ctx context.Context, to, name string) error {
	err := h.do(ctx, func(s *session) error { return s.client.Symlink(to, name) })
	if err != nil {
		return at("make the link", name, err)
	}
	if got, err := h.Readlink(ctx, name); err != nil || got != to {
		return fmt.Errorf("make the link %q: the server made it wrong: %w", name, errors.Join(err, fmt.Errorf("it leads to %q", got)))
	}
	return nil
}

// Remove removes a file or a link.
func (h *Host) Remove(ctx context.Context, name string) error {
	return at("remove", name, h.do(ctx, func(s *session) error { return s.client.Remove(name) }))
}

// Chtimes sets the time of a file. Servers keep it to the second.
func (h *Host) Chtimes(ctx context.Context, name string, t time.Time) error {
	return at("set the time of", name, h.do(ctx, func(s *session) error { return s.client.Chtimes(name, t, t) }))
}

// Chmod sets the mode of a file or a folder.
func (h *Host) Chmod(ctx context.Context, name string, mode fs.FileMode) error {
	return at("set the mode of", name, h.do(ctx, func(s *session) error { return s.client.Chmod(name, mode) }))
}

const (
	posixRename = "posix-rename@openssh.com"
	hardlink    = "hardlink@openssh.com"
	fsync       = "fsync@openssh.com"
	statVFS     = "statvfs@openssh.com"
)

// Rename gives a file, a link or a folder another name that is free. What has the name already stays as it
// is, as far as the server can tell.
func (h *Host) Rename(ctx context.Context, from, to string) error {
	return at("rename", from, h.do(ctx, func(s *session) error { return s.client.Rename(from, to) }))
}

// ErrCannotReplace says that the server can replace no file in one step.
var ErrCannotReplace = errors.New("the server cannot replace a file in one step: its sftp lacks " + posixRename + ", and no shell there has mv -T")

// CanReplace returns ErrCannotReplace where Replace would.
func (h *Host) CanReplace(ctx context.Context) error {
	can := false
	err := h.do(ctx, func(s *session) error { _, can = s.client.HasExtension(posixRename); return nil })
	if err != nil || can {
		return err
	}
	if h.has(ctx, "mv -T") {
		return nil
	}
	return ErrCannotReplace
}

// Replace gives a file or a link another name in one step, also where there is one of that name already.
func (h *Host) Replace(ctx context.Context, from, to string) error {
	err := h.do(ctx, func(s *session) error {
		if _, ok := s.client.HasExtension(posixRename); !ok {
			return errors.ErrUnsupported
		}
		return s.client.PosixRename(from, to)
	})
	if !errors.Is(err, errors.ErrUnsupported) {
		return at("rename", from, err)
	}
	if err := h.CanReplace(ctx); err != nil {
		return err
	}
	if _, err := h.Lstat(ctx, from); err != nil { // mv says the same in its own words
		return err
	}
	return at("rename", from, h.script(ctx, scriptReplace, []string{from, to}, nil, nil, 0))
}

// ReadFile reads a regular file of at most limit bytes.
func (h *Host) ReadFile(ctx context.Context, name string, limit int64) (text []byte, err error) {
	info, err := h.Lstat(ctx, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %q: it is not a regular file", name)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("read %q: it has more than %d bytes", name, limit)
	}
	var held bytes.Buffer
	err = h.Read(ctx, name, &held, limit)
	return held.Bytes(), err
}

// Read copies a regular file of at most limit bytes to w.
func (h *Host) Read(ctx context.Context, name string, w io.Writer, limit int64) error {
	return at("read", name, h.do(ctx, func(s *session) error {
		f, err := s.client.Open(name)
		if err != nil {
			return err
		}
		_, err = f.WriteTo(moving{&limited{w, int(limit)}, s.watch})
		return errors.Join(err, f.Close())
	}))
}

// WriteFile makes a file that is not there yet.
func (h *Host) WriteFile(ctx context.Context, name string, text []byte, mode fs.FileMode) error {
	return at("write", name, h.do(ctx, func(s *session) error {
		return s.write(name, mode, strings.NewReader(string(text)), int64(len(text)))
	}))
}

// write makes a file of about that size that is not there yet, durably where the server can.
func (s *session) write(name string, mode fs.FileMode, from io.Reader, size int64) error {
	f, err := s.client.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	_, err = f.ReadFromWithConcurrency(&telling{from, s.watch.progress}, int(min(maxInFlight, 1+size/chunk)))
	if err == nil {
		err = f.Chmod(mode)
	}
	if _, ok := s.client.HasExtension(fsync); ok && err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// A file is written with up to maxInFlight requests of chunk bytes at once.
const (
	maxInFlight = 64
	chunk       = 32 << 10
)

// telling calls took for what is read.
type telling struct {
	io.Reader
	took func()
}

// Read tells.
func (t *telling) Read(p []byte) (int, error) {
	t.took()
	return t.Reader.Read(p)
}

// Room returns how many bytes are free for the account below a folder; an error where the server does not say.
func (h *Host) Room(ctx context.Context, name string) (free uint64, err error) {
	err = h.do(ctx, func(s *session) error {
		if _, ok := s.client.HasExtension(statVFS); !ok {
			return errors.ErrUnsupported
		}
		info, err := s.client.StatVFS(name)
		if err == nil {
			free = info.Frsize * info.Bavail
		}
		return err
	})
	return free, at("look at the room of", name, err)
}
