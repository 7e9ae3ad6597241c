package s3

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"

	"mirror/diff"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
	"mirror/targets/s3/internal/verified"
)

// Stage uploads the content that the bucket lacks, to its path where no live release asks for it, else under its
// digest; keeps what a commit would replace; and writes down the release and the change that leads to it.
func (t *Target) Stage(ctx context.Context, rel *site.Release, p targets.Progress) error {
	return t.stageWith(ctx, rel, p, false)
}

// StageUnseen is Stage that puts nothing in place.
func (t *Target) StageUnseen(ctx context.Context, rel *site.Release, p targets.Progress) error {
	return t.stageWith(ctx, rel, p, true)
}

func (t *Target) stageWith(ctx context.Context, rel *site.Release, p targets.Progress, unseen bool) error {
	h, err := t.awaitFree(ctx)
	if err == nil {
		err = t.stageSteadily(ctx, rel, h, p, unseen)
	}
	if err != nil {
		if refused := (*targets.RefusedError)(nil); errors.As(err, &refused) {
			return err
		}
		return fmt.Errorf("stage: %w", err)
	}
	return nil
}

// stageAttempts is how often Stage begins again when another publisher commits at the same time.
const stageAttempts = 3

// errChanged says that another publisher was there while something was staged.
var errChanged = errors.New("another publisher has changed the site")

// stageSteadily stages until nothing was changed in between: what was kept to undo
// the change might else be of two states.
func (t *Target) stageSteadily(ctx context.Context, rel *site.Release, h documents.StateDocument, p targets.Progress, unseen bool) error {
	for attempt := 1; attempt <= stageAttempts; attempt++ {
		err := t.stage(ctx, rel, h, p, unseen)
		gone := bucket.IsMissing(err) // what was listed
		changed := gone || bucket.Status(err) == http.StatusPreconditionFailed || errors.Is(err, errChanged) || isConflict(err)
		if !changed || gone && attempt == stageAttempts {
			return err
		}
		t.seen.note(documents.StateDocument{}, inventory{})
		if h, err = t.docs.ReadState(ctx); err != nil {
			return err
		}
	}
	return documents.Conflict(h)
}

func (t *Target) stage(ctx context.Context, rel *site.Release, h documents.StateDocument, p targets.Progress, unseen bool) error {
	rel, want, err := t.wanted(ctx, rel)
	if err != nil {
		return err
	}
	inv, err := t.inventory(ctx, h)
	if err != nil {
		return err
	}
	defer t.saveLearnt()
	t.endOther(ctx, inv.own, rel)
	if unseen {
		return t.stageChanges(ctx, rel, want, h, inv, p, true)
	}
	fills, err := t.mayFill(ctx, h, inv, rel)
	switch {
	case err != nil:
		return err
	case fills:
		return t.stageFirst(ctx, rel, want, h, inv, p)
	}
	return t.stageChanges(ctx, rel, want, h, inv, p, false)
}

// stageFirst stages a release in a place where nothing is live.
func (t *Target) stageFirst(ctx context.Context, rel *site.Release, want documents.Entries, h documents.StateDocument, inv inventory, p targets.Progress) error {
	if err := t.probe(ctx); err != nil { // a later publish makes copies
		return err
	}
	if err := t.tryNames(ctx, want, comparison{Changes: diff.Changes{Add: slices.Collect(maps.Keys(want))}}); err != nil {
		return err
	}
	return t.fillEmpty(ctx, rel, want, h, inv, p)
}

