package objects

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // a pack ends with it
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"os"
	"runtime"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/klauspost/compress/zlib"
	"golang.org/x/sync/errgroup"
)

// Item is one object that goes into a pack.
type Item struct {
	Kind plumbing.ObjectType
	Size int64
	// open gives the content. It is called once.
	Open func() (io.ReadCloser, error)
	// base is an object that the receiver has and the content is a delta against; zero
	// for none.
	base plumbing.Hash
}

// Content makes an item of what is in memory.
func Content(kind plumbing.ObjectType, b []byte) Item {
	return Item{Kind: kind, Size: int64(len(b)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b)), nil
	}}
}

// minDelta is the size in bytes below which a tree is sent whole.
const minDelta = 512

// TreeItem sends a tree as what separates it from the old one, where that is less: the
// hashes in a tree do not compress.
func TreeItem(f, old Folder, thin bool) Item {
	if thin && len(old.Raw) > 0 && len(f.Raw) >= minDelta {
		if delta := packfile.DiffDelta(old.Raw, f.Raw); len(delta) < len(f.Raw)/2 {
			it := Content(plumbing.REFDeltaObject, delta)
			it.base = old.Tree
			return it
		}
	}
	return Content(plumbing.TreeObject, f.Raw)
}

// Pack is a pack in a temporary file.
type Pack struct {
	File *os.File
	Size int64
}

// Close deletes the pack.
func (p *Pack) Close() error {
	err := p.File.Close()
	if rm := os.Remove(p.File.Name()); !errors.Is(rm, os.ErrNotExist) {
		err = errors.Join(err, rm)
	}
	return err
}

// inMemory is the size in bytes up to which an object is compressed beside others, in
// memory; a larger one is streamed, one at a time.
const inMemory = 1 << 20

// NewPack writes a pack, compressing in parallel. See gitformat-pack(5).
func NewPack(ctx context.Context, items []Item) (*Pack, error) {
	f, err := os.CreateTemp("", "mirror-push-*.pack")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name()) // where that is possible, nothing is left of a killed process
	p := &Pack{File: f}
	if p.Size, err = writePack(ctx, f, items); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func writePack(ctx context.Context, f io.Writer, items []Item) (int64, error) {
	w := &packWriter{file: f, sum: sha1.New()} //nolint:gosec // see the import
	if err := w.header(len(items)); err != nil {
		return 0, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, it := range items {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return w.add(it)
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	return w.finish()
}

// packWriter writes objects one after the other. Their order does not matter: no object
// is a delta against another of the same pack.
type packWriter struct {
	mu    sync.Mutex
	file  io.Writer
	sum   hash.Hash
	size  int64
	spare sync.Pool // of *deflater
}

// deflater is what one compression needs.
type deflater struct {
	z   *zlib.Writer
	buf bytes.Buffer
}

func (w *packWriter) Write(p []byte) (int, error) {
	n, err := w.file.Write(p)
	w.sum.Write(p[:n])
	w.size += int64(n)
	return n, err
}

func (w *packWriter) header(count int) error {
	head := binary.BigEndian.AppendUint32([]byte("PACK"), packfile.VersionSupported)
	_, err := w.Write(binary.BigEndian.AppendUint32(head, uint32(count)))
	return err
}

func (w *packWriter) finish() (int64, error) {
	_, err := w.Write(w.sum.Sum(nil))
	return w.size, err
}

func (w *packWriter) add(it Item) error {
	d, _ := w.spare.Get().(*deflater)
	if d == nil {
		d = &deflater{z: zlib.NewWriter(nil)}
	}
	defer w.spare.Put(d)
	d.buf.Reset()
	d.buf.Write(objectHeader(it))
	if it.Size <= inMemory {
		if err := d.deflate(&d.buf, it); err != nil {
			return err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		_, err := w.Write(d.buf.Bytes())
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.Write(d.buf.Bytes()); err != nil {
		return err
	}
	return d.deflate(w, it)
}

// deflate reads an object to its end, where a file of the site proves that its bytes are
// the manifest's.
func (d *deflater) deflate(to io.Writer, it Item) error {
	r, err := it.Open()
	if err != nil {
		return err
	}
	d.z.Reset(to)
	_, err = io.Copy(d.z, r)
	return errors.Join(err, r.Close(), d.z.Close())
}

// objectHeader is the type and size, in groups of four and then seven bits, lowest first,
// and the name of a delta's base.
func objectHeader(it Item) []byte {
	size := uint64(it.Size)
	b := byte(it.Kind)<<4 | byte(size&0x0f)
	var head []byte
	for size >>= 4; size > 0; size >>= 7 {
		head = append(head, b|0x80)
		b = byte(size & 0x7f)
	}
	head = append(head, b)
	if it.Kind == plumbing.REFDeltaObject {
		head = append(head, it.base[:]...)
	}
	return head
}

// packOf is a pack of a commit with all its trees.
func packOf(s *Snapshot) (*Pack, error) {
	items := []Item{Content(plumbing.CommitObject, s.Raw)}
	seen := map[plumbing.Hash]bool{}
	for _, f := range s.Folders {
		if !seen[f.Tree] {
			seen[f.Tree] = true
			items = append(items, Content(plumbing.TreeObject, f.Raw))
		}
	}
	return NewPack(context.Background(), items)
}
