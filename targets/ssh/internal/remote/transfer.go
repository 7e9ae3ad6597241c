package remote

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"mirror/site"
)

// Modes are those of the files and folders that are made, whatever the umask of the account is.
type Modes struct{ File, Folder fs.FileMode }

// umask leaves new folders, and files with the mode in their header, with these modes.
func (m Modes) umask() string { return fmt.Sprintf("%03o", 0o777&^m.Folder) }

// perFile is how long a host may take for a file.
const perFile = 5 * time.Millisecond

// Link gives files below the folder from second names below the folder to, and makes the folders around
// them. It reports whether all of them have them: else some may.
func (h *Host) Link(ctx context.Context, from, to string, paths []string, m Modes) (bool, error) {
	if len(paths) == 0 {
		return true, nil
	}
	if h.has(ctx, "cp") && h.has(ctx, "xargs") {
		local := make([]string, len(paths))
		for i, p := range paths {
			local[i] = "./" + p
		}
		err := h.script(ctx, scriptLink, []string{from, to, m.umask()}, names(local), nil, time.Duration(len(paths))*perFile)
		if err == nil || ctx.Err() != nil {
			return err == nil, err
		}
	}
	return h.linkEach(ctx, from, to, paths, m)
}

// linkEach has the sftp server make the links.
func (h *Host) linkEach(ctx context.Context, from, to string, paths []string, m Modes) (bool, error) {
	can := false
	err := h.do(ctx, func(s *session) error { _, can = s.client.HasExtension(hardlink); return nil })
	if err != nil || !can {
		return false, err
	}
	if err := h.MakeFolders(ctx, to, paths, m); err != nil {
		return false, err
	}
	all := true
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4 * atOnce)
	results := make([]bool, len(paths))
	for i, p := range paths {
		group.Go(func() error {
			err := h.do(ctx, func(s *session) error {
				if err := s.client.Link(path.Join(from, p), path.Join(to, p)); s.lost(err) || err == nil {
					results[i] = err == nil
					return err
				}
				return nil // the file is sent
			})
			return at("link", p, err)
		})
	}
	err = group.Wait()
	for _, done := range results {
		all = all && done
	}
	return all && err == nil, err
}

