package compression

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"mirror/internal/atomicfile"
	"mirror/internal/regular"
)

// Digest is the SHA-256 of a file's bytes.
type Digest = [sha256.Size]byte

// Variant is a file in one coding.
type Variant struct {
	Body []byte
	// Saves reports whether the variant is enough smaller than the file to be worth its header fields.
	Saves bool
	// Tag and Length are the values of ETag and Content-Length. The tag is that of the variant's own bytes.
	Tag, Length []string
}

// leastSaving is by how many bytes a variant must be smaller than the file.
const leastSaving = 64

func newVariant(body []byte, size int) *Variant {
	sum := sha256.Sum256(body)
	return &Variant{
		Body: body, Saves: len(body)+leastSaving <= size,
		Tag: []string{`"` + hex.EncodeToString(sum[:]) + `"`}, Length: []string{strconv.Itoa(len(body))},
	}
}

type key struct {
	digest Digest
	coding Coding
}

// Store keeps variants by the digest of the file: in memory, and in a folder if it has one. It is safe for concurrent use.
type Store struct {
	dir       string // "" for none
	maxMemory int64
	maxDisk   int64

	mu     sync.RWMutex
	kept   map[key]*Variant
	bytes  int64
	making map[key]*making
	onDisk int64 // bytes in the folder; negative before it was looked at
}

// making is a variant that is being made. variant and err are set when done is closed.
type making struct {
	done    chan struct{}
	variant *Variant
	err     error
}

// NewStore returns a store that keeps at most so many bytes in memory, and as many times ten in a folder; dir is ""
// for none.
func NewStore(dir string, maxMemory int64) *Store {
	return &Store{dir: dir, maxMemory: maxMemory, maxDisk: 10 * maxMemory, kept: map[key]*Variant{}, making: map[key]*making{}, onDisk: -1}
}

// Lookup returns a variant that is in memory, nil for none.
func (s *Store) Lookup(digest Digest, c Coding) *Variant {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.kept[key{digest, c}]
}

// Get returns the variant of the file that has the digest and the body. Several that ask at once share the work.
func (s *Store) Get(digest Digest, c Coding, body []byte) (*Variant, error) {
	k := key{digest, c}
	s.mu.Lock()
	if v := s.kept[k]; v != nil {
		s.mu.Unlock()
		return v, nil
	}
	m, others := s.making[k]
	if !others {
		m = &making{done: make(chan struct{})}
		s.making[k] = m
	}
	s.mu.Unlock()
	if others {
		<-m.done
		return m.variant, m.err
	}
	m.variant, m.err = s.make(k, body)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.making, k)
	if m.err == nil {
		s.keep(k, m.variant)
	}
	close(m.done)
	return m.variant, m.err
}

// errChanged says that a file was replaced while it was read.
var errChanged = errors.New("the file was changed while it was read")

// make reads a variant from the folder, or makes it and puts it there.
func (s *Store) make(k key, body []byte) (*Variant, error) {
	if sha256.Sum256(body) != k.digest {
		return nil, errChanged
	}
	if s.dir == "" {
		made, err := Encode(k.coding, body)
		if err != nil {
			return nil, err
		}
		return newVariant(made, len(body)), nil
	}
	name := s.file(k)
	if known, err := regular.ReadFile(name, int64(len(body))+1<<20); err == nil && decodesTo(k.coding, known, body) {
		now := time.Now()
		_ = os.Chtimes(name, now, now) // it is among those that are removed last
		return newVariant(known, len(body)), nil
	}
	made, err := Encode(k.coding, body)
	if err != nil {
		return nil, err
	}
	// What cannot be kept is made again by the next run.
	if err := errors.Join(os.MkdirAll(s.dir, 0o700), atomicfile.WriteFile(name, made, 0o600)); err == nil {
		s.prune(int64(len(made)))
	}
	return newVariant(made, len(body)), nil
}

// file is where a variant is kept.
func (s *Store) file(k key) string {
	return filepath.Join(s.dir, hex.EncodeToString(k.digest[:])+"."+string(k.coding))
}

// keep adds a variant to those in memory. Others make room for it. The caller must hold mu.
func (s *Store) keep(k key, v *Variant) {
	size := int64(len(v.Body))
	if size > s.maxMemory/4 {
		return
	}
	for other, kept := range s.kept {
		if s.bytes+size <= s.maxMemory {
			break
		}
		s.bytes -= int64(len(kept.Body))
		delete(s.kept, other)
	}
	s.kept[k] = v
	s.bytes += size
}

// prune removes the variants that were used least recently, where so many bytes more are too many.
func (s *Store) prune(added int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.onDisk >= 0 {
		s.onDisk += added
	}
	if s.onDisk >= 0 && s.onDisk <= s.maxDisk {
		return
	}
	files := s.files()
	s.onDisk = 0
	for _, f := range files {
		s.onDisk += f.Size()
	}
	for _, f := range files {
		if s.onDisk <= s.maxDisk*9/10 {
			return
		}
		if os.Remove(filepath.Join(s.dir, f.Name())) == nil {
			s.onDisk -= f.Size()
		}
	}
}

// files lists the variants in the folder, that which was used least recently first.
func (s *Store) files() []fs.FileInfo {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil
	}
	var files []fs.FileInfo
	for _, e := range entries {
		stem, coding, _ := strings.Cut(e.Name(), ".")
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && len(stem) == 2*sha256.Size && slices.Contains(preferred, Coding(coding)) {
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return cmp.Compare(a.ModTime().UnixNano(), b.ModTime().UnixNano()) })
	return files
}
