package static

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	// small files are read whole, and kept for as long as they stay as they are: their ETag is that
	// of the very bytes sent.
	small = 256 << 10
	// settled is the age from which a file's size and time vouch for its bytes. A
	// younger one may be written again within the clock's tick.
	settled = 2 * time.Second
)

// tagger makes strong ETags: the SHA-256 of the content. For large files it remembers
// them for as long as path, size, time and identity of the file stay.
type tagger struct {
	mu    sync.Mutex
	known map[string]tagged
}

type tagged struct {
	info fs.FileInfo
	tag  string
}

// content leaves a large file at its start and returns its ETag.
func (t *tagger) content(name string, f io.ReadSeeker, info fs.FileInfo) (string, error) {
	if tag, ok := t.recall(name, info); ok {
		return tag, nil
	}
	asked := time.Now()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", err
	}
	tag := quote(hash.Sum(nil))
	if info.ModTime().Before(asked.Add(-settled)) {
		t.remember(name, info, tag)
	}
	_, err := f.Seek(0, io.SeekStart)
	return tag, err
}

func quote(sum []byte) string { return `"` + hex.EncodeToString(sum) + `"` }

// digestOf is the digest that a tag is made of.
func digestOf(tag string) (digest [sha256.Size]byte, err error) {
	_, err = hex.Decode(digest[:], []byte(strings.Trim(tag, `"`)))
	return digest, err
}

func (t *tagger) recall(name string, info fs.FileInfo) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.known[name]
	if !ok || k.info.Size() != info.Size() || !k.info.ModTime().Equal(info.ModTime()) {
		return "", false
	}
	if info.Sys() != nil && !os.SameFile(k.info, info) { // another release's file, of the same size and time
		return "", false
	}
	return k.tag, true
}

func (t *tagger) remember(name string, info fs.FileInfo, tag string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known[name] = tagged{info, tag}
}
