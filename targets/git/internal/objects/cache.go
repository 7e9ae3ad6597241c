package objects

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"mirror/internal/atomicfile"
	"mirror/internal/regular"
)

// Cache holds the last commits that were seen or made, here and in the state folder.
// A commit never changes, so nothing in it is ever stale; losing it costs a fetch.
type Cache struct {
	dir string // "" for none

	mu      sync.Mutex  // guards what follows
	snaps   []*Snapshot // the latest last
	commits []Commit
}

const (
	keepSnapshots = 3
	keepCommits   = 32
	keepFiles     = 6
)

// NewCache returns a cache that keeps its commits in the folder state, "" for none.
func NewCache(state string) *Cache {
	if state == "" {
		return &Cache{}
	}
	return &Cache{dir: filepath.Join(state, "commits")}
}

// Snapshot returns nil for a commit that is not remembered with its trees.
func (m *Cache) Snapshot(hash plumbing.Hash) *Snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.snaps {
		if s.Hash == hash {
			return s
		}
	}
	s, err := m.load(hash)
	if err != nil {
		return nil // the remote has it
	}
	m.remember(s)
	return s
}

// FindCommit returns a commit without its trees, false for one that is not remembered.
func (m *Cache) FindCommit(hash plumbing.Hash) (Commit, bool) {
	m.mu.Lock()
	i := slices.IndexFunc(m.commits, func(c Commit) bool { return c.Hash == hash })
	if i >= 0 {
		defer m.mu.Unlock()
		return m.commits[i], true
	}
	m.mu.Unlock()
	if c, err := m.loadCommit(hash); err == nil {
		m.AddCommit(c)
		return c, true
	}
	if s := m.Snapshot(hash); s != nil {
		return s.Commit, true
	}
	return Commit{}, false
}

// loadCommit reads the commit alone, which is checked by its name: the trees of a large site take a while.
func (m *Cache) loadCommit(hash plumbing.Hash) (Commit, error) {
	if m.dir == "" {
		return Commit{}, os.ErrNotExist
	}
	raw, err := regular.ReadFile(m.path(hash, commitFile), maxTree)
	if err != nil {
		return Commit{}, err
	}
	c, err := parseCommit(raw)
	if err == nil && c.Hash != hash {
		err = errOtherCommit
	}
	return c, err
}

var errOtherCommit = errors.New("the file holds another commit")

// AddCommit remembers a commit without its trees.
func (m *Cache) AddCommit(c Commit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.commits = append(m.commits, c)
	m.commits = m.commits[max(0, len(m.commits)-keepCommits):]
}

// Add remembers a snapshot, and writes it to the state folder.
func (m *Cache) Add(s *Snapshot, log *slog.Logger) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remember(s)
	if err := m.save(s); err != nil {
		log.Warn("the trees of a commit could not be kept; the next publish fetches them", "err", err)
	}
}

func (m *Cache) remember(s *Snapshot) {
	m.snaps = append(slices.DeleteFunc(m.snaps, func(o *Snapshot) bool { return o.Hash == s.Hash }), s)
	m.snaps = m.snaps[max(0, len(m.snaps)-keepSnapshots):]
}

// Endings of the files of a commit.
const (
	packFile   = ".pack"   // the commit and its trees
	commitFile = ".commit" // the commit alone
)

func (m *Cache) path(hash plumbing.Hash, ending string) string {
	return filepath.Join(m.dir, hash.String()+ending)
}

// load reads what save wrote: a pack, whose objects are checked by their names as those
// of a remote are.
func (m *Cache) load(hash plumbing.Hash) (*Snapshot, error) {
	if m.dir == "" {
		return nil, os.ErrNotExist
	}
	f, err := regular.Open(m.path(hash, packFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := NewStore(context.Background(), func(w io.Writer) error { _, err := io.Copy(w, f); return err })
	if err != nil {
		return nil, err
	}
	snap, err := s.Snapshot(hash)
	if err == nil { // it is in use: drop shall take another
		now := time.Now()
		err = os.Chtimes(m.path(hash, packFile), now, now)
	}
	return snap, errors.Join(err, s.Close())
}

func (m *Cache) save(s *Snapshot) error {
	if m.dir == "" {
		return nil
	}
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return err
	}
	p, err := packOf(s)
	if err != nil {
		return err
	}
	defer p.Close()
	if err := atomicfile.WriteFile(m.path(s.Hash, commitFile), s.Raw, 0o600); err != nil {
		return err
	}
	f, err := atomicfile.Create(m.path(s.Hash, packFile), 0o600)
	if err != nil {
		return err
	}
	defer f.Cleanup()
	if _, err := io.Copy(f, io.NewSectionReader(p.File, 0, p.Size)); err != nil {
		return err
	}
	return errors.Join(f.Replace(), m.drop())
}

// drop deletes the oldest of too many files.
func (m *Cache) drop() error {
	return errors.Join(m.dropOf(packFile, keepFiles), m.dropOf(commitFile, keepCommits))
}

// dropOf deletes all files with an ending but the latest n.
func (m *Cache) dropOf(ending string, n int) error {
	files, err := filepath.Glob(filepath.Join(m.dir, "*"+ending))
	if err != nil {
		return err
	}
	slices.SortFunc(files, func(a, b string) int { return modTime(b).Compare(modTime(a)) })
	for _, f := range files[min(len(files), n):] {
		err = errors.Join(err, os.Remove(f))
	}
	return err
}

func modTime(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{} // gone: the oldest of all
	}
	return info.ModTime()
}
