package s3

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/google/renameio/v2"

	"mirror/internal/regular"
	"mirror/site"
)

// content is what a key holds, as a visitor gets it.
type content struct {
	Digest  site.Digest
	Headers headers
}

// fact says, in 64 bits of a hash, that an object which a listing showed with this ETag,
// size and time has this content. It is true for ever: another content comes with
// another time, if the object had settled when the fact was found.
type fact uint64

func factOf(o object, c content) fact {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %d %d %s %q %q %q %q", o.Path, o.ETag, o.Size, o.Modified.UnixNano(),
		c.Digest, c.Headers.Type, c.Headers.Cache, c.Headers.Encoding, c.Headers.Other)
	return fact(binary.BigEndian.Uint64(h.Sum(nil)))
}

// facts is a set.
type facts map[fact]struct{}

func (s facts) has(f fact) bool { _, ok := s[f]; return ok }

// encodeFacts packs facts: eight bytes each, in order.
func encodeFacts(all []fact) []byte {
	slices.Sort(all)
	out := make([]byte, 0, 8*len(all))
	for _, f := range all {
		out = binary.BigEndian.AppendUint64(out, uint64(f))
	}
	return out
}

func decodeFacts(data []byte, out *[]fact) error {
	if len(data)%8 != 0 {
		return errors.New("length is no multiple of 8")
	}
	for ; len(data) > 0; data = data[8:] {
		*out = append(*out, fact(binary.BigEndian.Uint64(data)))
	}
	return nil
}

// maxRecord is how many facts a record holds that is still merged with new ones, which
// bounds what a commit sends for it.
const maxRecord = 2048

// record is a stored list of facts.
type record struct {
	path  string
	alive []fact // those that are still of use
}

// mergeRecords says which of the old records stay as they are, and the facts to store
// anew: the new ones and those of small records.
func mergeRecords(old []record, fresh []fact) (keep []string, store []fact) {
	store = slices.Clone(fresh)
	slices.SortStableFunc(old, func(a, b record) int { return cmp.Compare(len(a.alive), len(b.alive)) })
	for _, r := range old {
		switch {
		case len(r.alive) == 0:
		case len(fresh) > 0 && len(store)+len(r.alive) <= maxRecord:
			store = append(store, r.alive...)
		default:
			keep = append(keep, r.path)
		}
	}
	return keep, store
}

// knowledge is what this machine found out by reading objects, kept in the state folder.
type knowledge struct {
	file string      // "" for memory only
	mu   *sync.Mutex // guards what follows
	set  facts
	// read tells the content of settled objects that this process read.
	read map[fact]content
}

// maxKnowledge bounds the state folder's file, in facts.
const maxKnowledge = 1 << 19

func loadKnowledge(folder string) knowledge {
	k := knowledge{mu: &sync.Mutex{}, set: facts{}, read: map[fact]content{}}
	if folder == "" {
		return k
	}
	k.file = filepath.Join(folder, "verified")
	var list []fact
	if data, err := regular.ReadFile(k.file, 8*maxKnowledge); err == nil && decodeFacts(data, &list) == nil {
		for _, f := range list {
			k.set[f] = struct{}{}
		}
	}
	return k
}

// learn remembers the content of an object that was read when it had settled.
func (k *knowledge) learn(o object, c content) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.set) >= maxKnowledge {
		clear(k.set)
		clear(k.read)
	}
	k.set[factOf(o, c)] = struct{}{}
	k.read[factOf(o, content{})] = c
}

func (k *knowledge) has(o object, c content) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.set.has(factOf(o, c))
}

// recall returns the content that this process read from the object.
func (k *knowledge) recall(o object) (content, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, ok := k.read[factOf(o, content{})]
	return c, ok
}

// save writes the knowledge to the state folder. Losing it costs only time.
func (k *knowledge) save() error {
	if k.file == "" {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	list := make([]fact, 0, len(k.set))
	for f := range k.set {
		list = append(list, f)
	}
	if err := os.MkdirAll(filepath.Dir(k.file), 0o700); err != nil {
		return err
	}
	return renameio.WriteFile(k.file, encodeFacts(list), 0o600)
}
