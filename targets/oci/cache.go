package oci

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"mirror/internal/atomicfile"
	"mirror/internal/regular"
	"mirror/site"
)

const (
	manifestSuffix = ".manifest"
	keepManifests  = 64
)

// recorded returns what is known of the image with a digest.
func (t *Target) recorded(kind, digest string) (record, bool) {
	if r, ok := t.memory.find(kind, digest); ok {
		return r, true
	}
	var r record
	if t.load(kind, digest, recordFormat, &r) {
		return r, true
	}
	return record{}, false
}

// formerly returns the files of an image that an earlier version of this program pushed or read.
func (t *Target) formerly(kind, digest string) (record, bool) {
	var m site.Manifest
	if !t.load(kind, digest, manifestFormat, &m) {
		return record{}, false
	}
	return record{Files: m}, true
}

func (t *Target) load(kind, digest, format string, to any) bool {
	if t.state == "" {
		return false
	}
	f, err := regular.Open(t.cachePath(kind, digest, format))
	if err != nil {
		return false
	}
	defer f.Close()
	return gob.NewDecoder(f).Decode(to) == nil // half a file: the image is read again
}

// keep puts a record into the cache. That it failed costs only time later.
func (t *Target) keep(kind, digest string, r record) {
	t.memory.add(kind, digest, r)
	if t.state == "" {
		return
	}
	var text bytes.Buffer
	err := gob.NewEncoder(&text).Encode(r)
	if err == nil {
		err = atomicfile.WriteFile(t.cachePath(kind, digest, recordFormat), text.Bytes(), 0o600)
	}
	if err != nil {
		t.log.Warn("cannot keep a manifest", "path", t.state, "err", err)
		return
	}
	t.dropOldManifests()
}

// Formats of a record: the second has more than the files, and is of one repository.
const (
	manifestFormat = "1"
	recordFormat   = "2"
)

// cachePath names a record after all that it depends on.
func (t *Target) cachePath(kind, digest, format string) string {
	text := fmt.Sprintf("%s\n%s\n%s\n%s\n", format, digest, t.cfg.webRoot, runtime.GOARCH)
	if format != manifestFormat {
		text += t.tag.Context().Name() + "\n"
	}
	sum := sha256.Sum256([]byte(text))
	return filepath.Join(t.state, kind+"-"+hex.EncodeToString(sum[:])+manifestSuffix)
}

func (t *Target) dropOldManifests() {
	entries, err := os.ReadDir(t.state)
	if err != nil {
		return
	}
	var kept []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), manifestSuffix) {
			kept = append(kept, info)
		}
	}
	slices.SortFunc(kept, func(a, b fs.FileInfo) int { return cmp.Compare(b.ModTime().UnixNano(), a.ModTime().UnixNano()) })
	for _, info := range kept[min(keepManifests, len(kept)):] {
		_ = os.Remove(filepath.Join(t.state, info.Name())) // another process was quicker
	}
}
