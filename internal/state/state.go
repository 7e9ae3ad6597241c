// Package state is the folder in which mirror remembers, beside the config: who this
// publisher is, the digests of the last scan, and the manifests of what it published. All
// of it can be lost; the targets themselves tell what is live.
package state

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"mirror/site"
)

// Name is what the folder is called where nobody says otherwise.
const Name = ".mirror"

// Folder is a state folder.
type Folder struct{ dir string }

// Open makes the folder if it is not there.
func Open(dir string) (Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Folder{}, fmt.Errorf("state: %w", err)
	}
	ignore := filepath.Join(dir, ".gitignore")
	if _, err := os.Stat(ignore); errors.Is(err, fs.ErrNotExist) {
		_ = os.WriteFile(ignore, []byte("*\n"), 0o644) // a convenience: the folder is of use without it
	}
	return Folder{dir}, nil
}

// Dir returns the folder's path.
func (f Folder) Dir() string { return f.dir }

// ScanCache returns the file for the digests of the site's last scan.
func (f Folder) ScanCache() string { return filepath.Join(f.dir, "scan") }

// Target returns the folder for one target's own caches.
func (f Folder) Target(name string) string { return filepath.Join(f.dir, "targets", name) }

// Owner returns the name that stands for this folder in locks that other machines see. It
// is made once.
func (f Folder) Owner() (string, error) {
	file := filepath.Join(f.dir, "owner")
	text, err := os.ReadFile(file)
	if err == nil && len(text) > 0 {
		return strings.TrimSpace(string(text)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("state: %w", err)
	}
	owner := rand.Text()
	if err := renameio.WriteFile(file, []byte(owner+"\n"), 0o644); err != nil {
		return "", fmt.Errorf("state: %w", err)
	}
	return owner, nil
}

// keepManifests is how many releases' manifests stay: pages that one of them had and the
// live release has not are looked for by a check.
const keepManifests = 20

// Published is a release that was published from here.
type Published struct {
	Release  site.ID       `json:"release"`
	When     time.Time     `json:"when"`
	Manifest site.Manifest `json:"manifest"`
}

// SaveRelease remembers a release that has gone live, and forgets the oldest of many.
func (f Folder) SaveRelease(p Published) error {
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	dir := filepath.Join(f.dir, "releases")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(dir, string(p.Release)+".json"), text, 0o644); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	all, err := f.Releases()
	if err != nil {
		return err
	}
	for _, old := range all[min(len(all), keepManifests):] {
		if err := os.Remove(filepath.Join(dir, string(old.Release)+".json")); err != nil {
			return fmt.Errorf("state: %w", err)
		}
	}
	return nil
}

// Releases returns the remembered releases, the last published first. Damaged files are
// passed over.
func (f Folder) Releases() ([]Published, error) {
	files, err := filepath.Glob(filepath.Join(f.dir, "releases", "*.json"))
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	var all []Published
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("state: %w", err)
		}
		var p Published
		if json.Unmarshal(text, &p) == nil && p.Manifest.ID() == p.Release {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Published) int { return cmp.Or(b.When.Compare(a.When), cmp.Compare(a.Release, b.Release)) })
	return all, nil
}

// keepLags is how many lags of an origin are remembered: the median of so many is not moved
// by an outage.
const keepLags = 15

// Lags returns, for each origin, the median of the lags that were learnt of it last: how
// long it took from the start of a commit until all of it was live. Of two in the middle it is
// the smaller: a container's first start takes longer than those that follow.
func (f Folder) Lags() (map[string]time.Duration, error) {
	all, err := f.lags()
	if err != nil {
		return nil, err
	}
	medians := map[string]time.Duration{}
	for name, lags := range all {
		slices.Sort(lags)
		medians[name] = lags[(len(lags)-1)/2]
	}
	return medians, nil
}

// LearnLags adds what a publish saw.
func (f Folder) LearnLags(seen map[string]time.Duration) error {
	all, err := f.lags()
	if err != nil {
		return err
	}
	for name, lag := range seen {
		all[name] = append(all[name], lag)
		all[name] = all[name][max(0, len(all[name])-keepLags):]
	}
	text, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if err := renameio.WriteFile(f.lagFile(), text, 0o644); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return nil
}

func (f Folder) lagFile() string { return filepath.Join(f.dir, "lags.json") }

// lags reads the lags, oldest first. A damaged file is none.
func (f Folder) lags() (map[string][]time.Duration, error) {
	all := map[string][]time.Duration{}
	text, err := os.ReadFile(f.lagFile())
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if json.Unmarshal(text, &all) != nil {
		return map[string][]time.Duration{}, nil
	}
	for name, lags := range all {
		if len(lags) == 0 {
			delete(all, name)
		}
	}
	return all, nil
}
