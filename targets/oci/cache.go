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

// Kinds of manifest in the cache, kept apart because they prove different things.
const (
	fromBytes = "read"   // from the bytes that the registry gave
	fromStage = "staged" // from what this machine pushed
)

const (
	manifestSuffix = ".manifest"
	keepManifests  = 32
)

// cached returns the manifest of the image with a digest, as it was kept before. An
// image with a digest never changes.
func (t *Target) cached(kind, digest string) (site.Manifest, bool) {
	if t.state == "" {
		return nil, false
	}
	f, err := regular.Open(t.cachePath(kind, digest))
	if err != nil {
		return nil, false
	}
	defer f.Close()
	var m site.Manifest
	if err := gob.NewDecoder(f).Decode(&m); err != nil {
		return nil, false // half a file: read the image again
	}
	return m, true
}

// keep puts a manifest into the cache. That it failed costs only time later.
func (t *Target) keep(kind, digest string, m site.Manifest) {
	if t.state == "" {
		return
	}
	var text bytes.Buffer
	err := gob.NewEncoder(&text).Encode(m)
	if err == nil {
		err = atomicfile.WriteFile(t.cachePath(kind, digest), text.Bytes(), 0o600)
	}
	if err != nil {
		t.log.Warn("cannot keep a manifest", "path", t.state, "err", err)
		return
	}
	t.dropOldManifests()
}

// cachePath names the kept manifest after all that it depends on.
func (t *Target) cachePath(kind, digest string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "1\n%s\n%s\n%s\n", digest, t.cfg.webRoot, runtime.GOARCH))
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
