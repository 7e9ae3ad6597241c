package objects

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"

	"mirror/site"
)

// Bounds of what a remote may send us, far above any site.
const (
	maxObjects    = 4 << 20
	maxBlob       = 4 << 30   // bytes, of one file
	maxTree       = 256 << 20 // bytes, of one folder's list or one commit
	bigObject     = 4 << 20   // bytes; larger ones are not held in memory
	maxDeltaStart = 20        // bytes: the two sizes a delta begins with
)

// ErrTooMuch is the error for what is beyond these bounds.
var ErrTooMuch = errors.New("the remote sends more than any site needs")

// Store is the objects of one pack, in a temporary folder.
type Store struct {
	dir  string
	file billy.File
	pack *packfile.Packfile
}

// NewStore keeps what fill writes, which must be a whole pack, and indexes it.
func NewStore(fill func(io.Writer) error) (*Store, error) {
	dir, err := os.MkdirTemp("", "mirror-git-")
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir}
	if err = writeFile(filepath.Join(dir, packName), fill); err == nil {
		err = s.index()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

const packName = "pack"

func writeFile(path string, fill func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = fill(w)
	return errors.Join(err, w.Flush(), f.Close())
}

func (s *Store) index() error {
	if err := checkPack(filepath.Join(s.dir, packName)); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	fs := osfs.New(s.dir, osfs.WithBoundOS())
	file, err := fs.Open(packName)
	if err != nil {
		return err
	}
	s.file = file
	index := &idxfile.Writer{}
	parser, err := packfile.NewParser(packfile.NewScanner(file), index)
	if err != nil {
		return err
	}
	if _, err := parser.Parse(); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	offsets, err := index.Index()
	if err != nil {
		return err
	}
	s.pack = packfile.NewPackfile(offsets, fs, file, bigObject)
	return nil
}

// checkPack looks through a pack before anything of it is held in memory: what unpacks
// to more than it may is refused here.
func checkPack(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	scan := packfile.NewScanner(f)
	_, count, err := scan.Header()
	if err != nil {
		return err
	}
	if count > maxObjects {
		return fmt.Errorf("%d objects: %w", count, ErrTooMuch)
	}
	for range count {
		if err := checkObject(scan); err != nil {
			return err
		}
	}
	return nil
}

func checkObject(scan *packfile.Scanner) error {
	head, err := scan.NextObjectHeader()
	if err != nil {
		return err
	}
	limit := int64(maxTree)
	if head.Type == plumbing.BlobObject || head.Type.IsDelta() {
		limit = maxBlob
	}
	if head.Length > limit {
		return fmt.Errorf("an object of %d bytes: %w", head.Length, ErrTooMuch)
	}
	if !head.Type.IsDelta() {
		return nil // the scanner skips it
	}
	var start firstBytes
	if _, _, err := scan.NextObject(&start); err != nil {
		return err
	}
	if size := start.deltaResult(); size > maxBlob {
		return fmt.Errorf("an object of %d bytes: %w", size, ErrTooMuch)
	}
	return nil
}

// firstBytes keeps the beginning of what is written to it.
type firstBytes struct{ buf []byte }

func (f *firstBytes) Write(p []byte) (int, error) {
	f.buf = append(f.buf, p[:min(len(p), maxDeltaStart-len(f.buf))]...)
	return len(p), nil
}

// deltaResult is the size of what a delta makes: the second number in it.
func (f *firstBytes) deltaResult() uint64 {
	r := bytes.NewReader(f.buf)
	_, _ = leb128(r) // the base's size
	size, err := leb128(r)
	if err != nil {
		return 0 // no delta at all: the parser says so
	}
	return size
}

func leb128(r io.ByteReader) (n uint64, err error) {
	for shift := 0; shift < 64; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n, nil
		}
	}
	return 0, ErrTooMuch
}

// Read gives a small object's content: a tree or a commit.
func (s *Store) Read(kind plumbing.ObjectType, name plumbing.Hash) ([]byte, error) {
	obj, err := s.pack.Get(name)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", kind, name, err)
	}
	if obj.Type() != kind || obj.Size() > maxTree {
		return nil, fmt.Errorf("%s %s: it is a %s of %d bytes", kind, name, obj.Type(), obj.Size())
	}
	r, err := obj.Reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	content := make([]byte, obj.Size())
	if _, err := io.ReadFull(r, content); err != nil {
		return nil, err
	}
	return content, nil
}

// Close deletes the pack.
func (s *Store) Close() error {
	var err error
	if s.file != nil {
		err = s.file.Close()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Hash streams a blob's content.
func (s *Store) Hash(blob plumbing.Hash) (site.File, error) {
	obj, err := s.pack.Get(blob)
	if err != nil {
		return site.File{}, err
	}
	if obj.Type() != plumbing.BlobObject {
		return site.File{}, fmt.Errorf("%s is a %s", blob, obj.Type())
	}
	r, err := obj.Reader()
	if err != nil {
		return site.File{}, err
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		return site.File{}, err
	}
	return site.File{Size: n, Digest: site.Digest(h.Sum(nil))}, nil
}
