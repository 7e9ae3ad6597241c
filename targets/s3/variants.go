package s3

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"sync"

	"mirror/internal/atomicfile"
	"mirror/internal/compression"
	"mirror/internal/regular"
	"mirror/site"
)

// storedAs is how a file is stored; the zero value says that a coding does not make it smaller.
type storedAs struct {
	Digest site.Digest `json:"digest"`
	Size   int64       `json:"size"`
}

// variants are the compressed forms of files, by the digest of the file. What was made once is known in the next publish,
// which then reads only the files that it sends. It is safe for concurrent use.
type variants struct {
	store *compression.Store
	file  string // that keeps what is known; "" for none

	mu     sync.Mutex
	known  map[string]storedAs // by digest and coding
	loaded bool
	fresh  bool // there is something to save
}

// Bounds of what is kept in the state folder.
const (
	variantsInMemory = 32 << 20
	maxKnownFile     = 64 << 20
)

// newVariants keeps variants in a folder of the target's state; "" for none.
func newVariants(state string) *variants {
	v := &variants{known: map[string]storedAs{}}
	dir := ""
	if state != "" {
		dir, v.file = filepath.Join(state, "variants"), filepath.Join(state, "variants.json")
	}
	v.store = compression.NewStore(dir, variantsInMemory)
	return v
}

func keyOf(d site.Digest, c compression.Coding) string {
	return hex.EncodeToString(d[:]) + "." + string(c)
}

// get returns what is known of a file.
func (v *variants) get(d site.Digest, c compression.Coding) (storedAs, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.loaded {
		v.loaded = true
		v.load()
	}
	s, ok := v.known[keyOf(d, c)]
	return s, ok
}

// load reads what an earlier run knew. What cannot be read is made again. The caller must hold mu.
func (v *variants) load() {
	if v.file == "" {
		return
	}
	text, err := regular.ReadFile(v.file, maxKnownFile)
	known := map[string]storedAs{}
	if err == nil && json.Unmarshal(text, &known) == nil {
		v.known = known
	}
}

// make compresses a file.
func (v *variants) make(rel *site.Release, f site.File, c compression.Coding) (storedAs, error) {
	body, err := rel.ReadFile(f)
	if err != nil {
		return storedAs{}, err
	}
	made, err := v.store.Get(f.Digest, c, body)
	if err != nil {
		return storedAs{}, err
	}
	s := storedAs{}
	if made.Saves {
		s = storedAs{Digest: sha256.Sum256(made.Body), Size: int64(len(made.Body))}
	}
	v.set(keyOf(f.Digest, c), s)
	return s, nil
}

func (v *variants) set(key string, s storedAs) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if old, ok := v.known[key]; !ok || old != s {
		v.known[key], v.fresh = s, true
	}
}

// body returns the bytes to store for a file. If another version of the program has made them, what is known is corrected, and
// the upload fails: the next publish sends the new ones.
func (v *variants) body(rel *site.Release, f site.File, c compression.Coding) ([]byte, error) {
	if made := v.store.Lookup(f.Digest, c); made != nil {
		return made.Body, nil
	}
	if _, err := v.make(rel, f, c); err != nil {
		return nil, err
	}
	v.save(rel.Manifest)
	if made := v.store.Lookup(f.Digest, c); made != nil {
		return made.Body, nil
	}
	body, err := rel.ReadFile(f)
	if err != nil {
		return nil, err
	}
	made, err := v.store.Get(f.Digest, c, body)
	if err != nil {
		return nil, err
	}
	return made.Body, nil
}

// save keeps what is known of the files of a release for the next run. If it cannot, they are compressed again.
func (v *variants) save(m site.Manifest) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.file == "" || !v.fresh {
		return
	}
	kept := map[string]storedAs{}
	for _, f := range m {
		for _, c := range []compression.Coding{compression.Gzip, compression.Brotli, compression.Zstd} {
			if s, ok := v.known[keyOf(f.Digest, c)]; ok {
				kept[keyOf(f.Digest, c)] = s
			}
		}
	}
	if text, err := json.Marshal(kept); err == nil && atomicfile.WriteFile(v.file, text, 0o600) == nil {
		v.fresh = false
	}
}
