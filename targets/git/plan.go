package git

import (
	"context"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"mirror/diff"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/git/internal/objects"
	"mirror/targets/git/internal/wire"
)

// Plan compares the live tree with the release by git's own names of the contents. Only
// trees are fetched; a file of the site is read once in its life.
func (t *Target) Plan(ctx context.Context, rel *site.Release) (plan targets.Plan, err error) {
	defer t.redact(&err)
	if err := t.refuse(rel); err != nil {
		return targets.Plan{}, err
	}
	ids, err := t.blobs.of(ctx, rel)
	if err != nil {
		return targets.Plan{}, err
	}
	s, err := t.open(ctx, wire.UploadPack)
	if err != nil {
		return targets.Plan{}, err
	}
	defer s.Close()
	live, err := t.snapshot(ctx, s, s.Refs[t.branch])
	if err != nil {
		return targets.Plan{}, err
	}
	next, err := t.compose(ctx, rel, ids, live) // refuses what the tree cannot hold
	if err != nil {
		return targets.Plan{}, err
	}
	plan = targets.Plan{Live: liveOf(live.Commit), Changes: diff.BetweenBytes(t.siteFiles(live, rel), wanted(rel, ids), sameBytes), Metadata: map[string]string{}, Sequence: live.Sequence}
	for _, path := range plan.Changes.Metadata {
		plan.Metadata[path] = fmt.Sprintf("mode: %o → %o", uint32(live.Files[path].Mode), uint32(filemode.Regular))
	}
	plan.StaysInGrace(next.said.Grace)
	if plan.Kept = next.stays(); len(plan.Changes.Delete) > 0 && !t.recorded(ctx, live, rel.BeaconPath) {
		plan.Foreign = plan.Changes.Delete
	}
	if !next.sameSettings(live) {
		plan.Live.Release = site.None // the files are right, what the host reads beside them is not
	}
	plan.Warnings = t.limits(ctx, s, rel.Manifest.Bytes(), live.Commit)
	plan.CountBytes(rel.Manifest)
	return plan, nil
}

// sameBytes reports whether two entries are served with the same bytes. What a host serves
// of a symbolic link is not the blob's bytes.
func sameBytes(have, want objects.Entry) bool {
	return have.Blob == want.Blob && have.Mode != filemode.Symlink
}

func wanted(rel *site.Release, ids map[site.Digest]plumbing.Hash) map[string]objects.Entry {
	want := make(map[string]objects.Entry, len(rel.Manifest))
	for _, f := range rel.Manifest {
		want[f.Path] = objects.Entry{Blob: ids[f.Digest], Mode: filemode.Regular}
	}
	return want
}
