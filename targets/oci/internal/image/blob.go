// Package image holds what a container image of a site is made of, and needs neither a registry
// nor a target: the layer that holds the site, the blob that a layer is in a file, and the tree
// of files that stacked layers come to.
package image

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Blob is a layer of ours in a file: a v1.Layer whose digests are known, so that nothing
// is compressed or hashed twice.
type Blob struct {
	Info Info
	file *os.File
	temp bool // the file goes with the blob
}

// Info is what a manifest and a config say of a layer.
type Info struct {
	Digest    v1.Hash         `json:"digest"`  // of the compressed bytes
	DiffID    v1.Hash         `json:"diff_id"` // of the tar stream
	Size      int64           `json:"size"`    // compressed
	MediaType types.MediaType `json:"media_type"`
}

// Digest returns the hash of the compressed bytes.
func (b *Blob) Digest() (v1.Hash, error) { return b.Info.Digest, nil }

// DiffID returns the hash of the tar stream.
func (b *Blob) DiffID() (v1.Hash, error) { return b.Info.DiffID, nil }

// Size returns the number of compressed bytes.
func (b *Blob) Size() (int64, error) { return b.Info.Size, nil }

// MediaType returns the layer's type.
func (b *Blob) MediaType() (types.MediaType, error) { return b.Info.MediaType, nil }

// Compressed reads the file; several may read at once.
func (b *Blob) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(b.file, 0, b.Info.Size)), nil
}

// Uncompressed reads the tar stream.
func (b *Blob) Uncompressed() (io.ReadCloser, error) {
	return Decompress(io.NewSectionReader(b.file, 0, b.Info.Size))
}

// Close ends the reading, and gives a temporary file's space back.
func (b *Blob) Close() error {
	err := b.file.Close()
	if b.temp {
		_ = os.Remove(b.file.Name()) // gone already, except where an open file cannot be removed
	}
	return err
}

// OpenBlob opens a layer that lies in a file, of which info is known to be true.
func OpenBlob(name string, info Info) (*Blob, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return &Blob{Info: info, file: file}, nil
}

// WriteBlob makes a layer from the tar stream that fill writes, in one pass: hashed,
// compressed and hashed again on the way to a temporary file.
func WriteBlob(c Compression, fill func(w io.Writer) error) (_ *Blob, err error) {
	file, err := os.CreateTemp("", "mirror-layer-*")
	if err != nil {
		return nil, fmt.Errorf("layer: %w", err)
	}
	b := &Blob{file: file, temp: true}
	_ = os.Remove(file.Name()) // so that a crash leaves nothing; refused on Windows, then Close does it
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	b.Info, err = WriteLayer(file, c, fill)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// WriteLayer writes the tar stream of fill to file, compressed, and returns what a manifest
// says of it.
func WriteLayer(file io.Writer, c Compression, fill func(w io.Writer) error) (Info, error) {
	plain, packed := sha256.New(), sha256.New()
	buffered := bufio.NewWriterSize(file, 256<<10)
	count := &counter{w: io.MultiWriter(buffered, packed)}
	out := newBlocks(count, c)
	err := fill(io.MultiWriter(plain, out))
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = buffered.Flush()
	}
	return Info{Digest: sum(packed), DiffID: sum(plain), Size: count.n, MediaType: c.mediaType}, err
}

func sum(h hash.Hash) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}
}

// counter counts the bytes that w takes.
type counter struct {
	w io.Writer
	n int64
}

// Write counts what w takes.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// maxWindow bounds what zstd may keep in memory, in bytes; the format's own encoders use
// 8 MiB at most unless told otherwise.
const maxWindow = 64 << 20

// Decompress tells the compression by the first bytes: media types are often wrong.
func Decompress(r io.Reader) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	magic, err := buffered.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzip.NewReader(buffered)
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(buffered, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return io.NopCloser(buffered), nil
}
