package blobs

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"mirror/internal/regular"
	"mirror/site"
)

// partial begins the names of files that are being written.
const partial = "partial-"

// disk holds contents in files that are named by their digests.
type disk struct {
	dir   string
	bound int64
	// writeFile writes to a file at an offset.
	writeFile func(f *os.File, p []byte, at int64) (int, error)
	hear      func(error) // of what cannot be written; nil for none

	mu      sync.Mutex // guards what follows
	known   map[site.Digest]*entry
	handles map[site.Digest]*file // large files that are verified and open
	bytes   int64
	tick    int64 // grows with each use
	damaged int64
	heard   time.Time // when hear was last told
}

// entry is a file that was there when it was last used.
type entry struct {
	digest site.Digest
	size   int64
	used   int64
}

// open makes the folder and lists what an earlier run has left.
func (d *disk) open(dir string) error {
	d.dir, d.known, d.handles = dir, map[site.Digest]*entry{}, map[site.Digest]*file{}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	listed, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var ages []aged
	for _, e := range listed {
		if strings.HasPrefix(e.Name(), partial) {
			_ = os.Remove(filepath.Join(dir, e.Name())) // of a run that was killed
			continue
		}
		digest, err := site.ParseDigest(e.Name())
		info, infoErr := e.Info()
		if err != nil || infoErr != nil || !info.Mode().IsRegular() {
			continue // not ours
		}
		ages = append(ages, aged{&entry{digest: digest, size: info.Size()}, info.ModTime().UnixNano()})
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	slices.SortFunc(ages, func(a, b aged) int { return cmp.Compare(a.time, b.time) })
	for _, a := range ages {
		d.note(a.entry)
	}
	d.makeRoom()
	return nil
}

type aged struct {
	*entry
	time int64
}

// note counts a file. The caller must hold mu.
func (d *disk) note(e *entry) {
	if old := d.known[e.digest]; old != nil {
		d.bytes -= old.size
	}
	d.tick++
	e.used = d.tick
	d.known[e.digest] = e
	d.bytes += e.size
}

// makeRoom deletes what was not used for longest until the bound is kept, and a little more, so that it
// need not be done at each write. The caller must hold mu.
func (d *disk) makeRoom() {
	if d.bytes > d.bound {
		d.shrink(d.bound - d.bound/10)
	}
}

// free deletes what was not used for longest until so many bytes have room, and a little more. It reports whether it
// has deleted anything.
func (d *disk) free(bytes int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.bytes
	d.shrink(d.bytes - bytes - d.bytes/10)
	return d.bytes < before
}

// shrink deletes what was not used for longest until so many bytes are left. The caller must hold mu.
func (d *disk) shrink(left int64) {
	all := make([]*entry, 0, len(d.known))
	for _, e := range d.known {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *entry) int { return cmp.Compare(a.used, b.used) })
	for _, e := range all {
		if d.bytes <= left {
			return
		}
		d.forget(e)
	}
}

// troubleAgain is how often it is told at most that a content cannot be written.
const troubleAgain = time.Minute

// trouble tells why a content cannot be written.
func (d *disk) trouble(err error) {
	d.mu.Lock()
	due := d.hear != nil && (d.heard.IsZero() || time.Since(d.heard) > troubleAgain)
	if due {
		d.heard = time.Now()
	}
	d.mu.Unlock()
	if due {
		d.hear(err)
	}
}

// forget deletes a file. The caller must hold mu.
func (d *disk) forget(e *entry) {
	if f := d.handles[e.digest]; f != nil {
		delete(d.handles, e.digest)
		f.leave()
	}
	_ = os.Remove(d.path(e.digest)) // a file that stays is counted again by the next run
	delete(d.known, e.digest)
	d.bytes -= e.size
}

func (d *disk) path(digest site.Digest) string { return filepath.Join(d.dir, digest.String()) }

func (d *disk) has(digest site.Digest) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known[digest] != nil
}

// sizeOf returns how large a file was when it was last used.
func (d *disk) sizeOf(digest site.Digest) (size int64, there bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.known[digest]
	if e == nil {
		return 0, false
	}
	return e.size, true
}

func (d *disk) drop(digest site.Digest) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.known[digest]; e != nil {
		d.forget(e)
	}
}

func (d *disk) usage() Usage {
	d.mu.Lock()
	defer d.mu.Unlock()
	return Usage{Disk: d.bytes, Files: len(d.known), Damaged: d.damaged}
}

// opened returns a large file that is open and verified, nil for none.
func (d *disk) opened(digest site.Digest) *file {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.handles[digest]
	if f == nil {
		return nil
	}
	d.touch(digest)
	f.join()
	return f
}

// touch says that a file is in use. The caller must hold mu.
func (d *disk) touch(digest site.Digest) {
	if e := d.known[digest]; e != nil {
		d.tick++
		e.used = d.tick
	}
}

// read verifies a file: it returns the bytes of a small one, a large one open, and neither where the
// file is not there or does not hold the content.
func (d *disk) read(digest site.Digest) ([]byte, *file) {
	expected, there := d.sizeOf(digest)
	if !there {
		return nil, nil
	}
	f, err := regular.Open(d.path(digest))
	if err != nil {
		d.drop(digest)
		return nil, nil
	}
	data, size, err := verify(f, digest, expected)
	if err != nil {
		_ = f.Close() // only read
		d.spoilt(digest)
		return nil, nil
	}
	if data != nil {
		_ = f.Close() // only read
		d.mu.Lock()
		defer d.mu.Unlock()
		d.touch(digest)
		return data, nil
	}
	return nil, d.hold(digest, newFile(f, size, ""))
}

func (d *disk) spoilt(digest site.Digest) {
	d.drop(digest)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.damaged++
}

var errDamaged = errors.New("the file does not hold the bytes of its digest")

// verify compares a file, which is expected to be of a size, with its digest, and returns the bytes of a small one.
func verify(f *os.File, digest site.Digest, expected int64) ([]byte, int64, error) {
	data := make([]byte, min(expected, Small)+1) // a byte more shows the end
	n, err := io.ReadFull(f, data)
	h, size := sha256.New(), int64(n)
	h.Write(data[:n])
	switch {
	case err == nil:
		more, err := io.Copy(h, f)
		if err != nil {
			return nil, 0, err
		}
		size += more
	case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, 0, err
	}
	if data = data[:n]; size > Small {
		data = nil
	}
	if site.Digest(h.Sum(nil)) != digest {
		return nil, 0, errDamaged
	}
	return data, size, nil
}

// maxOpen is how many large files are kept open.
const maxOpen = 64

// hold keeps a large file open, and returns it for the caller to use too.
func (d *disk) hold(digest site.Digest, f *file) *file {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.known[digest]; e == nil || e.size != f.size {
		return f // it was dropped at the same time: the caller alone uses it
	}
	for other, old := range d.handles {
		if len(d.handles) < maxOpen && other != digest {
			continue
		}
		delete(d.handles, other)
		old.leave()
	}
	d.handles[digest] = f
	f.join()
	d.touch(digest)
	return f
}

func (d *disk) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for digest, f := range d.handles {
		delete(d.handles, digest)
		f.leave()
	}
}
