package bases

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // a pack ends with it
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

const headSize = 12 // bytes before the first object of a pack

// writer writes one pack and its index. After an error it does nothing more.
type writer struct {
	dir   string
	file  *os.File
	buf   *bufio.Writer
	index idxfile.Writer
	count uint32
	size  int64
	err   error
}

func newWriter(dir string) *writer {
	w := &writer{dir: dir, size: headSize}
	if w.err = os.MkdirAll(dir, 0o700); w.err != nil {
		return w
	}
	removeLeftovers(dir)
	if w.file, w.err = os.CreateTemp(dir, tempPattern); w.err == nil {
		w.buf = bufio.NewWriterSize(w.file, 1<<18)
		_, w.err = w.buf.Write(make([]byte, headSize)) // finish knows how many objects there are
	}
	return w
}

const tempPattern = ".new-*"

// removeLeftovers deletes what a process that was killed was writing. One that still writes loses
// nothing but the contents it keeps.
func removeLeftovers(dir string) {
	old, _ := filepath.Glob(filepath.Join(dir, tempPattern)) // the patterns are well formed
	packs, _ := filepath.Glob(filepath.Join(dir, "pack-*.pack"))
	for _, path := range packs {
		if _, err := os.Lstat(strings.TrimSuffix(path, ".pack") + ".idx"); errors.Is(err, os.ErrNotExist) {
			old = append(old, path)
		}
	}
	for _, path := range old {
		_ = os.Remove(path)
	}
}

func (w *writer) add(name plumbing.Hash, record []byte) {
	if w.err != nil {
		return
	}
	w.index.Add(name, uint64(w.size), crc32.ChecksumIEEE(record))
	_, w.err = w.buf.Write(record)
	w.count++
	w.size += int64(len(record))
}

// finish gives the pack its head, its checksum, its index and its name, which it returns without a
// suffix.
func (w *writer) finish() (path string, err error) {
	if w.file == nil {
		return "", w.err
	}
	defer os.Remove(w.file.Name())
	defer w.file.Close()
	if w.err == nil {
		w.err = w.buf.Flush()
	}
	if w.err != nil {
		return "", w.err
	}
	sum, err := w.seal()
	if err != nil {
		return "", err
	}
	path = filepath.Join(w.dir, "pack-"+sum.String())
	if err := errors.Join(w.file.Close(), os.Rename(w.file.Name(), path+".pack")); err != nil {
		return "", err
	}
	return path, w.writeIndex(path+".idx", sum)
}

// seal writes the head and the checksum.
func (w *writer) seal() (plumbing.Hash, error) {
	head := binary.BigEndian.AppendUint32([]byte("PACK"), packfile.VersionSupported)
	if _, err := w.file.WriteAt(binary.BigEndian.AppendUint32(head, w.count), 0); err != nil {
		return plumbing.ZeroHash, err
	}
	h := sha1.New() //nolint:gosec // see the import
	if _, err := io.Copy(h, io.NewSectionReader(w.file, 0, w.size)); err != nil {
		return plumbing.ZeroHash, err
	}
	sum := plumbing.Hash(h.Sum(nil))
	_, err := w.file.WriteAt(sum[:], w.size)
	return sum, err
}

func (w *writer) writeIndex(path string, sum plumbing.Hash) error {
	if err := w.index.OnFooter(sum); err != nil {
		return err
	}
	index, err := w.index.Index()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(w.dir, tempPattern)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = idxfile.NewEncoder(f).Encode(index)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
