package git

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing"
	"golang.org/x/sync/errgroup"

	"mirror/internal/atomicfile"
	"mirror/internal/regular"
	"mirror/site"
	"mirror/targets/git/internal/objects"
)

// blobIDs knows how git names contents that a manifest names by their SHA-256. Both names
// are of the content alone, so what is known stays true.
type blobIDs struct {
	path string // "" for no file

	mu     sync.Mutex
	loaded bool
	ids    map[site.Digest]plumbing.Hash
}

func newBlobIDs(state string) *blobIDs {
	b := &blobIDs{ids: map[site.Digest]plumbing.Hash{}}
	if state != "" {
		b.path = filepath.Join(state, "blobs")
	}
	return b
}

// of names the release's contents, and reads those that it has not seen before.
func (b *blobIDs) of(ctx context.Context, rel *site.Release) (map[site.Digest]plumbing.Hash, error) {
	ids, unknown := b.lookup(rel)
	if len(unknown) == 0 {
		return ids, nil
	}
	names := make([]plumbing.Hash, len(unknown))
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			buf := make([]byte, 64<<10)
			for i := next.Add(1) - 1; i < int64(len(unknown)); i = next.Add(1) - 1 {
				if err := ctx.Err(); err != nil {
					return err
				}
				name, err := blobName(ctx, rel, unknown[i], buf)
				if err != nil {
					return err
				}
				names[i] = name
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, f := range unknown {
		ids[f.Digest] = names[i]
	}
	return ids, b.learn(ids)
}

// lookup gives what is known of the release's contents, and one file of each that is not.
func (b *blobIDs) lookup(rel *site.Release) (ids map[site.Digest]plumbing.Hash, unknown []site.File) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.load()
	ids = make(map[site.Digest]plumbing.Hash, len(rel.Manifest))
	for _, f := range rel.Manifest {
		if _, seen := ids[f.Digest]; seen {
			continue
		}
		id, ok := b.ids[f.Digest]
		if !ok {
			unknown = append(unknown, f)
		}
		ids[f.Digest] = id
	}
	return ids, unknown
}

// blobName reads a file to its end, where the release proves that it is the manifest's.
func blobName(ctx context.Context, rel *site.Release, f site.File, buf []byte) (plumbing.Hash, error) {
	r, err := rel.OpenContext(ctx, f)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	h := objects.NewHash(plumbing.BlobObject, f.Size)
	_, err = io.CopyBuffer(h, r, buf)
	return plumbing.Hash(h.Sum(nil)), errors.Join(err, r.Close())
}

// learn replaces what is known by the names of one release, the latest: the next differs
// in little from it.
func (b *blobIDs) learn(ids map[site.Digest]plumbing.Hash) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ids = ids
	if b.path == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(b.path), 0o700); err != nil {
		return err
	}
	return atomicfile.WriteFile(b.path, b.encode(), 0o600)
}

const blobRecord = sha256.Size + 20 // bytes of one content's two names

// encode writes records and then their SHA-256: a file that a crash or a disk has
// damaged must not name contents.
func (b *blobIDs) encode() []byte {
	text := make([]byte, 0, len(b.ids)*blobRecord+sha256.Size)
	for digest, id := range b.ids {
		text = append(append(text, digest[:]...), id[:]...)
	}
	sum := sha256.Sum256(text)
	return append(text, sum[:]...)
}

// load reads the file once; one that is missing or damaged counts as empty.
func (b *blobIDs) load() {
	if b.loaded || b.path == "" {
		return
	}
	b.loaded = true
	text, err := regular.ReadFile(b.path, 1<<30)
	end := len(text) - sha256.Size
	if err != nil || end < 0 || end%blobRecord != 0 || sha256.Sum256(text[:end]) != [sha256.Size]byte(text[end:]) {
		return
	}
	for i := 0; i < end; i += blobRecord {
		b.ids[site.Digest(text[i:i+sha256.Size])] = plumbing.Hash(text[i+sha256.Size : i+blobRecord])
	}
}
