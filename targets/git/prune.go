package git

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"mirror/site"
)

// Prune deletes the refs of staged releases that are neither in keep nor live. The host
// frees their objects in its own time.
func (t *Target) Prune(ctx context.Context, keep []site.ID) (err error) {
	defer t.redact(&err)
	s, err := t.open(ctx, receivePack)
	if err != nil {
		return err
	}
	defer s.Close()
	head, err := t.head(ctx, s)
	if err != nil {
		return err
	}
	var drop []*packp.Command
	for ref, hash := range s.refs {
		id, ours := stagedID(ref)
		if ours && hash != head.hash && id != head.Release && !slices.Contains(keep, id) {
			drop = append(drop, &packp.Command{Name: ref, Old: hash})
		}
	}
	if len(drop) == 0 {
		return nil
	}
	if !s.caps.Supports(capability.DeleteRefs) {
		return errors.New("the server lets no refs be deleted")
	}
	return s.push(ctx, nil, nil, drop...)
}

// stagedID tells which release a ref stages, and whether it is one of ours at all.
func stagedID(ref plumbing.ReferenceName) (site.ID, bool) {
	for _, prefix := range []string{stagePrefix, fallbackPrefix} {
		if rest, ok := strings.CutPrefix(string(ref), prefix); ok {
			id, err := site.ParseID(rest)
			return id, err == nil && string(id) == rest
		}
	}
	return site.None, false
}
