package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/internal/releasedir"
	"mirror/targets/ssh/internal/remote"
)

// Stage makes the release in a folder of its own beside the live one: of files that the live release has
// too, second names; the others are sent. Files that an interrupted Stage of this publisher left are kept
// where their bytes are right. A Stage for which there is no room leaves nothing behind.
func (t *Target) Stage(ctx context.Context, rel *site.Release, progress targets.Progress) error {
	if err := t.refuse(ctx, rel); err != nil {
		return err
	}
	select {
	case t.staging <- struct{}{}:
		defer func() { <-t.staging }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := t.host.CanReplace(ctx); err != nil {
		return fmt.Errorf("%w (hint: an sftp server of OpenSSH 4.8 or later)", err)
	}
	folder, err := t.makePlace(ctx)
	if err != nil {
		return err
	}
	return t.stage(ctx, folder, rel, progress)
}

func (t *Target) stage(ctx context.Context, folder string, rel *site.Release, progress targets.Progress) error {
	all, err := t.releases(ctx)
	if err != nil {
		return err
	}
	if names, _ := all.Copies(rel.ID()); len(names) > 0 {
		name := names[len(names)-1]
		held, err := t.holds(ctx, path.Join(folder, name), rel)
		if err != nil {
			return err
		}
		if held {
			t.isWhole(releasedir.Link(name))
			return errors.Join(t.renewBeside(ctx, path.Join(folder, name), rel),
				t.host.Chtimes(ctx, path.Join(folder, name), time.Now()), t.writeList(ctx, all, rel.Manifest))
		}
	}
	work := string(rel.ID()) + "." + t.publisher + releasedir.Partial
	if err := t.dropPartial(ctx, folder, all, work); err != nil {
		return err
	}
	if err := t.fill(ctx, path.Join(folder, work), all, rel, progress); err != nil {
		return t.noRoom(ctx, folder, work, err)
	}
	return t.finish(ctx, folder, work, rel)
}

// finish gives a folder that is filled its name. Another publisher may have staged the same release meanwhile.
func (t *Target) finish(ctx context.Context, folder, work string, rel *site.Release) error {
	if err := t.host.Chtimes(ctx, path.Join(folder, work), time.Now()); err != nil {
		return err
	}
	for range maxCopies {
		all, err := t.releases(ctx)
		if err != nil {
			return err
		}
		if err := t.writeList(ctx, all, rel.Manifest); err != nil {
			return err
		}
		_, free := all.Copies(rel.ID())
		err = t.host.Rename(ctx, path.Join(folder, work), path.Join(folder, free))
		if err == nil {
			t.isWhole(releasedir.Link(free))
			return t.host.Sync(ctx, folder)
		}
		if _, statErr := t.host.Lstat(ctx, path.Join(folder, free)); statErr != nil {
			return err
		}
	}
	return fmt.Errorf("stage: other publishers stage release %s again and again", rel.ID().Short())
}

// maxCopies bounds how often a folder is renamed whose name was taken in the same moment.
const maxCopies = 5

// dropPartial removes what stagings of this publisher left half done, but for the one that is resumed.
func (t *Target) dropPartial(ctx context.Context, folder string, all releasedir.Listing, resumed string) error {
	var left []string
	for name, info := range all {
		if strings.HasSuffix(name, "."+t.publisher+releasedir.Partial) && (name != resumed || !info.IsDir()) {
			left = append(left, name)
		}
	}
	return t.host.RemoveAll(ctx, folder, left)
}

// noRoom removes what was staged where there is no room for it, and says so.
func (t *Target) noRoom(ctx context.Context, folder, work string, err error) error {
	full := strings.Contains(err.Error(), "No space left") || strings.Contains(err.Error(), "quota exceeded") || strings.Contains(err.Error(), "Quota exceeded")
	if free, roomErr := t.host.Room(ctx, folder); !full && (roomErr != nil || free > little) {
		return err
	}
	if left := t.host.RemoveAll(ctx, folder, []string{work}); left != nil {
		return errors.Join(err, left)
	}
	return fmt.Errorf("no space left on the host: %w (what was staged of the release is removed again)", err)
}

// little is how many free bytes are none: servers say of a full disk no more than that they failed.
const little = 256 << 10

// holds reports whether a copy has exactly the release's bytes.
func (t *Target) holds(ctx context.Context, root string, rel *site.Release) (bool, error) {
	kept, err := t.besideOf(ctx, rel.ID(), rel.Manifest)
	if err != nil {
		return false, err
	}
	s, err := t.read(ctx, look{root: root, list: rel.Manifest, kept: kept})
	return err == nil && s.Files.ID() == rel.ID(), err
}

// fill makes a folder hold the release and what lies beside it, and nothing else.
func (t *Target) fill(ctx context.Context, work string, all releasedir.Listing, rel *site.Release, progress targets.Progress) error {
	var err error
	missing := []site.File(rel.Manifest)
	if _, there := all[path.Base(work)]; there {
		missing, err = t.sweep(ctx, work, rel)
	} else if err = t.host.Mkdir(ctx, work); err == nil {
		if err = t.host.FolderMode(ctx, work, t.modes); err == nil {
			err = t.refuseFolded(ctx, rel, work)
		}
	}
	if err == nil {
		missing, err = t.linkLive(ctx, work, rel, missing)
	}
	if err != nil {
		return err
	}
	if progress != nil {
		progress.Expect(len(missing), site.Manifest(missing).Bytes())
	}
	upload := remote.Upload{
		Files: missing, Modes: t.modes,
		Open: func(ctx context.Context, f site.File) (io.ReadCloser, error) { return rel.OpenContext(ctx, f) },
	}
	if progress != nil {
		upload.Sent = progress.Sent
	}
	if err := t.host.Send(ctx, work, upload); err != nil {
		return fmt.Errorf("stage: %w", err)
	}
	if err := t.verify(ctx, work, missing); err != nil {
		return err
	}
	return t.writeBeside(ctx, work, rel)
}

// verify has the host tell what it has got.
func (t *Target) verify(ctx context.Context, work string, sent []site.File) error {
	entries := make([]remote.Entry, len(sent))
	for i, f := range sent {
		entries[i] = remote.Entry{Path: f.Path, Size: f.Size}
	}
	sums, err := t.host.Digests(ctx, work, entries)
	if err != nil {
		return err
	}
	for _, f := range sent {
		if sums[f.Path] != f.Digest {
			return fmt.Errorf("stage: %q is not on the host as it was sent", f.Path)
		}
	}
	return nil
}

// renewBeside makes a copy that was staged before tell of this publish. The live copy stays as it is.
func (t *Target) renewBeside(ctx context.Context, root string, rel *site.Release) error {
	live, err := t.Live(ctx)
	if err != nil || live.Revision == releasedir.Link(path.Base(root)) {
		return err
	}
	for name, text := range rel.Beside() {
		if err := t.renew(ctx, root, name, text); err != nil {
			return fmt.Errorf("stage %s: %w", name, err)
		}
	}
	if rel.PublishManifest {
		return nil
	}
	sums := site.SumsPath(rel.ID())
	if _, err := t.host.Lstat(ctx, path.Join(root, sums)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return t.host.RemoveAll(ctx, root, []string{sums})
}

// renew puts a file in place of one of the same name, in one step.
func (t *Target) renew(ctx context.Context, root, name string, text []byte) error {
	made := name + "." + t.publisher + releasedir.Partial
	err := t.host.MakeFolders(ctx, root, []string{made}, t.modes)
	if err == nil {
		err = t.host.RemoveAll(ctx, root, []string{made})
	}
	if err == nil {
		err = t.host.WriteFile(ctx, path.Join(root, made), text, t.modes.File)
	}
	if err == nil {
		err = t.host.Replace(ctx, path.Join(root, made), path.Join(root, name))
	}
	return err
}

// writeBeside adds the beacon, and the manifest where that is public.
func (t *Target) writeBeside(ctx context.Context, work string, rel *site.Release) error {
	for name, text := range rel.Beside() {
		err := t.host.MakeFolders(ctx, work, []string{name}, t.modes)
		if err == nil {
			err = t.host.WriteFile(ctx, path.Join(work, name), text, t.modes.File)
		}
		if err != nil {
			return fmt.Errorf("stage %s: %w", name, err)
		}
	}
	return nil
}

// sweep removes what an interrupted Stage left wrong and returns the files that are missing.
func (t *Target) sweep(ctx context.Context, work string, rel *site.Release) ([]site.File, error) {
	tree, err := t.host.List(ctx, work)
	if err != nil {
		return nil, err
	}
	folders := releasedir.Folders(rel.Manifest)
	var maybe []remote.Entry
	var wrong []string
	for _, e := range tree.Files {
		if f, ok := rel.Manifest.Find(e.Path); ok && e.Mode.IsRegular() && e.Size == f.Size && e.Mode.Perm() == t.modes.File {
			maybe = append(maybe, e)
		} else {
			wrong = append(wrong, e.Path)
		}
	}
	for _, e := range tree.Folders {
		if !folders[e.Path] {
			wrong = append(wrong, e.Path)
		}
	}
	sums, err := t.host.Digests(ctx, work, maybe)
	if err != nil {
		return nil, err
	}
	right := map[string]bool{}
	for _, e := range maybe {
		if f, _ := rel.Manifest.Find(e.Path); sums[e.Path] == f.Digest {
			right[e.Path] = true
		} else {
			wrong = append(wrong, e.Path)
		}
	}
	if err := t.host.RemoveAll(ctx, work, wrong); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone([]site.File(rel.Manifest)), func(f site.File) bool { return right[f.Path] }), nil
}

// linkLive makes second names of the live files that the release has too, and returns the files to send. Where
// a link could not be made, what is there is looked at.
func (t *Target) linkLive(ctx context.Context, work string, rel *site.Release, missing []site.File) ([]site.File, error) {
	live, err := t.Live(ctx)
	if err != nil || live.Release == site.None {
		return missing, err
	}
	now := t.hashed()
	if now.live != live {
		s, err := t.readLive(ctx, live, t.keep.Beside(rel.Manifest))
		if err != nil {
			return nil, err
		}
		now = known{live, s}
	}
	var paths []string
	for _, f := range missing {
		if old, ok := now.Files.Find(f.Path); ok && old.Digest == f.Digest && !now.oddFiles[f.Path] {
			paths = append(paths, f.Path)
		}
	}
	from, err := t.at(ctx, live.Revision)
	if err != nil || len(paths) == 0 {
		return missing, err
	}
	whole, err := t.host.Link(ctx, from, work, paths, t.modes)
	if err == nil && now.oddFolders {
		err = t.folderModes(ctx, work)
	}
	if err != nil {
		return nil, err
	}
	if !whole {
		return t.sweep(ctx, work, rel)
	}
	linked := make(map[string]bool, len(paths))
	for _, p := range paths {
		linked[p] = true
	}
	return slices.DeleteFunc(slices.Clone(missing), func(f site.File) bool { return linked[f.Path] }), nil
}

// folderModes gives the folders below a folder their mode: those around links have that of the live ones.
func (t *Target) folderModes(ctx context.Context, work string) error {
	tree, err := t.host.List(ctx, work)
	for _, e := range tree.Folders {
		if err == nil {
			err = t.host.FolderMode(ctx, path.Join(work, e.Path), t.modes)
		}
	}
	return err
}