// MakeFolders makes the folders around files below the folder to.
func (h *Host) MakeFolders(ctx context.Context, to string, paths []string, m Modes) error {
	for _, level := range levels(paths) {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(atOnce)
		for _, folder := range level {
			group.Go(func() error { return h.makeFolder(ctx, path.Join(to, folder), m) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// makeFolder makes a folder that may be there already.
func (h *Host) makeFolder(ctx context.Context, name string, m Modes) error {
	err := h.Mkdir(ctx, name)
	if err == nil {
		return h.FolderMode(ctx, name, m)
	}
	if info, statErr := h.Lstat(ctx, name); statErr == nil && info.IsDir() {
		return nil
	}
	return err
}

// FolderMode gives a folder its mode. Its bits that are no permissions stay as they are, as far as the server
// lets them: the group of a folder's files may depend on one.
func (h *Host) FolderMode(ctx context.Context, name string, m Modes) error {
	info, err := h.Lstat(ctx, name)
	if err != nil || info.Mode().Perm() == m.Folder {
		return err
	}
	if special := info.Mode() & (fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky); special != 0 && h.Chmod(ctx, name, special|m.Folder) == nil {
		return nil
	}
	return h.Chmod(ctx, name, m.Folder)
}

// levels lists the folders around files, the outer ones first.
func levels(paths []string) (all [][]string) {
	seen := map[string]bool{".": true}
	for _, p := range paths {
		for d := path.Dir(p); !seen[d]; d = path.Dir(d) {
			seen[d] = true
			depth := strings.Count(d, "/")
			for len(all) <= depth {
				all = append(all, nil)
			}
			all[depth] = append(all[depth], d)
		}
	}
	for _, level := range all {
		slices.Sort(level)
	}
	return all
}

// Upload is files to send.
type Upload struct {
	Files []site.File
	Open  func(ctx context.Context, f site.File) (io.ReadCloser, error)
	Sent  func(files int, bytes int64)
	Modes Modes
}

// Send makes files below a folder, in which none of them is: as one stream where the host has a shell with
// tar, else file by file.
func (h *Host) Send(ctx context.Context, to string, u Upload) error {
	if len(u.Files) == 0 {
		return nil
	}
	if h.has(ctx, "tar") {
		script := scriptUnpack0
		if h.has(ctx, "tar --no-same-permissions") {
			script = scriptUnpack
		}
		feed := func(w io.Writer) error { return u.archive(ctx, w) }
		return h.script(ctx, script, []string{to, u.Modes.umask()}, feed, nil, time.Duration(len(u.Files))*perFile)
	}
	return h.sendEach(ctx, to, u)
}

// pieceSize is how many bytes an archive is written in: ssh makes a packet of each piece, at most of 32 KiB, and a piece
// that takes longer than the host may be silent for is a stall.
const pieceSize = 32 << 10

// archive writes a tar archive of the files. The format is one that each tar reads.
func (u Upload) archive(ctx context.Context, w io.Writer) error {
	pieces := bufio.NewWriterSize(w, pieceSize)
	t, buf := tar.NewWriter(pieces), make([]byte, pieceSize)
	for _, f := range u.Files {
		err := t.WriteHeader(&tar.Header{
			Typeflag: tar.TypeReg, Name: "./" + f.Path, Size: f.Size, Mode: int64(u.Modes.File),
			ModTime: time.Now(), Format: tar.FormatGNU,
		})
		if err == nil {
			err = u.copyTo(ctx, t, f, buf)
		}
		if err != nil {
			return err
		}
		if u.Sent != nil {
			u.Sent(1, f.Size)
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return pieces.Flush()
}

// copyTo copies a file by way of buf. Its own errors are told from those of the way to the host.
func (u Upload) copyTo(ctx context.Context, w io.Writer, f site.File, buf []byte) error {
	r, err := u.Open(ctx, f)
	if err != nil {
		return errFeed{fmt.Errorf("%q: %w", f.Path, err)}
	}
	defer r.Close()
	source := &reading{Reader: r}
	n, err := io.CopyBuffer(w, source, buf)
	switch {
	case source.err != nil:
		return errFeed{fmt.Errorf("%q: %w", f.Path, source.err)}
	case errors.Is(err, tar.ErrWriteTooLong) || err == nil && n != f.Size:
		return errFeed{fmt.Errorf("%q: %w", f.Path, site.ErrChanged)}
	}
	return err
}

// reading keeps the error of a reader.
type reading struct {
	io.Reader
	err error
}

// Read keeps an error that is not the end.
func (r *reading) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// sendEach has the sftp server make the files.
func (h *Host) sendEach(ctx context.Context, to string, u Upload) error {
	paths := make([]string, len(u.Files))
	for i, f := range u.Files {
		paths[i] = f.Path
	}
	if err := h.MakeFolders(ctx, to, paths, u.Modes); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * atOnce)
	for _, f := range u.Files {
		group.Go(func() error {
			if err := h.sendOne(ctx, to, f, u); err != nil {
				return at("send", f.Path, err)
			}
			if u.Sent != nil {
				u.Sent(1, f.Size)
			}
			return nil
		})
	}
	return group.Wait()
}

func (h *Host) sendOne(ctx context.Context, to string, f site.File, u Upload) error {
	r, err := u.Open(ctx, f)
	if err != nil {
		return err
	}
	defer r.Close()
	return h.do(ctx, func(s *session) error {
		return s.write(path.Join(to, f.Path), u.Modes.File, r, f.Size)
	})
}

// Sync makes what was written below a folder durable, as far as a shell there can: without one each file was
// made durable by itself.
func (h *Host) Sync(ctx context.Context, name string) error {
	if !h.has(ctx, "sync") {
		return nil
	}
	return at("make durable", name, h.script(ctx, scriptSync, []string{name}, nil, nil, syncTime))
}

// syncTime is how long a host may take to write to its disk what it holds in memory.
const syncTime = 5 * time.Minute

// RemoveAll removes files and folders below a folder, with all that they hold. What is not there is no error.
func (h *Host) RemoveAll(ctx context.Context, folder string, all []string) error {
	if len(all) == 0 {
		return nil
	}
	if h.has(ctx, "rm") && h.has(ctx, "xargs") {
		local := make([]string, len(all))
		for i, name := range all {
			local[i] = "./" + name
		}
		if err := h.script(ctx, scriptRemove, []string{folder}, names(local), nil, syncTime); err == nil || ctx.Err() != nil {
			return err
		}
	}
	for _, name := range all {
		if err := h.removeTree(ctx, path.Join(folder, name)); err != nil {
			return err
		}
	}
	return nil
}

func (h *Host) removeTree(ctx context.Context, name string) error {
	info, err := h.Lstat(ctx, name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return h.Remove(ctx, name)
	}
	t, err := h.List(ctx, name)
	if err != nil {
		return err
	}
	if err := h.removeEach(ctx, name, t.Files); err != nil {
		return err
	}
	for _, folder := range slices.Backward(t.Folders) { // the inner ones first
		if err := h.removeFolder(ctx, path.Join(name, folder.Path)); err != nil {
			return err
		}
	}
	return h.removeFolder(ctx, name)
}

func (h *Host) removeEach(ctx context.Context, root string, files []Entry) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * atOnce)
	for _, f := range files {
		group.Go(func() error {
			if err := h.Remove(ctx, path.Join(root, f.Path)); !errors.Is(err, os.ErrNotExist) {
				return err
			}
			return nil
		})
	}
	return group.Wait()
}

func (h *Host) removeFolder(ctx context.Context, name string) error {
	err := h.do(ctx, func(s *session) error { return s.client.RemoveDirectory(name) })
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return at("remove the folder", name, err)
}

// Copy copies a regular file of about that size on the host: as a second name where there can be one, else by its bytes.
func (h *Host) Copy(ctx context.Context, from, to string, e Entry) error {
	return at("copy", from, h.do(ctx, func(s *session) error {
		if s.client.Link(from, to) == nil {
			return nil
		}
		f, err := s.client.Open(from)
		if err != nil {
			return err
		}
		return errors.Join(s.write(to, e.Mode.Perm(), f, e.Size), f.Close())
	}))
}

// Like gives a folder the mode and, where the account may do that, the owner of another.
func (h *Host) Like(ctx context.Context, name string, e Entry) error {
	return at("set the mode of", name, h.do(ctx, func(s *session) error {
		if err := s.client.Chown(name, e.owner, e.group); s.lost(err) {
			return err
		}
		return s.client.Chmod(name, e.Mode&(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky))
	}))
}
