// Package objects holds what a git repository of a site is made of: commits with the trailers
// that a commit of ours bears, trees, packs, the objects of a fetched pack in a temporary folder,
// and a cache of the last commits. It speaks to no server.
package objects

import (
	"crypto/sha1" //nolint:gosec // git names objects by it
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
)

// NewHash begins the name of an object: git hashes a header before the content.
func NewHash(kind plumbing.ObjectType, size int64) hash.Hash {
	h := sha1.New() //nolint:gosec // see the import
	fmt.Fprintf(h, "%s %d\x00", kind, size)
	return h
}

// Name is the name of an object.
func Name(kind plumbing.ObjectType, content []byte) plumbing.Hash {
	h := NewHash(kind, int64(len(content)))
	h.Write(content)
	return plumbing.Hash(h.Sum(nil))
}

// EmptyTree is the name of the tree without entries.
var EmptyTree = plumbing.NewHash("4b825dc642cb6eb9a060e54bf8d69288fbee4904")

// Commit is what matters here of a commit. The zero commit stands for none.
type Commit struct {
	Hash    plumbing.Hash
	Raw     []byte
	Tree    plumbing.Hash
	Parents []plumbing.Hash
	When    time.Time // as a commit that was read says
	Trailers
}

// Trailers are what a commit of ours says of itself at the end of its message.
type Trailers struct {
	Release site.ID  // site.None for a commit that is not ours, or no longer as we made it
	Beacon  string   // path of the beacon in the tree, "" for none
	Kept    []string // files in the tree that are not the site's
	Vacant  bool     // stands for "nothing is published"
	Named   bool     // the message names a release, whatever has become of the tree since

	Keep targets.Keep // globs of files that were taken from the branch as they were
	Own  []string     // paths of the release that match them nevertheless, sorted

	// Grace lists the files of earlier releases in the tree. Sizes and digests are not recorded.
	Grace grace.List

	// Purged are releases whose commits a purge has taken away.
	Purged targets.Purged

	// After is the head that a commit without parents took the place of.
	After plumbing.Hash
	// Sequence is that of the beacon, 0 where the commit tells none.
	Sequence int64
	// Restores is the commit whose tree a rollback has put behind the head that it could not take away.
	Restores plumbing.Hash
	// Rescue says that the commit before has the same release, whose deployment was lost.
	Rescue bool
}

// Beside reports whether a path in the tree of a commit with these trailers is not one of its
// release's.
func (s Trailers) Beside(path string) bool {
	if path == s.Beacon || site.IsSums(path) || slices.Contains(s.Kept, path) || s.Grace.Has(path) {
		return true
	}
	_, own := slices.BinarySearch(s.Own, path)
	return !own && s.Keep.Match(path)
}

const (
	trailerRelease = "Mirror-Release"
	trailerTree    = "Mirror-Tree"
	trailerBeacon  = "Mirror-Beacon"
	trailerKept    = "Mirror-Kept"
	trailerVacant  = "Mirror-Vacant"
	trailerAfter   = "Mirror-After"
	trailerKeep    = "Mirror-Keep"
	trailerOwn     = "Mirror-Own"
	trailerSeq     = "Mirror-Sequence"
	trailerRescue  = "Mirror-Rescue"
	trailerUndo    = "Mirror-Restores"
	trailerGrace   = "Mirror-Grace"
	trailerPurged  = "Mirror-Purged"
)

// NewCommit makes a commit of ours.
func NewCommit(author mail.Address, now time.Time, tree plumbing.Hash, parent plumbing.Hash, said Trailers) Commit {
	c := Commit{Tree: tree, When: now.UTC(), Trailers: said}
	c.Named = said.Release != site.None
	if !parent.IsZero() {
		c.Parents = []plumbing.Hash{parent}
	}
	c.Raw = append(commitHead(author, now, tree, parent), "\n"+said.message(tree)...)
	c.Hash = Name(plumbing.CommitObject, c.Raw)
	return c
}

// commitHead is a commit object as far as its message.
func commitHead(author mail.Address, now time.Time, tree, parent plumbing.Hash) []byte {
	head := fmt.Appendf(nil, "tree %s\n", tree)
	if !parent.IsZero() {
		head = fmt.Appendf(head, "parent %s\n", parent)
	}
	for _, role := range []string{"author", "committer"} {
		head = fmt.Appendf(head, "%s %s <%s> %d +0000\n", role, author.Name, author.Address, now.Unix())
	}
	return head
}

