package state

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// private is the mode of the folder and of those in it: what origins, builds and servers said
// is for its owner alone. Files in it are written with 0600.
const private = 0o700

// maxTightened bounds how many files are looked at when a folder of an earlier version is taken
// from other users.
const maxTightened = 100_000

// ownNames are the files and folders that are made in a state folder. Others may lie there
// where --state names a folder that holds something else; they are left alone.
func ownNames() []string {
	return []string{".gitignore", "announced", "daemon.lock", "front", "history.db", "history.db-shm", "history.db-wal", "journal.json", "lock", "owner", "reports", "scan", "targets"}
}

// tighten takes the folder from other users, and what earlier versions made readable for all.
// A folder that holds something else keeps its mode, and so does what belongs to another user.
func tighten(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	foreign := false
	budget := maxTightened
	for _, e := range entries {
		if !isOwn(e.Name()) {
			foreign = true
			continue
		}
		if e.Name() == frontFolder { // made private, and large
			continue
		}
		_ = filepath.WalkDir(filepath.Join(dir, e.Name()), func(path string, entry fs.DirEntry, err error) error {
			if budget--; err != nil || budget < 0 {
				return fs.SkipAll
			}
			tightenOne(path, entry)
			return nil
		})
	}
	if info, err := os.Lstat(dir); err == nil && !foreign && info.IsDir() && info.Mode().Perm()&^private != 0 {
		_ = os.Chmod(dir, info.Mode().Perm()&private) // another user's: it works as it is
	}
}

func tightenOne(path string, entry fs.DirEntry) {
	info, err := entry.Info()
	if err != nil || !info.IsDir() && !info.Mode().IsRegular() {
		return
	}
	allowed := fs.FileMode(0o600)
	if info.IsDir() {
		allowed = private
	}
	if mode := info.Mode().Perm(); mode&^allowed != 0 {
		_ = os.Chmod(path, mode&allowed) // another user's: it works as it is
	}
}

// isOwn reports whether a name is of something that is made here, or of such a thing while it
// is being written (".history.db123").
func isOwn(name string) bool {
	return slices.ContainsFunc(ownNames(), func(own string) bool {
		return name == own || strings.HasPrefix(name, "."+own)
	})
}
