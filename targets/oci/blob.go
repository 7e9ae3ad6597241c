package oci

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

// blob is a layer of ours in a file: a v1.Layer whose digests are known, so that nothing
// is compressed or hashed twice.
type blob struct {
	info blobInfo
	file *os.File
	temp bool // the file goes with the blob
}

// blobInfo is what a manifest and a config say of a layer.
type blobInfo struct {
	Digest    v1.Hash         `json:"digest"`  // of the compressed bytes
	DiffID    v1.Hash         `json:"diff_id"` // of the tar stream
	Size      int64           `json:"size"`    // compressed
	MediaType types.MediaType `json:"media_type"`
}

var _ v1.Layer = (*blob)(nil)

// Digest returns the hash of the compressed bytes.
func (b *blob) Digest() (v1.Hash, error) { return b.info.Digest, nil }

// DiffID returns the hash of the tar stream.
func (b *blob) DiffID() (v1.Hash, error) { return b.info.DiffID, nil }

// Size returns the number of compressed bytes.
func (b *blob) Size() (int64, error) { return b.info.Size, nil }

// MediaType returns the layer's type.
func (b *blob) MediaType() (types.MediaType, error) { return b.info.MediaType, nil }

// Compressed reads the file; several may read at once.
func (b *blob) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(b.file, 0, b.info.Size)), nil
}

// Uncompressed reads the tar stream.
func (b *blob) Uncompressed() (io.ReadCloser, error) {
	return decompress(io.NewSectionReader(b.file, 0, b.info.Size))
}

// Close ends the reading, and gives a temporary file's space back.
func (b *blob) Close() error {
	err := b.file.Close()
	if b.temp {
		_ = os.Remove(b.file.Name()) // gone already, except where an open file cannot be removed
	}
	return err
}

// writeBlob makes a layer from the tar stream that fill writes, in one pass: hashed,
// compressed and hashed again on the way to a temporary file.
func writeBlob(c compression, fill func(w io.Writer) error) (_ *blob, err error) {
	file, err := os.CreateTemp("", "mirror-layer-*")
	if err != nil {
		return nil, fmt.Errorf("layer: %w", err)
	}
	b := &blob{file: file, temp: true}
	_ = os.Remove(file.Name()) // so that a crash leaves nothing; refused on Windows, then Close does it
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	b.info, err = writeLayer(file, c, fill)
	if err != nil {
		return nil, err
	}
	return b, nil
}

func writeLayer(file io.Writer, c compression, fill func(w io.Writer) error) (blobInfo, error) {
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
	return blobInfo{Digest: sum(packed), DiffID: sum(plain), Size: count.n, MediaType: c.mediaType}, err
}

func sum(h hash.Hash) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// maxWindow bounds what zstd may keep in memory, in bytes; the format's own encoders use
// 8 MiB at most unless told otherwise.
const maxWindow = 64 << 20

// decompress tells the compression by the first bytes: media types are often wrong.
func decompress(r io.Reader) (io.ReadCloser, error) {
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