func (s Trailers) message(tree plumbing.Hash) string {
	if s.Vacant {
		return "Unpublish\n\n" + trailerVacant + ": true\n" + trailerTree + ": " + tree.String() + "\n"
	}
	if s.Release == site.None {
		return "Roll back\n\n" + trailerTree + ": " + tree.String() + "\n" + trailerUndo + ": " + s.Restores.String() + "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Publish %s\n\n", s.Release.Short())
	fmt.Fprintf(&b, "%s: %s\n%s: %s\n", trailerRelease, s.Release, trailerTree, tree)
	if s.Beacon != "" {
		fmt.Fprintf(&b, "%s: %s\n", trailerBeacon, quoteOdd(s.Beacon))
	}
	if len(s.Kept) > 0 {
		fmt.Fprintf(&b, "%s: %s\n", trailerKept, strings.Join(s.Kept, ", "))
	}
	if !s.After.IsZero() {
		fmt.Fprintf(&b, "%s: %s\n", trailerAfter, s.After)
	}
	if s.Sequence > 0 {
		fmt.Fprintf(&b, "%s: %d\n", trailerSeq, s.Sequence)
	}
	if !s.Restores.IsZero() {
		fmt.Fprintf(&b, "%s: %s\n", trailerUndo, s.Restores)
	}
	if s.Rescue {
		fmt.Fprintf(&b, "%s: true\n", trailerRescue)
	}
	for _, glob := range s.Keep {
		fmt.Fprintf(&b, "%s: %s\n", trailerKeep, quoteOdd(glob))
	}
	for _, path := range s.Own {
		fmt.Fprintf(&b, "%s: %s\n", trailerOwn, quoteOdd(path))
	}
	for _, e := range s.Grace {
		fmt.Fprintf(&b, "%s: %s\n", trailerGrace, graceLine(e))
	}
	for _, id := range s.Purged.Latest() {
		fmt.Fprintf(&b, "%s: %d %s\n", trailerPurged, s.Purged[id].Unix(), id)
	}
	return b.String()
}

// quoteOdd quotes a path that one plain line could not hold.
func quoteOdd(path string) string {
	if q := strconv.Quote(path); q != `"`+path+`"` || path != strings.TrimSpace(path) {
		return q
	}
	return path
}

// unquoted reads what quoteOdd writes.
func unquoted(text string) string {
	if plain, err := strconv.Unquote(text); err == nil && text[0] == '"' {
		return plain
	}
	return text
}

// parseCommit reads a commit object.
func parseCommit(raw []byte) (Commit, error) {
	obj := &plumbing.MemoryObject{}
	obj.SetType(plumbing.CommitObject)
	_, _ = obj.Write(raw) // memory takes every write
	var c object.Commit
	if err := c.Decode(obj); err != nil {
		return Commit{}, fmt.Errorf("commit: %w", err)
	}
	if c.TreeHash.IsZero() {
		return Commit{}, errors.New("commit: it has no tree")
	}
	return Commit{
		Hash: Name(plumbing.CommitObject, raw), Raw: raw,
		Tree: c.TreeHash, Parents: c.ParentHashes, When: c.Committer.When.UTC(), Trailers: parseTrailers(c.Message, c.TreeHash),
	}, nil
}

// parseTrailers reads a message's last paragraph. A commit that was amended by other hands
// keeps our words and not our tree: it is not ours.
func parseTrailers(message string, tree plumbing.Hash) Trailers {
	said := lastParagraph(message)
	id, err := site.ParseID(said[trailerRelease])
	if said[trailerTree] != tree.String() {
		return Trailers{Named: err == nil}
	}
	if said[trailerVacant] != "" && tree == EmptyTree {
		return Trailers{Vacant: true}
	}
	restores, _ := ParseHash(said[trailerUndo]) // zero for none
	if err != nil {
		return Trailers{Restores: restores}
	}
	out := Trailers{Release: id, Beacon: said[trailerBeacon], Named: true, Restores: restores}
	out.Beacon = unquoted(out.Beacon)
	globs, own := keepTrailers(message)
	out.Keep, out.Own, out.Grace, out.Purged = parseKeep(globs), own, parseGrace(message), parsePurged(message)
	if after, err := ParseHash(said[trailerAfter]); err == nil {
		out.After = after
	}
	if n, err := strconv.ParseInt(said[trailerSeq], 10, 64); err == nil && n > 0 {
		out.Sequence = n
	}
	out.Rescue = said[trailerRescue] == "true"
	if kept := said[trailerKept]; kept != "" {
		out.Kept = strings.Split(kept, ", ")
	}
	return out
}

// keepTrailers reads the trailers that may be there more than once.
func keepTrailers(message string) (globs, own []string) {
	for line := range strings.Lines(lastLines(message)) {
		switch key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); key {
		case trailerKeep:
			globs = append(globs, unquoted(value))
		case trailerOwn:
			own = append(own, unquoted(value))
		}
	}
	slices.Sort(own)
	return globs, own
}

// lastLines is the last paragraph of a message.
func lastLines(message string) string {
	message = strings.TrimRight(message, "\n")
	return message[strings.LastIndex(message, "\n\n")+1:]
}

func lastParagraph(message string) map[string]string {
	said := map[string]string{}
	for line := range strings.Lines(lastLines(message)) {
		if key, value, ok := strings.Cut(line, ": "); ok {
			said[key] = strings.TrimSpace(value)
		}
	}
	return said
}

// ParseHash reads the 40 digits of a Revision.
func ParseHash(s string) (plumbing.Hash, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(plumbing.Hash{}) {
		return plumbing.ZeroHash, fmt.Errorf("revision %q is no commit", s)
	}
	return plumbing.Hash(b), nil
}

// WithSignature returns the commit with the armored signature of its Raw.
func (c Commit) WithSignature(armored string) Commit {
	head, message, _ := strings.Cut(string(c.Raw), "\n\n")
	armored = strings.ReplaceAll(strings.TrimSuffix(armored, "\n"), "\n", "\n ")
	c.Raw = []byte(head + "\ngpgsig " + armored + "\n\n" + message)
	c.Hash = Name(plumbing.CommitObject, c.Raw)
	return c
}
