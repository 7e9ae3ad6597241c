// Package verified remembers which listed objects were read and what their bytes were, in the
// state folder of this machine and as records for the bucket. It is a cache: losing it costs time
// and never fails a commit.
package verified

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"mirror/internal/atomicfile"
	"mirror/internal/regular"
	"mirror/site"
	"mirror/targets/s3/internal/bucket"
)

// Content is what a key holds, as a visitor gets it.
type Content struct {
	Digest  site.Digest
	Headers bucket.Headers
}

// Fact says, in 64 bits of a hash, that an object which a listing showed with this ETag,
// size and time has this content. It is true for ever: another content comes with
// another time, if the object had settled when the fact was found.
type Fact uint64

// FactOf returns the fact that a listed object has a content.
func FactOf(o bucket.Object, c Content) Fact {
	return factOf("", o.Path, o.ETag, o.Size, o.Modified.UnixNano(), c)
}

// factOf hashes what a fact is about. The kind tells facts of listings from receipts.
func factOf(kind, path, etag string, size, at int64, c Content) Fact {
	text := make([]byte, 0, 512)
	text = append(text, kind...)
	for _, s := range []string{path, etag} {
		text = append(strconv.AppendQuote(text, s), ' ')
	}
	text = append(strconv.AppendInt(text, size, 10), ' ')
	text = append(strconv.AppendInt(text, at, 10), ' ')
	text = hex.AppendEncode(text, c.Digest[:])
	for _, s := range []string{c.Headers.Type, c.Headers.Cache, c.Headers.Encoding, c.Headers.Other} {
		text = strconv.AppendQuote(append(text, ' '), s)
	}
	sum := sha256.Sum256(text)
	return Fact(binary.BigEndian.Uint64(sum[:]))
}

// ReceiptOf returns the fact that the service stored a content and answered with the receipt. It vouches
// for a listed object with that ETag which is as old as the answer, to the second.
func ReceiptOf(path string, size int64, r bucket.Receipt, c Content) Fact {
	return factOf("put ", path, r.ETag, size, r.At.Unix(), c)
}

// Seconds by which the time of an answer may be later, or earlier, than the time of the object that
// it was about: clocks of front ends differ, and some services tell the time with a delay.
const answeredLater, answeredEarlier = 5, 1

// Vouches reports whether the set holds a fact that a listed object has a content, and which. A receipt
// counts once a later change of the object would show in its time.
func (s FactSet) Vouches(o bucket.Object, c Content) (Fact, bool) {
	if f := FactOf(o, c); s.Has(f) {
		return f, true
	}
	if o.ETag == "" || !bucket.Settled(o.Modified, o.Seen) {
		return 0, false
	}
	for after := int64(0); after <= answeredLater+answeredEarlier; after++ {
		by := after // 0, 1, … and -1
		if after > answeredLater {
			by = answeredLater - after
		}
		if f := factOf("put ", o.Path, o.ETag, o.Size, o.Modified.Unix()+by, c); s.Has(f) {
			return f, true
		}
	}
	return 0, false
}

// FactSet is a set.
type FactSet map[Fact]struct{}

// Has reports whether a fact is in the set.
func (s FactSet) Has(f Fact) bool { _, ok := s[f]; return ok }

// EncodeFacts packs facts: eight bytes each, in order.
func EncodeFacts(all []Fact) []byte {
	slices.Sort(all)
	out := make([]byte, 0, 8*len(all))
	for _, f := range all {
		out = binary.BigEndian.AppendUint64(out, uint64(f))
	}
	return out
}

// DecodeFacts appends the facts that EncodeFacts packed to out.
func DecodeFacts(data []byte, out *[]Fact) error {
	if len(data)%8 != 0 {
		return errors.New("length is no multiple of 8")
	}
	for ; len(data) > 0; data = data[8:] {
		*out = append(*out, Fact(binary.BigEndian.Uint64(data)))
	}
	return nil
}

// MaxRecord is how many facts a record holds that is still merged with new ones, which
// bounds what a commit sends for it.
const MaxRecord = 2048

// Record is a stored list of facts.
type Record struct {
	Path  string
	Alive []Fact // those that are still of use
}

// MergeRecords says which of the old records stay as they are, and the facts to store
// anew: the new ones and those of small records.
func MergeRecords(old []Record, fresh []Fact) (keep []string, store []Fact) {
	store = slices.Clone(fresh)
	slices.SortStableFunc(old, func(a, b Record) int { return cmp.Compare(len(a.Alive), len(b.Alive)) })
	for _, r := range old {
		switch {
		case len(r.Alive) == 0:
		case len(fresh) > 0 && len(store)+len(r.Alive) <= MaxRecord:
			store = append(store, r.Alive...)
		default:
			keep = append(keep, r.Path)
		}
	}
	return keep, store
}

// Set is what this machine found out by reading objects, kept in the state folder.
type Set struct {
	file string      // "" for memory only
	mu   *sync.Mutex // guards what follows
	set  FactSet
	// read tells the content of settled objects that this process read.
	read map[Fact]Content
}

// maxKnowledge bounds the state folder's file, in facts.
const maxKnowledge = 1 << 19

// Load reads the set from the state folder, "" for memory only. A file that is missing or damaged
// counts as empty.
func Load(folder string) Set {
	k := Set{mu: &sync.Mutex{}, set: FactSet{}, read: map[Fact]Content{}}
	if folder == "" {
		return k
	}
	k.file = filepath.Join(folder, "verified")
	var list []Fact
	if data, err := regular.ReadFile(k.file, 8*maxKnowledge); err == nil && DecodeFacts(data, &list) == nil {
		for _, f := range list {
			k.set[f] = struct{}{}
		}
	}
	return k
}

// Learn remembers the content of an object that was read when it had settled.
func (k *Set) Learn(o bucket.Object, c Content) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.set) >= maxKnowledge {
		clear(k.set)
		clear(k.read)
	}
	k.set[FactOf(o, c)] = struct{}{}
	k.read[FactOf(o, Content{})] = c
}

// Note remembers a receipt.
func (k *Set) Note(f Fact) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.set) < maxKnowledge {
		k.set[f] = struct{}{}
	}
}

// Vouches reports whether the object was verified, or written by this machine, with the content.
func (k *Set) Vouches(o bucket.Object, c Content) (Fact, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.set.Vouches(o, c)
}

// Has reports whether the object was verified to have the content.
func (k *Set) Has(o bucket.Object, c Content) bool {
	_, ok := k.Vouches(o, c)
	return ok
}

// Recall returns the content that this process read from the object.
func (k *Set) Recall(o bucket.Object) (Content, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, ok := k.read[FactOf(o, Content{})]
	return c, ok
}

// Save writes the set to the state folder. Losing it costs only time.
func (k *Set) Save() error {
	if k.file == "" {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	list := make([]Fact, 0, len(k.set))
	for f := range k.set {
		list = append(list, f)
	}
	if err := os.MkdirAll(filepath.Dir(k.file), 0o700); err != nil {
		return err
	}
	return atomicfile.WriteFile(k.file, EncodeFacts(list), 0o600)
}
