package site

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/sync/errgroup"

	"mirror/internal/filestamp"
	"mirror/internal/wait"
)

var (
	// ErrEmpty is Scan's answer for a site without a single file.
	ErrEmpty = errors.New("the site has no files")
	// ErrRefused is wrapped by everything in a tree that a site cannot hold: escaping,
	// dangling and looping links, sockets, unreadable files, names that are no UTF-8.
	ErrRefused = errors.New("the site holds what cannot be published")
)

// ScanOptions says what of a tree is the site.
type ScanOptions struct {
	Exclude    []string  // doublestar globs over paths; a matching folder is not entered
	BeaconPath string    // left out of the manifest, as DefaultBeacon always is; "" for no beacon
	Published  time.Time // the release's
	Cache      *Cache    // digests known from earlier scans; may be nil
	Workers    int       // files read at once; 0 for one a processor
	// Progress, if set, hears of each file as it has been hashed, from several goroutines.
	Progress func(files int, bytes int64)
}

// Scan reads a site's tree into a release. Symlinks inside the tree stand for what they
// name. Whatever cannot be published is an error that wraps ErrRefused and names it; up to
// maxProblems of them are told at once.
func Scan(ctx context.Context, fsys fs.FS, o ScanOptions) (*Release, error) {
	for _, glob := range o.Exclude {
		if !doublestar.ValidatePattern(glob) {
			return nil, fmt.Errorf("exclude: %q is no valid pattern", glob)
		}
	}
	began := time.Now()
	w := &walk{fsys: fsys, options: o}
	if err := w.folder(ctx, ".", nil); err != nil {
		return nil, err
	}
	w.validateBeacon()
	if err := w.refusal(); err != nil {
		return nil, err
	}
	if len(w.files) == 0 {
		return nil, ErrEmpty
	}
	m, err := w.hashAll(ctx)
	if err != nil {
		return nil, err
	}
	if o.Cache != nil {
		o.Cache.replace(w.cacheEntries(m), began)
	}
	m.Sort()
	return NewRelease(m, fsys, o.BeaconPath, o.Published), nil
}

// maxProblems bounds how many refusals one error names.
const maxProblems = 10

// walk finds the site's files.
type walk struct {
	fsys     fs.FS
	options  ScanOptions
	files    []found
	problems []error
	refused  int
}

// found is a file before its bytes are read.
type found struct {
	path  string
	stamp filestamp.Stamp
}

// folder visits one folder; above holds it and the folders that it is in, so that a link
// back to one of them is known as a loop.
func (w *walk) folder(ctx context.Context, dir string, above []fs.FileInfo) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	info, err := fs.Stat(w.fsys, dir)
	if err != nil {
		return fmt.Errorf("site: %w", err)
	}
	for _, a := range above {
		if os.SameFile(a, info) {
			w.refuse(dir, "a symlink that loops back to a folder above it", "remove the link or exclude it")
			return nil
		}
	}
	entries, err := fs.ReadDir(w.fsys, dir)
	if err != nil {
		w.refuse(dir, "the folder cannot be read: "+cause(err), "change its permissions or exclude it")
		return nil
	}
	above = append(above[:len(above):len(above)], info)
	for _, e := range entries {
		if err := w.entry(ctx, path.Join(dir, e.Name()), e, above); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) entry(ctx context.Context, name string, e fs.DirEntry, above []fs.FileInfo) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.excluded(name) {
		return nil
	}
	if !fs.ValidPath(name) {
		w.refuse(name, "the name is not valid UTF-8", "rename the file")
		return nil
	}
	info, err := w.stat(name, e)
	if err != nil {
		reason, hint := refusalOf(err, e)
		w.refuse(name, reason, hint)
		return nil
	}
	switch {
	case info.IsDir():
		return w.folder(ctx, name, above)
	case info.Mode().IsRegular():
		w.files = append(w.files, found{name, filestamp.Of(info)})
	default:
		w.refuse(name, "it is "+kind(info.Mode())+", not a file", "remove it or exclude it")
	}
	return nil
}

func (w *walk) excluded(name string) bool {
	base := path.Base(name)
	if base == ".git" || name == DefaultBeacon || name == w.options.BeaconPath || IsSums(name) {
		return true
	}
	return w.excludedByGlob(name)
}

