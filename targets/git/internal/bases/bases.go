// Package bases keeps the contents that were pushed, compressed as they travelled, so that the next
// change of a file can be pushed as a delta. They lie in a few packs of the state folder, each with
// its index, as git itself keeps them. Nothing rests on them: what is missing or damaged is
// pushed whole.
package bases

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/klauspost/compress/zlib"

	"mirror/internal/regular"
	"mirror/targets/git/internal/objects"
)

// Bounds of what is kept.
const (
	maxBytes  = 256 << 20 // in all packs together
	maxPacks  = 12        // before the small ones are merged
	maxIndex  = 64 << 20  // bytes of one index
	minObject = 64        // bytes; a delta of less saves nothing
	spare     = 8 << 20   // bytes of contents that are live no more, before the packs are written again
)

// Set is the contents that are kept. A nil set keeps nothing. It is safe for concurrent use.
type Set struct {
	dir   string
	packs []*pack
	known map[plumbing.Hash]place
	bytes int64 // of all packs

	mu  sync.Mutex // guards new
	new *writer    // nil before the first content is kept
}

// pack is one file with contents.
type pack struct {
	path string // without its suffix
	file *os.File
	size int64
}

// place is where an object is.
type place struct {
	pack     *pack
	at, size int64
}

// Open opens what the folder state holds, "" for none.
func Open(state string) *Set {
	if state == "" {
		return nil
	}
	s := &Set{dir: filepath.Join(state, "contents"), known: map[plumbing.Hash]place{}}
	names, _ := filepath.Glob(filepath.Join(s.dir, "pack-*.idx")) // the pattern is well formed
	for _, name := range names[:min(len(names), 4*maxPacks)] {
		s.load(name[:len(name)-len(".idx")])
	}
	return s
}

// load reads the index of a pack. A pack that is damaged is deleted.
func (s *Set) load(path string) {
	p := &pack{path: path}
	text, err := regular.ReadFile(path+".idx", maxIndex)
	index := idxfile.NewMemoryIndex()
	if err == nil {
		err = idxfile.NewDecoder(bytes.NewReader(text)).Decode(index)
	}
	if err == nil {
		p.file, err = regular.Open(path + ".pack")
	}
	if err != nil {
		p.remove()
		return
	}
	info, err := p.file.Stat()
	if err != nil {
		p.file.Close()
		return
	}
	p.size = info.Size()
	s.packs, s.bytes = append(s.packs, p), s.bytes+p.size
	s.learn(p, index)
}

// learn notes where the objects of a pack begin and end.
func (s *Set) learn(p *pack, index *idxfile.MemoryIndex) {
	entries, err := index.EntriesByOffset()
	if err != nil {
		return
	}
	defer entries.Close()
	end := p.size - int64(len(plumbing.Hash{}))
	var last *idxfile.Entry
	for {
		e, err := entries.Next()
		if err != nil {
			break
		}
		if last != nil {
			s.known[last.Hash] = place{p, int64(last.Offset), int64(e.Offset - last.Offset)}
		}
		last = e
	}
	if last != nil {
		s.known[last.Hash] = place{p, int64(last.Offset), end - int64(last.Offset)}
	}
}

// Read returns a content, nil where it is not kept.
func (s *Set) Read(name plumbing.Hash) []byte {
	if s == nil {
		return nil
	}
	record := s.record(name)
	size, rest, ok := blobHeader(record)
	if !ok {
		return nil
	}
	z, err := zlib.NewReader(bytes.NewReader(rest))
	if err != nil {
		return nil
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(z, text); err != nil || objects.Name(plumbing.BlobObject, text) != name {
		return nil
	}
	return text
}

// record is an object as it is in its pack, nil where it is not kept.
func (s *Set) record(name plumbing.Hash) []byte {
	p, ok := s.known[name]
	if !ok || p.size <= 0 || p.size > objects.MaxDelta+1024 {
		return nil
	}
	record := make([]byte, p.size)
	if _, err := p.pack.file.ReadAt(record, p.at); err != nil {
		return nil
	}
	return record
}

// blobHeader reads the size of a blob's content, and returns what follows it.
func blobHeader(record []byte) (size int64, rest []byte, ok bool) {
	if len(record) == 0 || plumbing.ObjectType(record[0]>>4&7) != plumbing.BlobObject {
		return 0, nil, false
	}
	size = int64(record[0] & 0x0f)
	i, shift := 0, 4
	for ; record[i]&0x80 != 0; shift += 7 {
		if i++; i == len(record) || shift > 32 {
			return 0, nil, false
		}
		size |= int64(record[i]&0x7f) << shift
	}
	return size, record[i+1:], size <= objects.MaxDelta
}

// Keep takes an object in, as it is in a pack, where another version of it may become a delta: not
// what is tiny or does not compress.
func (s *Set) Keep(name plumbing.Hash, size int64, record []byte) {
	if s == nil || size < minObject || size > objects.MaxDelta || int64(len(record)) > size*7/8 {
		return
	}
	if _, have := s.known[name]; have {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.new == nil {
		s.new = newWriter(s.dir)
	}
	if s.new.size+int64(len(record)) <= maxBytes {
		s.new.add(name, record)
	}
}

// Close stores what was taken in, and drops what live does not hold where there is too much of it.
// What fails is an error to report; nothing else changes by it.
func (s *Set) Close(live map[plumbing.Hash]bool) error {
	if s == nil {
		return nil
	}
	var err error
	var drop []*pack
	var path string
	if s.new != nil {
		drop = s.merge(live)
		path, err = s.new.finish()
	}
	for _, p := range s.packs {
		p.file.Close()
	}
	if err != nil {
		return err
	}
	for _, p := range drop {
		if p.path != path {
			p.remove()
		}
	}
	return nil
}

// merge copies what live holds of packs that are to be dropped into the new one, and returns them: of
// too many those that are small, and all where most of the bytes are live no more.
func (s *Set) merge(live map[plumbing.Hash]bool) []*pack {
	used := int64(0)
	for name := range live {
		used += s.known[name].size
	}
	dead := s.bytes - used
	var drop []*pack
	for _, p := range s.packs {
		if dead > used+spare || s.bytes+s.new.size > maxBytes || len(s.packs) >= maxPacks && p.size <= s.bytes/4 {
			drop = append(drop, p)
		}
	}
	for name := range live {
		if p, ok := s.known[name]; !ok || !slices.Contains(drop, p.pack) || s.new.size+p.size > maxBytes {
			continue
		}
		if record := s.record(name); record != nil {
			s.new.add(name, record)
		}
	}
	return drop
}

func (p *pack) remove() {
	_ = os.Remove(p.path + ".idx")  // without it the pack counts as missing
	_ = os.Remove(p.path + ".pack") // one that stays takes room only
}
