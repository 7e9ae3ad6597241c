package s3

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"mirror/site"
	"mirror/targets"
)

// Stage uploads the content that the bucket lacks, under its digest; keeps what a commit
// would replace; and writes down the release and the change that leads to it.
func (t *Target) Stage(ctx context.Context, rel *site.Release, p targets.Progress) error {
	err := t.awaitFree(ctx)
	if err == nil {
		err = t.stageSteadily(ctx, rel, p)
	}
	if err != nil {
		if refused := (*targets.RefusedError)(nil); errors.As(err, &refused) {
			return err
		}
		return fmt.Errorf("stage: %w", err)
	}
	return nil
}

// stageAttempts is how often Stage begins again when somebody commits meanwhile.
const stageAttempts = 3

// stageSteadily stages until nothing was committed in between: what was kept to undo
// the change might else be of two states.
func (t *Target) stageSteadily(ctx context.Context, rel *site.Release, p targets.Progress) error {
	var now held
	for range stageAttempts {
		was, err := t.stage(ctx, rel, p)
		if err != nil {
			return err
		}
		if now, err = t.readState(ctx); err != nil {
			return err
		}
		if now.none() && was.none() || !now.none() && !was.none() && now.Revision == was.Revision {
			return nil
		}
	}
	return conflict(now)
}

// stage returns the state that it went by.
func (t *Target) stage(ctx context.Context, rel *site.Release, p targets.Progress) (held, error) {
	want, err := t.wanted(rel)
	if err != nil {
		return held{}, err
	}
	h, inv, err := t.look(ctx)
	if err != nil {
		return held{}, err
	}
	_, recorded := t.loadRecords(ctx, h.records())
	c, err := t.compare(ctx, inv, want, recorded, h.beacons(rel.BeaconPath))
	if err != nil {
		return held{}, err
	}
	if err := t.tryNames(ctx, want, c); err != nil {
		return held{}, err
	}
	if err := t.upload(ctx, rel, want, inv, c, p); err != nil {
		return held{}, err
	}
	b := beaconOf(rel)
	if err := t.writeSnapshot(ctx, h.base(), rel.ID(), want, b); err != nil {
		return held{}, err
	}
	_, err = t.prepare(ctx, request{to: rel.ID(), want: want, beacon: b, held: h, inv: inv, comparison: c})
	return h, err
}

func beaconOf(rel *site.Release) *beacon {
	if rel.BeaconPath == "" {
		return nil
	}
	return &beacon{Path: rel.BeaconPath, Body: rel.Beacon()}
}

// source is how the bucket comes by staged content.
type source struct {
	file site.File
	copy object // an object of the site that holds the content; else it is sent
}

// upload brings all content of the release into .mirror/objects/.
func (t *Target) upload(ctx context.Context, rel *site.Release, want entries, inv inventory, c comparison, p targets.Progress) error {
	lacking, err := t.lacking(ctx, rel, inv, c)
	if err != nil {
		return err
	}
	var bytes int64
	files := 0
	for _, s := range lacking {
		if s.copy.Path == "" {
			files, bytes = files+1, bytes+s.file.Size
		}
	}
	if p != nil {
		p.Expect(files, bytes)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(t.limit)
	for _, s := range lacking {
		g.Go(func() error { return t.bring(ctx, rel, s, p) })
	}
	return g.Wait()
}

func (t *Target) bring(ctx context.Context, rel *site.Release, s source, p targets.Progress) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.copy.Path != "" {
		_, err := t.copy(ctx, s.copy.Path, objectPath(s.file.Digest), &staged, s.copy.ETag)
		return err
	}
	if err := t.putFile(ctx, objectPath(s.file.Digest), rel, s.file); err != nil {
		return fmt.Errorf("%s: %w", s.file.Path, err)
	}
	if p != nil {
		p.Sent(1, s.file.Size)
	}
	return nil
}

// lacking lists the content that .mirror/objects/ does not hold, each once. What lies
// there already and is about to go live is read first: an object may be damaged.
func (t *Target) lacking(ctx context.Context, rel *site.Release, inv inventory, c comparison) ([]source, error) {
	moving := map[string]bool{}
	for _, path := range slices.Concat(c.Add, c.Change) {
		moving[path] = true
	}
	found := map[site.Digest]object{}
	for path, known := range c.known {
		found[known.Digest] = inv.site[path]
	}
	var out []source
	var doubtful []object
	files := map[string]site.File{}
	seen := map[site.Digest]bool{}
	for _, f := range rel.Manifest {
		path := objectPath(f.Digest)
		switch {
		case inv.holds(f.Digest, f.Size):
			if _, twice := files[path]; moving[f.Path] && !twice {
				files[path] = f
				doubtful = append(doubtful, inv.own[path])
			}
		case !seen[f.Digest]:
			seen[f.Digest] = true
			out = append(out, source{file: f, copy: found[f.Digest]})
		}
	}
	read, err := t.hashAll(ctx, t.unknown(doubtful, files))
	if err != nil {
		return nil, err
	}
	for path, c := range read {
		if c.Digest != files[path].Digest {
			t.log.Warn("staged content is damaged and is sent again", "path", path)
			out = append(out, source{file: files[path]})
		}
	}
	return out, nil
}

// unknown leaves out the staged objects that were verified before.
func (t *Target) unknown(list []object, files map[string]site.File) []object {
	return slices.DeleteFunc(list, func(o object) bool {
		return t.now.has(o, content{Digest: files[o.Path].Digest, Headers: staged})
	})
}
