package documents

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"

	"github.com/klauspost/compress/zstd"

	"mirror/site"
	"mirror/targets/s3/internal/bucket"
)

// Store are the target's own objects, below .mirror/, and the last ones that were read.
type Store struct {
	bucket *bucket.Bucket
	log    *slog.Logger
	cache  cache

	mu          sync.Mutex
	decoded     map[string]any    // by name, which is the digest
	etags       map[string]string // of documents, as far as they are known
	conditional *bool             // whether the service honours conditional writes; nil before it was asked
}

// NewStore returns the documents of a bucket. It reads nothing yet.
func NewStore(b *bucket.Bucket, log *slog.Logger) *Store {
	return &Store{bucket: b, log: log, cache: newCache(""), decoded: map[string]any{}}
}

// EncodeDocument packs a document: JSON, compressed.
func EncodeDocument(v any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // it may hold pages
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	w, err := compressor()
	if err != nil {
		return nil, err
	}
	return w.EncodeAll(text.Bytes(), nil), nil
}

// compressor is the one encoder of all documents: to make one takes longer than to encode a document, and
// its tables take megabytes.
var compressor = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(1))
})

// decodeDocument unpacks what encodeDocument made. The data may be anybody's.
func decodeDocument(data []byte, v any) error {
	text, err := unpack(data)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

// unpack decompresses a document within bounds.
func unpack(data []byte) ([]byte, error) {
	r, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(bucket.MaxDocument), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.DecodeAll(data, nil)
}

// WriteDocument stores a document at a path.
func (d *Store) WriteDocument(ctx context.Context, path string, v any) error {
	data, err := EncodeDocument(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	etag, err := d.bucket.Put(ctx, path, data, bucket.Staged, bucket.Condition{})
	if err == nil {
		d.wrote(path, etag, data)
	}
	return err
}

// readDocument reads the document at a path into v.
func (d *Store) readDocument(ctx context.Context, path string, v any) error {
	data, err := d.bytes(ctx, path)
	if err != nil {
		return err
	}
	if err := decodeDocument(data, v); err != nil {
		return fmt.Errorf("read %q: not a document of mirror: %w", path, err)
	}
	return nil
}

// ReadDocument reads the document that WriteDocument stored at a path.
func (d *Store) ReadDocument(ctx context.Context, path string, v any) error {
	return d.readDocument(ctx, path, v)
}

// keptDocuments bounds how many decoded documents a handle remembers.
const keptDocuments = 1024

// byDigest returns the document whose name ends in its digest, from memory where it was
// read before.
func byDigest[T any](ctx context.Context, d *Store, path string, decode func([]byte, *T) error) (*T, error) {
	d.mu.Lock()
	known, ok := d.decoded[path].(*T)
	d.mu.Unlock()
	if ok {
		return known, nil
	}
	data, err := d.bytes(ctx, path)
	if err != nil {
		return nil, err
	}
	doc := new(T)
	if !matches(path, data) {
		return nil, fmt.Errorf("read %q: the bytes are not those of the name", path)
	}
	if err := decode(data, doc); err != nil {
		return nil, fmt.Errorf("read %q: not a document of mirror: %w", path, err)
	}
	d.remember(path, doc)
	return doc, nil
}

func (d *Store) remember(path string, doc any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.decoded) >= keptDocuments {
		clear(d.decoded)
	}
	d.decoded[path] = doc
}

// WriteByDigest stores data in a folder under its digest and returns its path.
func (d *Store) WriteByDigest(ctx context.Context, folder string, data []byte) (string, error) {
	path := folder + site.Digest(sha256.Sum256(data)).String()
	etag, err := d.bucket.Put(ctx, path, data, bucket.Staged, bucket.Condition{})
	if err == nil {
		d.wrote(path, etag, data)
	}
	return path, err
}
