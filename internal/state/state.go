// Package state is the folder in which mirror remembers, beside the config: who this
// publisher is, the digests of the last scan, the targets' caches and the history. All of it
// can be lost; the targets themselves tell what is live.
package state

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mirror/internal/atomicfile"
	"mirror/internal/oserr"
	"mirror/internal/regular"
)

// Name is the folder's default name.
const Name = ".mirror"

// Folder is a state folder.
type Folder struct {
	dir    string
	sealed bool // nothing can be written to it
}

// Open makes the folder if it is not there. Where nothing can be written, as in a read-only
// checkout, nothing is kept: those that only read go on without.
func Open(dir string) (Folder, error) {
	err := prepare(dir)
	if errors.Is(err, fs.ErrPermission) || oserr.ReadOnly(err) {
		return Folder{dir: dir, sealed: true}, nil
	}
	if err != nil {
		return Folder{}, fmt.Errorf("state: %w", err)
	}
	return Folder{dir: dir}, nil
}

// ErrForeign says that a folder holds files and nothing that says it is a state folder.
var ErrForeign = errors.New("the folder holds other files, and was never a state folder (hint: --state names a folder of its own)")

// prepare makes the folder, and a file in it that keeps it out of the site's own repository.
// What is in the folder already is left as it is.
func prepare(dir string) error {
	if err := os.MkdirAll(dir, private); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if holdsOthers(entries) && !wasState(dir) {
		return fmt.Errorf("%s: %w", dir, ErrForeign)
	}
	ignore, err := os.OpenFile(filepath.Join(dir, gitignore), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // follows no link
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	tighten(dir)
	if ignore == nil {
		return nil
	}
	_, err = ignore.WriteString(ignoreAll)
	return errors.Join(err, ignore.Close())
}

// gitignore is made in every state folder, with ignoreAll as its text.
const (
	gitignore = ".gitignore"
	ignoreAll = "*\n"
)

// holdsOthers reports whether a folder holds what is not made in a state folder, or a list of
// ignored files of its own.
func holdsOthers(entries []fs.DirEntry) bool {
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !isOwn(e.Name()) || e.Name() == gitignore })
}

// wasState reports whether a folder was made a state folder before others put files there.
func wasState(dir string) bool {
	text, err := regular.ReadFile(filepath.Join(dir, gitignore), 1<<10)
	return err == nil && string(text) == ignoreAll
}

// Dir returns the folder's path.
func (f Folder) Dir() string { return f.dir }

// Sealed reports whether nothing can be written to it.
func (f Folder) Sealed() bool { return f.sealed }

// ScanCache returns the file for the digests of the site's last scan.
func (f Folder) ScanCache() string { return filepath.Join(f.dir, "scan") }

// History returns the file for what was done and seen so far.
func (f Folder) History() string { return filepath.Join(f.dir, "history.db") }

// Target returns the folder for one target's own caches, "" where nothing can be kept.
func (f Folder) Target(name string) string {
	if f.sealed {
		return ""
	}
	return filepath.Join(f.dir, "targets", name)
}

// frontFolder is the folder of a front's cache.
const frontFolder = "front"

// Front returns the folder for what a front keeps, "" where nothing can be kept.
func (f Folder) Front() string {
	if f.sealed {
		return ""
	}
	return filepath.Join(f.dir, frontFolder)
}

// Certificates returns the folder for the certificates and keys that a front gets by ACME.
func (f Folder) Certificates() string { return filepath.Join(f.dir, frontFolder, "certificates") }

// Announced returns the folder for the releases that publishes from here are about to make live.
func (f Folder) Announced() string { return filepath.Join(f.dir, "announced") }

// Owner returns the name that stands for this folder in locks that other machines see. It
// is made once, and anew each time where it cannot be kept; the error says why not, and the
// name is good all the same.
func (f Folder) Owner() (string, error) {
	file := filepath.Join(f.dir, "owner")
	text, err := regular.ReadFile(file, 4<<10)
	if err == nil && len(text) > 0 {
		return strings.TrimSpace(string(text)), nil
	}
	owner := rand.Text()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return owner, fmt.Errorf("state: %w", err)
	}
	if f.sealed {
		return owner, nil
	}
	if err := atomicfile.WriteFile(file, []byte(owner+"\n"), 0o600); err != nil {
		return owner, fmt.Errorf("state: %w", err)
	}
	return owner, nil
}
