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
