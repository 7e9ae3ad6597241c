package documents

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"mirror/internal/atomicfile"
	"mirror/internal/regular"
	"mirror/site"
	"mirror/targets/s3/internal/bucket"
)

// Bounds of the copies of documents on this machine.
const (
	maxCached      = 128
	maxCachedBytes = 32 << 20 // of one document
)

// cache keeps copies of documents on this machine, so that they are not read again. A copy is that of a
// path and an ETag; a document that is named by its digest needs none. Losing it costs requests.
type cache struct {
	folder string // "" for none

	mu     *sync.Mutex       // guards what follows
	memory map[string][]byte // by file name: what this process read or wrote last
	held   int               // bytes in memory
}

// maxMemory bounds the copies in memory, in bytes.
const maxMemory = 16 << 20

func newCache(folder string) cache {
	return cache{folder: folder, mu: &sync.Mutex{}, memory: map[string][]byte{}}
}

func (c *cache) hold(name string, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held += len(data); c.held > maxMemory {
		clear(c.memory)
		c.held = len(data)
	}
	c.memory[name] = data
}

func (c *cache) file(path, etag string) string {
	sum := sha256.Sum256([]byte(path + "\n" + etag))
	return filepath.Join(c.folder, hex.EncodeToString(sum[:16]))
}

func (c *cache) load(path, etag string) ([]byte, bool) {
	name := c.file(path, etag)
	c.mu.Lock()
	data, ok := c.memory[name]
	c.mu.Unlock()
	if ok || c.folder == "" {
		return data, ok
	}
	data, err := regular.ReadFile(name, maxCachedBytes)
	if err == nil {
		c.hold(name, data)
	}
	return data, err == nil
}

func (c *cache) save(path, etag string, data []byte) {
	if len(data) <= maxMemory/4 {
		c.hold(c.file(path, etag), data)
	}
	if c.folder == "" || len(data) > maxCachedBytes || os.MkdirAll(c.folder, 0o700) != nil {
		return
	}
	if atomicfile.WriteFile(c.file(path, etag), data, 0o600) == nil {
		c.trim()
	}
}

// trim removes the oldest copies beyond the bound.
func (c *cache) trim() {
	entries, err := os.ReadDir(c.folder)
	if err != nil || len(entries) <= maxCached {
		return
	}
	var infos []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			infos = append(infos, info)
		}
	}
	slices.SortFunc(infos, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	for _, info := range infos[:max(0, len(infos)-maxCached/2)] {
		_ = os.Remove(filepath.Join(c.folder, info.Name())) // it is removed by a later call
	}
}

// Keep has copies of documents be kept in a folder, "" for none.
func (d *Store) Keep(folder string) { d.cache = newCache(folder) }

// Forget drops all copies of documents.
func (d *Store) Forget() error {
	d.mu.Lock()
	clear(d.decoded)
	d.mu.Unlock()
	d.cache.mu.Lock()
	defer d.cache.mu.Unlock()
	clear(d.cache.memory)
	if d.cache.folder == "" {
		return nil
	}
	return os.RemoveAll(d.cache.folder)
}

// Listed tells what a listing shows of the documents, so that copies of them can be told to be current.
func (d *Store) Listed(own map[string]bucket.Object) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.etags = make(map[string]string, len(own))
	for path, o := range own {
		if !strings.HasPrefix(path, objects) && !strings.HasPrefix(path, before) {
			d.etags[path] = o.ETag
		}
	}
}

// etagOf is the ETag of a document where it is known, and whether it is. That of a document which is named
// by its digest is "".
func (d *Store) etagOf(path string) (etag string, ok bool) {
	if strings.HasPrefix(path, parts) || strings.HasPrefix(path, RecordsFolder) || strings.HasPrefix(path, GraceFolder) {
		return "", true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	etag, ok = d.etags[path]
	return etag, ok && etag != ""
}

// wrote remembers a document that was written.
func (d *Store) wrote(path, etag string, data []byte) {
	d.mu.Lock()
	if d.etags == nil {
		d.etags = map[string]string{}
	}
	d.etags[path] = etag
	d.mu.Unlock()
	if etag, ok := d.etagOf(path); ok {
		d.cache.save(path, etag, data)
	}
}

// bytes returns a document, from this machine where the copy is current.
func (d *Store) bytes(ctx context.Context, path string) ([]byte, error) {
	etag, known := d.etagOf(path)
	if known {
		if data, ok := d.cache.load(path, etag); ok && matches(path, data) {
			return data, nil
		}
	}
	o, data, err := d.bucket.Read(ctx, path)
	if err != nil {
		return nil, err
	}
	if known && (etag == "" || etag == o.ETag) && matches(path, data) {
		d.cache.save(path, etag, data)
	}
	return data, nil
}

// matches reports whether the bytes are those of the name, where it has a digest.
func matches(path string, data []byte) bool {
	if !strings.HasPrefix(path, parts) && !strings.HasPrefix(path, RecordsFolder) {
		return true
	}
	return strings.HasSuffix(path, site.Digest(sha256.Sum256(data)).String())
}
