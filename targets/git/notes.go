package git

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// Where the notes of a branch lie, the better place first; see stageRefs.
const (
	notesPrefix         = stagePrefix + "notes/"
	notesFallbackPrefix = fallbackPrefix + "notes/"
)

func (t *Target) notesRef(s *wire.Session) (plumbing.ReferenceName, plumbing.Hash) {
	fallback := plumbing.ReferenceName(notesFallbackPrefix + t.branch.Short())
	if hash := s.Refs[fallback]; !hash.IsZero() {
		return fallback, hash
	}
	ref := plumbing.ReferenceName(notesPrefix + t.branch.Short())
	return ref, s.Refs[ref]
}

// ReadNotes reads the message of the commit without files that holds the notes.
func (t *Target) ReadNotes(ctx context.Context, limit int64) (text []byte, err error) {
	defer t.redact(&err)
	s, err := t.open(ctx, wire.UploadPack)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	_, hash := t.notesRef(s)
	if hash.IsZero() {
		return nil, nil
	}
	store, err := t.fetchWithin(ctx, s, wire.Wish{Wants: []plumbing.Hash{hash}, Depth: 1, Filter: packp.FilterTreeDepth(0)})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	c, err := store.ReadCommit(hash)
	if err != nil {
		return nil, err
	}
	if int64(len(c.Raw)) > limit+maxHead {
		return nil, errors.New("the notes are longer than any that mirror writes")
	}
	return objects.ParseNotes(c), nil
}

// maxHead is how long what a commit says beside its message may be, in bytes.
const maxHead = 4 << 10

// WriteNotes replaces that commit.
func (t *Target) WriteNotes(ctx context.Context, text []byte) (err error) {
	defer t.redact(&err)
	s, err := t.open(ctx, wire.ReceivePack)
	if err != nil {
		return err
	}
	defer s.Close()
	ref, old := t.notesRef(s)
	c := objects.NewNotes(t.author, time.Now(), text)
	err = t.pushEmpty(ctx, s, c, &packp.Command{Name: ref, Old: old, New: c.Hash})
	var refused *wire.RejectedError
	if !errors.As(err, &refused) || !old.IsZero() {
		return err
	}
	again, err := t.open(ctx, wire.ReceivePack)
	if err != nil {
		return errors.Join(refused, err)
	}
	defer again.Close()
	fallback := plumbing.ReferenceName(notesFallbackPrefix + t.branch.Short())
	if err := t.pushEmpty(ctx, again, c, &packp.Command{Name: fallback, New: c.Hash}); err != nil {
		return fmt.Errorf("%w; nor as a branch: %w", refused, err)
	}
	return nil
}
