package ssh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"strings"
	"sync"
	"time"

	"mirror/internal/fsname"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/internal/releasedir"
	"mirror/targets/ssh/internal/remote"
)

// Target is a folder on a host whose symlink current is turned from release to release. The turn is one
// rename(2) there: a reader sees all of a release or nothing of it.
//
// A release that has to be staged again because the live copy of it was tampered with gets
// a folder of its own, releases/<id>.2 and so on. releases/<id>.sha256 lists what a release
// consists of. Files that two releases share are hard links where the host can make them.
type Target struct {
	host      *remote.Host
	folder    string // as the config has it: see base
	modes     remote.Modes
	keep      targets.Keep
	stays     *grace.Policy // of earlier releases
	log       *slog.Logger
	publisher string        // names this publisher in the reservation and in what it stages
	lease     time.Duration // how long a reservation without a sign of life keeps others out

	staging   chan struct{} // held while this process stages
	reserved  sync.Map      // targets.Swap → *reservation: those that this process holds
	confirmed sync.Map      // targets.Swap → true: see Confirmed

	mu    sync.Mutex // guards what follows
	home  string     // absolute path of folder, "" while it is not known
	seen  sighting   // the last reservation of another publisher
	hash  known
	whole map[string]bool // texts of links to copies that this process has made or hashed
}

// known is what was live when it was hashed.
type known struct {
	live targets.Live
	served
}

// served is what lies in the folder that is live.
type served struct {
	releasedir.Served
	beacons []string // paths

	oddFiles   map[string]bool // that have another mode than the config says
	oddFolders bool            // whether there are such folders
}

// sighting is a reservation of another publisher, and since when it is known unchanged.
type sighting struct {
	name  string
	since time.Time
}

var (
	_ targets.Guard     = (*Target)(nil)
	_ targets.Target    = (*Target)(nil)
	_ targets.Gracer    = (*Target)(nil)
	_ targets.Historian = (*Target)(nil)
	_ targets.Pruner    = (*Target)(nil)
	_ targets.Notes     = (*Target)(nil)
	_ targets.Restorer  = (*Target)(nil)
	_ targets.Confirmer = (*Target)(nil)
)

// maxLink bounds the text of a link, in bytes.
const maxLink = 4 << 10

// at is the absolute path of something in the target's folder.
func (t *Target) at(ctx context.Context, names ...string) (string, error) {
	if path.IsAbs(t.folder) {
		return path.Join(append([]string{t.folder}, names...)...), nil
	}
	t.mu.Lock()
	home := t.home
	t.mu.Unlock()
	if home == "" {
		var err error
		if home, err = t.host.Home(ctx); err != nil {
			return "", err
		}
		t.mu.Lock()
		t.home = home
		t.mu.Unlock()
	}
	return path.Join(append([]string{home, t.folder}, names...)...), nil
}

// Live reads the link.
func (t *Target) Live(ctx context.Context) (targets.Live, error) {
	link, err := t.at(ctx, releasedir.Current)
	if err != nil {
		return targets.Live{}, err
	}
	info, err := t.host.Lstat(ctx, link)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return targets.Live{}, nil
	case err != nil:
		return targets.Live{}, err
	case info.Mode()&fs.ModeSymlink == 0:
		return targets.Live{}, fmt.Errorf("%s is not a symbolic link (hint: move it away; mirror makes the link)", link)
	}
	to, err := t.host.Readlink(ctx, link)
	if errors.Is(err, fs.ErrNotExist) {
		return targets.Live{}, nil
	}
	if err == nil && (to == "" || len(to) > maxLink || strings.ContainsAny(to, "\x00\n")) {
		err = fmt.Errorf("the text of the link %s is not a path", link)
	}
	if err != nil {
		return targets.Live{}, err
	}
	return targets.Live{Release: releasedir.IDOfLink(to), Revision: to}, nil
}

// remember keeps what Plan has hashed for Stage.
func (t *Target) remember(live targets.Live, s served) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hash = known{live, s}
}

// hashed returns what was live when it was hashed last.
func (t *Target) hashed() known {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hash
}

// isWhole notes that all files of a copy are on the host with the bytes that they should have, as the host says.
func (t *Target) isWhole(copy string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.whole == nil {
		t.whole = map[string]bool{}
	}
	t.whole[copy] = true
}

// Confirmed reports whether this process has committed s, to a copy of which it knows all bytes.
func (t *Target) Confirmed(s targets.Swap) bool {
	_, committed := t.confirmed.Load(s)
	return committed
}

// refuse finds the first file of a release that no host can hold.
func (t *Target) refuse(_ context.Context, rel *site.Release) error {
	for _, f := range rel.Manifest {
		for part := range strings.SplitSeq(f.Path, "/") {
			if len(part) > maxName {
				return &targets.RefusedError{
					Path: f.Path, Reason: fmt.Sprintf("has a name of more than %d bytes, which file systems do not take", maxName),
					Hint: "rename the file, or list it under site.exclude",
				}
			}
		}
	}
	return nil
}

// maxName is the longest name that the usual file systems take, in bytes.
const maxName = 255

// refuseFolded refuses a release with names that the host's file system cannot tell from each other. folder is
// an empty one there.
func (t *Target) refuseFolded(ctx context.Context, rel *site.Release, folder string) error {
	names := make([]string, 0, len(rel.Manifest)+1)
	for _, f := range rel.Manifest {
		names = append(names, f.Path)
	}
	if rel.BeaconPath != "" {
		names = append(names, rel.BeaconPath)
	}
	one, other, found := fsname.Clash(names)
	if !found {
		return nil
	}
	const name, folded = "mirror\u00e9", "MIRRORE\u0301"
	if err := t.host.Mkdir(ctx, path.Join(folder, name)); err != nil {
		return err
	}
	_, err := t.host.Lstat(ctx, path.Join(folder, folded))
	_, caseErr := t.host.Lstat(ctx, path.Join(folder, "MIRROR\u00c9"))
	if removed := t.host.RemoveAll(ctx, folder, []string{name}); removed != nil {
		return removed
	}
	if err != nil && caseErr != nil {
		return nil
	}
	return &targets.RefusedError{
		Path: other, Reason: "the file system of the host cannot tell it from " + one,
		Hint: "rename one of the two, or publish to a file system that tells capitals from small letters",
	}
}
