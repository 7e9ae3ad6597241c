package git

import (
	"context"
	"errors"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"mirror/targets"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// Of a deployment of GitHub Pages. GitHub cancels one that takes ten minutes, and never deploys its
// commit again.
const (
	githubLimitOfDeployments = 10 * time.Minute
	leastRescue              = 2 * time.Minute
	slowerThanEver           = 3
)

// RescueAfter is three times the slowest lag where the host is GitHub, or what the config says.
func (t *Target) RescueAfter(slowest time.Duration) time.Duration {
	switch {
	case t.rescue != autoRescue:
		return t.rescue
	case !t.onGitHub():
		return 0
	case slowest == 0:
		return githubLimitOfDeployments
	}
	return max(leastRescue, slowerThanEver*slowest)
}

// Rescue puts a commit with the same tree behind the head: hosts deploy commits, and one whose
// deployment was cancelled is never deployed again.
func (t *Target) Rescue(ctx context.Context, swap targets.Swap, age time.Duration) (err error) {
	defer t.redact(&err)
	held := t.reservationOf(swap)
	defer held.stopRenewals()()
	s, head, err := t.openHead(ctx, wire.ReceivePack)
	if err != nil {
		return err
	}
	defer s.Close()
	switch {
	case head.Release != swap.To || revisionOf(head) != swap.From.Revision:
		return conflict(head, swap.From)
	case head.Rescue:
		return targets.ErrRescued
	case time.Since(head.When) < age:
		return targets.ErrTooYoung
	}
	end, err := t.endOf(ctx, s, held)
	if err != nil {
		return err
	}
	next, err := t.again(ctx, head)
	if err != nil {
		return err
	}
	err = t.move(ctx, s, head.Hash, next.Hash, []objects.Item{objects.Content(plumbing.CommitObject, next.Raw)}, listed(end)...)
	if err != nil {
		return err
	}
	if end != nil {
		held.spend()
	}
	if old := t.known.Snapshot(head.Hash); old != nil {
		t.known.Add(&objects.Snapshot{Commit: next, Files: old.Files, Folders: old.Folders}, t.log)
	}
	return nil
}

// again makes the commit of a rescue.
func (t *Target) again(ctx context.Context, head objects.Commit) (objects.Commit, error) {
	said := head.Trailers
	said.After, said.Rescue = plumbing.ZeroHash, true
	return t.signed(ctx, objects.NewCommit(t.author, time.Now(), head.Tree, head.Hash, said))
}

// autoRescue is the rescue of a config that says nothing of it.
const autoRescue time.Duration = -1

// parseRescue reads auto, off or a duration.
func parseRescue(text string) (time.Duration, error) {
	switch text {
	case "", "auto":
		return autoRescue, nil
	case "off":
		return 0, nil
	}
	after, err := time.ParseDuration(text)
	if err != nil || after <= 0 {
		return 0, errors.New("is not a time of a rescue (hint: auto, off, or a duration such as 10m)")
	}
	return after, nil
}
