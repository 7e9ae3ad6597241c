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

	"mirror/targets/git/internal/delta"
)

// Item is one object that goes into a pack.
type Item struct {
	Kind plumbing.ObjectType
	Size int64
	// open gives the content. It is called once.
	Open func() (io.ReadCloser, error)
	// Name is the object's own name, zero where nothing is to be kept of it.
	Name plumbing.Hash
	// Base is an object that the receiver has: an earlier version. Zero for none.
	Base plumbing.Hash
}

// Contents are blobs that are at hand, whose later versions can be packed as deltas.
type Contents interface {
	// Read returns a content, nil where it is not at hand.
	Read(name plumbing.Hash) []byte
	// Keep takes in an object of so many bytes, as it is in a pack.
	Keep(name plumbing.Hash, size int64, record []byte)
}

// none is no contents.
type none struct{}

// Read returns nil.
func (none) Read(plumbing.Hash) []byte { return nil }

// Keep does nothing.
func (none) Keep(plumbing.Hash, int64, []byte) {}

// MaxDelta is the size in bytes up to which a file is packed as a delta, and kept for the next one.
const MaxDelta = 4 << 20

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
		if d := delta.Encode(old.Raw, f.Raw, len(f.Raw)/2); d != nil {
			it := Content(plumbing.REFDeltaObject, d)
			it.Base = old.Tree
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
	return NewThinPack(ctx, items, none{})
}

// NewThinPack writes a pack in which objects are deltas against their bases, where those are at hand
// and that is less. The contents are kept for later ones.
func NewThinPack(ctx context.Context, items []Item, at Contents) (*Pack, error) {
	f, err := os.CreateTemp("", "mirror-push-*.pack")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name()) // where that is possible, nothing is left of a killed process
	p := &Pack{File: f}
	if p.Size, err = writePack(ctx, f, items, at); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func writePack(ctx context.Context, f io.Writer, items []Item, at Contents) (int64, error) {
	w := &packWriter{file: f, sum: sha1.New(), at: at} //nolint:gosec // see the import
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
	at    Contents
	large sync.Mutex // held while a large object is in memory

	mu    sync.Mutex // guards what follows
	file  io.Writer
	sum   hash.Hash
	size  int64
	spare sync.Pool // of *deflater
}

// deflater is what one compression needs.
type deflater struct {
	z    *zlib.Writer
	buf  bytes.Buffer
	raw  bytes.Buffer // of an object that may become a delta
	copy []byte       // what copying goes by: a buffer for each object would be most of the garbage of a publish
}

// Write adds to the pack's file and to its checksum.
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
	large := it.Size > inMemory
	if large && (it.Kind != plumbing.BlobObject || it.Size > MaxDelta || it.Name.IsZero()) {
		return w.stream(it)
	}
	if large {
		w.large.Lock()
		defer w.large.Unlock()
	}
	d := w.deflater()
	defer w.drop(d)
	record, err := w.record(d, it)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err = w.Write(record)
	return err
}

func (w *packWriter) deflater() *deflater {
	d, _ := w.spare.Get().(*deflater)
	if d == nil {
		d = &deflater{z: zlib.NewWriter(nil), copy: make([]byte, 32<<10)}
	}
	d.buf.Reset()
	d.raw.Reset()
	return d
}

// drop keeps the deflater for the next object, without the room that a large one has taken.
func (w *packWriter) drop(d *deflater) {
	if d.buf.Cap() > inMemory {
		d.buf = bytes.Buffer{}
	}
	if d.raw.Cap() > inMemory {
		d.raw = bytes.Buffer{}
	}
	w.spare.Put(d)
}

// record is an object as it is in the pack: a delta, where the base is at hand and that is less.
func (w *packWriter) record(d *deflater, it Item) ([]byte, error) {
	var base []byte
	if it.Kind == plumbing.BlobObject && !it.Base.IsZero() {
		base = w.at.Read(it.Base)
	}
	var raw io.Writer
	if base != nil {
		raw = &d.raw
	}
	d.buf.Write(objectHeader(it))
	if err := d.deflate(&d.buf, it, raw); err != nil {
		return nil, err
	}
	whole := d.buf.Bytes()
	if it.Kind == plumbing.BlobObject && !it.Name.IsZero() {
		w.at.Keep(it.Name, it.Size, whole)
	}
	if base == nil {
		return whole, nil
	}
	diff := delta.Encode(base, d.raw.Bytes(), d.raw.Len()/2)
	if diff == nil {
		return whole, nil
	}
	small := Content(plumbing.REFDeltaObject, diff)
	small.Base = it.Base
	var out bytes.Buffer
	out.Write(objectHeader(small))
	if err := d.deflate(&out, small, nil); err != nil || out.Len() >= len(whole) {
		return whole, err
	}
	return out.Bytes(), nil
}

// stream writes an object that is too large to be in memory.
func (w *packWriter) stream(it Item) error {
	d := w.deflater()
	defer w.drop(d)
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.Write(objectHeader(it)); err != nil {
		return err
	}
	return d.deflate(w, it, nil)
}

// deflate reads an object to its end, where a file of the site proves that its bytes are
// the manifest's. raw gets the bytes too; nil for none.
func (d *deflater) deflate(to io.Writer, it Item, raw io.Writer) error {
	r, err := it.Open()
	if err != nil {
		return err
	}
	d.z.Reset(to)
	var in io.Reader = r
	if raw != nil {
		in = io.TeeReader(r, raw)
	}
	_, err = io.CopyBuffer(d.z, in, d.copy)
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
		head = append(head, it.Base[:]...)
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
