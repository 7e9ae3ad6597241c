package builtsite

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"mirror/internal/static"
	"mirror/site"
)

// maxName bounds the name of one entry, in bytes.
const maxName = 4096

// files gathers what an archive holds. The bytes lie one behind the other in a temporary file that
// has no name of the archive's.
type files struct {
	ctx    context.Context
	limits Limits
	packed func() int64 // bytes of the archive that the files were made from so far
	spool  *static.Spool

	entries int
	names   int64
	bytes   int64
	files   map[string]file
	links   map[string]string // target by path, as the archive has it
}

type file struct {
	at     static.Section
	digest site.Digest
}

func newFiles(ctx context.Context, l Limits, packed func() int64) (*files, error) {
	spool, err := static.NewSpool("")
	if err != nil {
		return nil, err
	}
	return &files{ctx: ctx, limits: l, packed: packed, spool: spool, files: map[string]file{}, links: map[string]string{}}, nil
}

// refused is what is said of an entry that a site cannot hold.
func refused(name, reason, hint string) error {
	return fmt.Errorf("%w: %q: %s (hint: %s)", site.ErrRefused, name[:min(len(name), 200)], reason, hint)
}

// name counts an entry and returns its path, "" for the top folder and for what is no part of a site.
func (s *files) name(name string) (string, error) {
	s.entries++
	s.names += int64(len(name))
	switch {
	case s.ctx.Err() != nil:
		return "", s.ctx.Err()
	case s.entries > s.limits.Files:
		return "", fmt.Errorf("%w: it has more than %d entries", site.ErrRefused, s.limits.Files)
	case s.names > s.limits.Names:
		return "", fmt.Errorf("%w: the names of its entries have more than %d bytes", site.ErrRefused, s.limits.Names)
	case len(name) > maxName:
		return "", refused(name, "the name is longer than 4096 bytes", "shorten it")
	case strings.HasPrefix(name, "/"):
		return "", refused(name, "the name begins with a slash", "pack the folder's content with relative names: tar -C public -c .")
	}
	clean := strings.TrimSuffix(name, "/")
	for strings.HasPrefix(clean, "./") {
		clean = strings.TrimLeft(clean[2:], "/")
	}
	switch {
	case clean == "" || clean == ".":
		return "", nil
	case slices.Contains(strings.Split(clean, "/"), ".."):
		return "", refused(name, "the name leads out of the archive", "pack the folder's content with relative names: tar -C public -c .")
	case !fs.ValidPath(clean) || strings.ContainsRune(clean, 0):
		return "", refused(name, "the name is not a valid path in UTF-8", "rename the file")
	case isJunk(clean):
		return "", nil
	}
	return clean, nil
}

// isJunk reports whether a path is what packing has added: resource forks of macOS.
func isJunk(name string) bool {
	return name == "__MACOSX" || strings.HasPrefix(name, "__MACOSX/") || path.Base(name) == ".DS_Store"
}

// taken is the error for a path that is there already, nil for a new one.
func (s *files) taken(name string) error {
	_, isFile := s.files[name]
	_, isLink := s.links[name]
	if isFile || isLink {
		return refused(name, "the archive holds two entries of this name", "pack the site anew, into a new file")
	}
	return nil
}

// add adds a file of the size that the archive names.
func (s *files) add(name string, size int64, content io.Reader) error {
	if err := s.taken(name); err != nil {
		return err
	}
	if size < 0 || size > s.limits.Bytes-s.bytes {
		return fmt.Errorf("%w: %q: its files have more than %d bytes together", site.ErrRefused, name, s.limits.Bytes)
	}
	hash := sha256.New()
	at, err := s.spool.Copy(io.TeeReader(&bounded{s, content}, hash), size)
	if err != nil {
		return fmt.Errorf("read %q: %w", name, err)
	}
	if n, err := content.Read(make([]byte, 1)); n > 0 || err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %q: %w", name, errors.Join(err, errors.New("the archive is damaged")))
	}
	s.files[strings.Clone(name)] = file{at, site.Digest(hash.Sum(nil))}
	return nil
}

// bounded counts the bytes of files, and ends what is larger than it may be.
type bounded struct {
	files *files
	r     io.Reader
}

// Read reads on, and fails where the files become larger than allowed.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	f := b.files
	f.bytes += int64(n)
	switch {
	case f.ctx.Err() != nil:
		return 0, f.ctx.Err()
	case f.bytes > f.limits.Free && f.bytes/f.limits.Ratio > f.packed():
		return 0, fmt.Errorf("%w: its files are more than %d times larger than the archive (a decompression bomb?)", site.ErrRefused, f.limits.Ratio)
	}
	return n, err
}

// link adds a symbolic link. Where it leads is looked up when all entries are known.
func (s *files) link(name, target string) error {
	if err := s.taken(name); err != nil {
		return err
	}
	s.links[strings.Clone(name)] = strings.Clone(target)
	return nil
}

// hardLink adds another name of a file that is there.
func (s *files) hardLink(name, target string) error {
	if err := s.taken(name); err != nil {
		return err
	}
	f, ok := s.files[target]
	if !ok {
		return refused(name, fmt.Sprintf("a hard link to %q, which is no file before it in the archive", target), "pack the files themselves: tar --hard-dereference")
	}
	s.files[strings.Clone(name)] = f
	return nil
}

// release returns the site that was gathered.
func (s *files) release(from string) (*Site, error) {
	if err := s.resolve(); err != nil {
		return nil, err
	}
	if top := s.top(); top != "" {
		from = fmt.Sprintf("%s (its folder %s)", from, top)
		below := make(map[string]file, len(s.files))
		for name, f := range s.files {
			below[strings.TrimPrefix(name, top+"/")] = f
		}
		s.files = below
	}
	tree := make(map[string]static.Section, len(s.files))
	var m site.Manifest
	for name, f := range s.files {
		if name == site.DefaultBeacon || site.IsSums(name) || slices.Contains(strings.Split(name, "/"), ".git") {
			continue // as in a folder
		}
		tree[name] = f.at
		m = append(m, site.File{Path: name, Size: f.at.Size, Digest: f.digest})
	}
	if len(m) == 0 {
		return nil, site.ErrEmpty
	}
	m.Sort()
	rel := site.NewRelease(m, static.NewTree(s.spool, tree), site.DefaultBeacon, time.Now())
	return &Site{Release: rel, From: from, close: s.spool.Close}, nil
}

// top is the one folder that all files are in, "" where there is none or where it is no site by itself.
func (s *files) top() string {
	top := ""
	for name := range s.files {
		dir, _, nested := strings.Cut(name, "/")
		if !nested || top != "" && dir != top {
			return ""
		}
		top = dir
	}
	if _, ok := s.files[top+"/index.html"]; !ok {
		return ""
	}
	return top
}
