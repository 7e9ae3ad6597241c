package oci

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mirror/site"
	"mirror/targets"
)

// Commit puts the staged image's manifest under the live tag, then rolls it out. The tag
// is compared and then written, not both at once: see Target.
func (t *Target) Commit(ctx context.Context, s targets.Swap) error {
	staged, err := t.stagedFor(ctx, s.To)
	if err != nil {
		return err
	}
	now, err := t.look(ctx, t.tag)
	if err != nil {
		return err
	}
	switch {
	case now.digest() == staged.image.digest():
		return t.rollout.settle(ctx, now.digest(), s.To)
	case now.digest() != s.From.Revision:
		return conflict(t, now, s.From.Revision)
	}
	if err := t.move(ctx, staged.image); err != nil {
		return err
	}
	t.noteLive(ctx, s, staged.image.digest(), staged.list)
	return nil
}

// stagedFor returns what this process staged for the release, or what lies under its tag.
func (t *Target) stagedFor(ctx context.Context, id site.ID) (staged, error) {
	if s, ok := t.fresh.take(id); ok {
		return s, nil
	}
	h, err := t.look(ctx, t.stagedTag(id))
	if err == nil && (h == nil || h.release() != id) {
		err = fmt.Errorf("%s has no image of release %s: %w", t.tag.Context(), id.Short(), targets.ErrNotStaged)
	}
	return staged{release: id, image: h}, err
}

// move puts the tag, and those that go with it, on h and rolls it out.
func (t *Target) move(ctx context.Context, h *head) error {
	if err := t.rollout.expect(h.digest()); err != nil {
		return err
	}
	m := h.manifest()
	if err := t.reg.writes.Tagged(ctx, t.cfg.tagsFor(h.release()), m.mediaType, m.raw); err != nil {
		return explain(t.tag, "tag", err)
	}
	return t.rollout.run(ctx, h.digest(), h.release())
}

func conflict(t *Target, now *head, want string) error {
	return fmt.Errorf("%s is %s, not %s: %w", t.tag, orNothing(now.digest()), orNothing(want), targets.ErrConflict)
}

func orNothing(digest string) string {
	if digest == "" {
		return "absent"
	}
	return digest
}

// Rollback puts the manifest that was live before under the tag again, by its digest, and
// rolls it out. Where nothing was live the tag is deleted; a registry that cannot do that
// gets an empty image there, which counts as nothing.
func (t *Target) Rollback(ctx context.Context, s targets.Swap) error {
	now, err := t.look(ctx, t.tag)
	if err != nil {
		return err
	}
	if now.digest() == s.From.Revision {
		return t.rollout.undo(ctx, s.From.Revision, s.From.Release)
	}
	ours, err := t.is(ctx, now, s.To)
	if err != nil {
		return err
	}
	if !ours {
		return conflict(t, now, s.From.Revision)
	}
	if s.From.Revision == "" {
		return t.clear(ctx)
	}
	before, err := t.byRevision(ctx, s.From.Revision)
	if err != nil {
		return err
	}
	return t.move(ctx, before)
}

// is reports whether h is the release, by its labels or because it is what is staged.
func (t *Target) is(ctx context.Context, h *head, id site.ID) (bool, error) {
	if h == nil || h.release() == id {
		return h != nil, nil
	}
	staged, err := t.look(ctx, t.stagedTag(id))
	return staged != nil && staged.digest() == h.digest(), err
}

func (t *Target) byRevision(ctx context.Context, revision string) (*head, error) {
	if _, err := v1.NewHash(revision); err != nil {
		return nil, fmt.Errorf("revision %q: %w", revision, err)
	}
	h, err := t.look(ctx, t.tag.Context().Digest(revision))
	if err == nil && h == nil {
		err = fmt.Errorf("%s@%s is gone from the registry (hint: publish again)", t.tag.Context(), revision)
	}
	return h, err
}

// clear leaves nothing under the tag. What runs the last image goes on running it.
func (t *Target) clear(ctx context.Context) error {
	if err := t.rollout.forgive(); err != nil {
		return err
	}
	for _, further := range t.cfg.tagsFor(site.None)[1:] {
		if _, err := t.reg.untag(ctx, t.tag.Context().Tag(further)); err != nil {
			return err
		}
	}
	deleted, err := t.reg.untag(ctx, t.tag)
	if err != nil {
		return err
	}
	if deleted {
		now, err := t.look(ctx, t.tag)
		if err != nil || now == nil {
			return err
		}
	}
	return t.vacate(ctx, t.tag)
}
