package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"mirror/internal/atomicfile"
	"mirror/internal/filestamp"
	"mirror/internal/regular"
)

// Cache remembers the digests of a tree's files, so that a second scan of an unchanged
// tree reads none of them. A file is known by its path, size, modification time, change
// time and inode. One that was touched within settle of the scan that read it is not
// remembered: a later write could have left the same times.
type Cache struct {
	file    string
	entries map[string]entry
}

// settle is how long a file must have rested before the scan for its times to be trusted.
const settle = 2 * time.Second

// maxCache bounds a cache file, in bytes.
const maxCache = 1 << 30

// OpenCache reads the cache kept in file. One that is missing or damaged is an empty
// cache: nothing is lost by it but time. So is one that cannot be read, which is an error too.
func OpenCache(file string) (*Cache, error) {
	c := &Cache{file: file, entries: map[string]entry{}}
	data, err := regular.ReadFile(file, maxCache)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, regular.ErrNotRegular):
		return c, nil
	case err != nil:
		return c, fmt.Errorf("scan cache: %w", err)
	}
	if entries, ok := decodeCache(data); ok {
		c.entries = entries
	}
	return c, nil
}

// Save writes the cache, in one step.
func (c *Cache) Save() error {
	if err := os.MkdirAll(filepath.Dir(c.file), 0o700); err != nil {
		return fmt.Errorf("scan cache: %w", err)
	}
	if err := atomicfile.WriteFile(c.file, c.encode(), 0o600); err != nil {
		return fmt.Errorf("scan cache: %w", err)
	}
	return nil
}

// lookup returns the digest of a file that is as it was. A nil Cache knows nothing.
func (c *Cache) lookup(path string, s filestamp.Stamp) (Digest, bool) {
	if c == nil {
		return Digest{}, false
	}
	e, ok := c.entries[path]
	return e.digest, ok && e.stamp == s
}

// replace makes the cache know the files of one scan that began at the given time, by path.
func (c *Cache) replace(files map[string]entry, began time.Time) {
	rested := began.Add(-settle).UnixNano()
	c.entries = make(map[string]entry, len(files))
	for path, e := range files {
		if max(e.stamp.MTime, e.stamp.CTime) < rested {
			c.entries[path] = e
		}
	}
}

// magic begins the file and names the version of its form.
const magic = "mirror scan cache 1\n"

// encode writes magic, the entries and a SHA-256 of all before it.
func (c *Cache) encode() []byte {
	b := []byte(magic)
	for path, e := range c.entries {
		b = binary.AppendUvarint(b, uint64(len(path)))
		b = append(b, path...)
		b = binary.AppendVarint(b, e.stamp.Size)
		b = binary.AppendVarint(b, e.stamp.MTime)
		b = binary.AppendVarint(b, e.stamp.CTime)
		b = binary.AppendUvarint(b, e.stamp.Inode)
		b = append(b, e.digest[:]...)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

func decodeCache(data []byte) (map[string]entry, bool) {
	body, sum := data[:max(0, len(data)-sha256.Size)], data[max(0, len(data)-sha256.Size):]
	if want := sha256.Sum256(body); !bytes.Equal(sum, want[:]) || !bytes.HasPrefix(body, []byte(magic)) {
		return nil, false
	}
	entries := map[string]entry{}
	for r := bytes.NewReader(body[len(magic):]); r.Len() > 0; {
		path, e, err := readEntry(r)
		if err != nil {
			return nil, false
		}
		entries[path] = e
	}
	return entries, true
}

func readEntry(r *bytes.Reader) (path string, e entry, err error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return "", e, err
	}
	name := make([]byte, min(n, maxLine))
	var errs [6]error
	_, errs[0] = io.ReadFull(r, name)
	e.stamp.Size, errs[1] = binary.ReadVarint(r)
	e.stamp.MTime, errs[2] = binary.ReadVarint(r)
	e.stamp.CTime, errs[3] = binary.ReadVarint(r)
	e.stamp.Inode, errs[4] = binary.ReadUvarint(r)
	_, errs[5] = io.ReadFull(r, e.digest[:])
	return string(name), e, errors.Join(errs[:]...)
}