// stageChanges stages what the bucket lacks of a release. New files with a hash in their names go to their paths, unless
// nothing may be seen.
func (t *Target) stageChanges(ctx context.Context, rel *site.Release, want documents.Entries, h documents.StateDocument, inv inventory, p targets.Progress, unseen bool) error {
	_, recorded := t.docs.LoadRecords(ctx, h.RecordPaths())
	c, err := t.compare(ctx, h, inv, want, recorded, rel.BeaconPath)
	if err != nil {
		return err
	}
	if err := t.probe(ctx); err != nil {
		return err
	}
	if err := t.tryNames(ctx, want, c); err != nil {
		return err
	}
	var fill []string
	if !unseen {
		if fill, err = t.fillBeside(ctx, rel, want, h, inv, c); err != nil {
			return err
		}
		c.Add = without(c.Add, fill)
	}
	texts, err := t.texts(rel, inv, c)
	if err != nil {
		return err
	}
	left := t.notInPlace(rel, want, inv, fill)
	if err := t.upload(ctx, rel, inv, c, texts, left, p); err != nil {
		return err
	}
	b := beaconOf(rel)
	if err := t.docs.WriteSnapshot(ctx, h.Base(), rel.ID(), want, b); err != nil {
		return err
	}
	ch, err := t.prepare(ctx, request{to: rel.ID(), want: want, beacon: b, held: h, inv: inv, comparison: c, texts: texts, fill: fill})
	if err == nil && len(fill) == 0 { // else with those that are put in place
		err = t.putSums(ctx, rel, "", ch.ACL(rel.SumsPath()))
	}
	if err != nil {
		return err
	}
	st := &staged{change: ch, alive: c.alive, fresh: c.fresh}
	if len(fill) > 0 {
		return t.putInPlace(ctx, rel, want, h, inv, st, left, p)
	}
	t.staged.Store(targets.Swap{From: liveOf(h, inv), To: rel.ID()}, st)
	return nil
}

// source is how the bucket comes by staged content.
type source struct {
	file site.File
	copy bucket.Object // an object of the site that holds the content; else it is sent
}

// upload brings the content that is to go live into .mirror/objects/, but for the texts that the change holds. Files
// that are sent to their paths afterwards only count.
func (t *Target) upload(ctx context.Context, rel *site.Release, inv inventory, c comparison, texts map[string]string, after []site.File, p targets.Progress) error {
	lacking, err := t.lacking(ctx, rel, inv, c, texts)
	if err != nil {
		return err
	}
	files, bytes := len(after), bytesOf(after)
	for _, s := range lacking {
		if s.copy.Path == "" {
			files, bytes = files+1, bytes+s.file.Size
		}
	}
	for _, text := range texts {
		files, bytes = files+1, bytes+int64(len(text))
	}
	if p != nil {
		p.Expect(files, bytes)
		for _, text := range texts {
			p.Sent(1, int64(len(text)))
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(t.bucket.Limit)
	for _, s := range lacking {
		g.Go(func() error { return t.uploadOne(ctx, rel, s, p) })
	}
	return g.Wait()
}

func (t *Target) uploadOne(ctx context.Context, rel *site.Release, s source, p targets.Progress) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.copy.Path != "" {
		_, err := t.bucket.Copy(ctx, s.copy.Path, documents.ObjectPath(s.file.Digest), &bucket.Staged, s.copy.ETag)
		return err
	}
	if _, err := t.bucket.PutFile(ctx, documents.ObjectPath(s.file.Digest), rel, s.file, bucket.Attributes{Headers: &bucket.Staged}); err != nil {
		return fmt.Errorf("%s: %w", s.file.Path, err)
	}
	if p != nil {
		p.Sent(1, s.file.Size)
	}
	return nil
}

// lacking lists the content that is about to go live and that .mirror/objects/ does not hold, each once. What
// lies there already is read first: an object may be damaged.
func (t *Target) lacking(ctx context.Context, rel *site.Release, inv inventory, c comparison, texts map[string]string) ([]source, error) {
	moving := map[string]bool{}
	for _, path := range slices.Concat(c.Add, c.Change) {
		moving[path] = true
	}
	found := map[site.Digest]bucket.Object{}
	for path, known := range c.known {
		found[known.Digest] = inv.site[path]
	}
	var out []source
	var doubtful []bucket.Object
	files := map[string]site.File{}
	seen := map[site.Digest]bool{}
	for _, f := range rel.Manifest {
		path := documents.ObjectPath(f.Digest)
		_, text := texts[f.Path]
		switch {
		case text || !moving[f.Path]:
		case inv.holds(f.Digest, f.Size):
			if _, twice := files[path]; !twice {
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
func (t *Target) unknown(list []bucket.Object, files map[string]site.File) []bucket.Object {
	return slices.DeleteFunc(list, func(o bucket.Object) bool {
		return t.verified.Has(o, verified.Content{Digest: files[o.Path].Digest, Headers: bucket.Staged})
	})
}
