package ssh

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"

	"mirror/site"
	"mirror/targets"
	"mirror/targets/internal/releasedir"
	"mirror/targets/ssh/internal/remote"
)

// served returns the path of the folder that is live.
func (t *Target) served(ctx context.Context) (string, error) { return t.at(ctx, releasedir.Current) }

// readLive lists and hashes what is live. It does not read what is kept.
func (t *Target) readLive(ctx context.Context, live targets.Live, kept func(path string) bool) (served, error) {
	if live.Revision == "" {
		return served{}, nil
	}
	root, err := t.served(ctx)
	if err != nil {
		return served{}, err
	}
	list, err := t.ofRelease(ctx, live.Revision)
	if err != nil {
		return served{}, err
	}
	s, err := t.read(ctx, look{root: root, list: list, kept: kept})
	if errors.Is(err, fs.ErrNotExist) {
		return served{}, nil // the link leads to nothing
	}
	return s, err
}

// look is what is looked at.
type look struct {
	root  string
	list  site.Manifest          // what the release there consists of, as far as that is known: a file of it is no beacon
	kept  func(path string) bool // files that are not read
	asked map[string]bool        // files that are hashed, nil for all
}

// read lists what is below a folder and hashes the files that are asked for.
func (t *Target) read(ctx context.Context, l look) (served, error) {
	tree, err := t.host.List(ctx, l.root)
	if err != nil {
		return served{}, err
	}
	s := served{oddFiles: map[string]bool{}}
	for _, e := range tree.Folders {
		s.oddFolders = s.oddFolders || e.Mode.Perm() != t.modes.Folder
	}
	hash := t.sort(l, tree.Files, &s)
	sums, err := t.host.Digests(ctx, l.root, hash)
	if err != nil {
		return served{}, err
	}
	for _, e := range hash {
		f := site.File{Path: e.Path}
		if digest, read := sums[e.Path]; read {
			f.Digest, f.Size = digest, e.Size
		}
		s.Files = append(s.Files, f)
	}
	s.Files.Sort()
	return s, t.dropBeacons(ctx, l, &s)
}

// sort tells the files apart and returns those to hash.
func (t *Target) sort(l look, files []remote.Entry, s *served) (hash []remote.Entry) {
	for _, e := range files {
		if site.IsSums(e.Path) {
			continue
		}
		if l.kept(e.Path) {
			s.Kept = append(s.Kept, e.Path)
			continue
		}
		f := site.File{Path: e.Path}
		if e.Mode.IsRegular() {
			if e.Mode.Perm() != t.modes.File {
				s.oddFiles[e.Path] = true
			}
			if l.asked == nil || l.asked[e.Path] {
				hash = append(hash, e)
				continue
			}
			f.Size = e.Size
		}
		s.Files = append(s.Files, f)
	}
	return hash
}

// dropBeacons takes the beacons out of what was read, by what they say, wherever the config of the time put
// them: a beacon is the JSON document that names a release.
func (t *Target) dropBeacons(ctx context.Context, l look, s *served) error {
	var failed error
	isBeacon := func(name string, size int64) bool {
		if size == 0 || size > site.MaxBeacon || path.Ext(name) != ".json" || failed != nil {
			return false
		}
		beacon, err := t.saysBeacon(ctx, path.Join(l.root, name))
		failed = err
		return beacon
	}
	s.Files = slices.DeleteFunc(s.Files, func(f site.File) bool {
		if own, ok := l.list.Find(f.Path); ok && own.Digest == f.Digest || !isBeacon(f.Path, f.Size) {
			return false
		}
		s.beacons = append(s.beacons, f.Path)
		return true
	})
	return failed
}

// saysBeacon reports whether a file is a beacon. The error is one of the connection.
func (t *Target) saysBeacon(ctx context.Context, name string) (bool, error) {
	b, err := t.readBeacon(ctx, name)
	return !b.Published.IsZero(), err
}

// readBeacon reads a beacon, an empty one where there is none. The error is one of the connection.
func (t *Target) readBeacon(ctx context.Context, name string) (site.Beacon, error) {
	text, err := t.host.ReadFile(ctx, name, site.MaxBeacon)
	if err != nil {
		if ctx.Err() != nil {
			return site.Beacon{}, err
		}
		return site.Beacon{}, nil
	}
	b, err := site.ParseBeacon(text)
	if err != nil {
		return site.Beacon{}, nil
	}
	return b, nil
}

// liveSequence returns the sequence of the live beacon, 0 where there is none.
func (t *Target) liveSequence(ctx context.Context, rel *site.Release, now served) (int64, error) {
	if !slices.Contains(now.beacons, rel.BeaconPath) {
		return 0, nil
	}
	root, err := t.served(ctx)
	if err != nil {
		return 0, err
	}
	b, err := t.readBeacon(ctx, path.Join(root, rel.BeaconPath))
	return b.Sequence, err
}

// recorded reports whether the folder holds a record of a release that was live there: the
// link names one, a list of one is kept, or what the link leads to has a beacon.
func (t *Target) recorded(ctx context.Context, live targets.Live, now served) (bool, error) {
	if live.Release != site.None || len(now.beacons) > 0 {
		return true, nil
	}
	all, err := t.releases(ctx)
	return len(all.Lived(site.None)) > 0, err
}

// Past lists the releases whose folders are kept, from the lists beside them: the live one
// first, then those that went live before, the latest first. What is live and was put there
// by others is read itself, the files of the paths in of only.
func (t *Target) Past(ctx context.Context, limit int, of []string) ([]site.Past, error) {
	live, err := t.Live(ctx)
	if err != nil {
		return nil, err
	}
	all, err := t.releases(ctx)
	if err != nil {
		return nil, err
	}
	var past []site.Past
	sequence := all.Sequence(live.Release)
	if live.Revision != "" && (len(sequence) == 0 || sequence[0].Release != live.Release) {
		m, err := t.lookAt(ctx, of)
		if err != nil {
			return nil, err
		}
		past = append(past, site.Past{Manifest: m})
	}
	for _, one := range sequence {
		if len(past) >= limit || ctx.Err() != nil {
			break
		}
		if one.Manifest, err = t.readList(ctx, one.Release); err == nil {
			past = append(past, one)
		}
	}
	return past[:min(len(past), limit)], context.Cause(ctx)
}

// lookAt lists what is live, and hashes the files that are asked for.
func (t *Target) lookAt(ctx context.Context, of []string) (site.Manifest, error) {
	root, err := t.served(ctx)
	if err != nil {
		return nil, err
	}
	asked := make(map[string]bool, len(of))
	for _, name := range of {
		asked[name] = true
	}
	s, err := t.read(ctx, look{root: root, kept: t.keep.Match, asked: asked})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return s.Files, err
}