// stat follows links; what is no link needs no second look-up by name.
func (w *walk) stat(name string, e fs.DirEntry) (fs.FileInfo, error) {
	if e.Type()&fs.ModeSymlink != 0 {
		return fs.Stat(w.fsys, name)
	}
	return e.Info()
}

func refusalOf(err error, e fs.DirEntry) (reason, hint string) {
	switch link := e.Type()&fs.ModeSymlink != 0; {
	case link && errors.Is(err, fs.ErrNotExist):
		return "a symlink to nothing", "make the file that it names, or remove the link"
	case link && isLoop(err):
		return "a symlink that loops", "remove the link"
	case link && strings.Contains(err.Error(), "escapes"):
		return "a symlink that leaves the site", "put the file itself there, or link to it with a relative path inside the site"
	}
	return cause(err), "change its permissions or exclude it"
}

func kind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}

func (w *walk) refuse(name, reason, hint string) {
	w.refused++
	if len(w.problems) < maxProblems {
		w.problems = append(w.problems, refusal(name, reason, hint))
	}
}

func refusal(name, reason, hint string) error {
	return fmt.Errorf("%w: %q: %s (hint: %s)", ErrRefused, name, reason, hint)
}

func (w *walk) refusal() error {
	if w.refused > len(w.problems) {
		w.problems = append(w.problems, fmt.Errorf("and %d more", w.refused-len(w.problems)))
	}
	return errors.Join(w.problems...)
}

// hashAll reads the files whose digest is not known.
func (w *walk) hashAll(ctx context.Context) (Manifest, error) {
	m := make(Manifest, len(w.files))
	buffers := sync.Pool{New: func() any { b := make([]byte, 128<<10); return &b }}
	workers := w.options.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(workers, len(w.files)) {
		group.Go(func() error {
			buf := buffers.Get().(*[]byte)
			defer buffers.Put(buf)
			for i := next.Add(1) - 1; i < int64(len(w.files)); i = next.Add(1) - 1 {
				if err := ctx.Err(); err != nil {
					return err
				}
				f, err := w.digestOf(ctx, &w.files[i], *buf)
				if err != nil {
					return err
				}
				m[i] = f
				if w.options.Progress != nil {
					w.options.Progress(1, f.Size)
				}
			}
			return nil
		})
	}
	return m, group.Wait()
}

// cacheEntries returns what a cache is to remember of the files.
func (w *walk) cacheEntries(m Manifest) map[string]entry {
	entries := make(map[string]entry, len(w.files))
	for i, f := range w.files {
		entries[f.path] = entry{f.stamp, m[i].Digest}
	}
	return entries
}

func (w *walk) digestOf(ctx context.Context, f *found, buf []byte) (File, error) {
	if d, ok := w.options.Cache.lookup(f.path, f.stamp); ok {
		return File{Path: f.path, Size: f.stamp.Size, Digest: d}, nil
	}
	const tries = 2 // an editor saves a file while it is read: once more, then it is an error
	for range tries {
		file, same, err := w.read(ctx, f, buf)
		if err != nil || same {
			return file, err
		}
	}
	return File{}, fmt.Errorf("%q: %w", f.path, ErrChanged)
}

// read hashes a file once and says whether it stayed the same meanwhile.
func (w *walk) read(ctx context.Context, f *found, buf []byte) (file File, same bool, err error) {
	r, err := w.fsys.Open(f.path)
	if err != nil {
		return File{}, false, refusal(f.path, cause(err), "change its permissions or exclude it")
	}
	defer r.Close()
	before, err := r.Stat()
	if err != nil {
		return File{}, false, fmt.Errorf("read %q: %w", f.path, err)
	}
	if !before.Mode().IsRegular() {
		return File{}, false, nil
	}
	h := sha256.New()
	n, err := io.CopyBuffer(h, wait.Reader(ctx, r), buf) // whose lack of WriteTo has the buffer used
	if err != nil {
		return File{}, false, fmt.Errorf("read %q: %w", f.path, err)
	}
	after, err := fs.Stat(w.fsys, f.path)
	if err != nil {
		return File{}, false, nil // it went away: the next try says so
	}
	f.stamp = filestamp.Of(after)
	same = filestamp.Of(before) == f.stamp && n == f.stamp.Size
	return File{Path: f.path, Size: n, Digest: Digest(h.Sum(nil))}, same, nil
}

// cause is an error's innermost text: the path is told beside it.
func cause(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}
