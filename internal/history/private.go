package history

import (
	"os"

	"mirror/internal/regular"
)

// onlyOwner is the mode of the file: what origins, builds and servers said is for the owner alone.
const onlyOwner = 0o600

// makePrivate makes the file if it is not there, and takes it and what SQLite keeps beside it
// from other users. What it may not do, opening the database says better.
func makePrivate(path string) {
	if file, err := regular.OpenFile(path, os.O_WRONLY|os.O_CREATE, onlyOwner); err == nil {
		_ = file.Close() // nothing was written
	}
	tighten(path)
}

// tighten takes a file and what SQLite keeps beside it from other users, if this user may.
func tighten(path string) {
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Lstat(name)
		if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&^onlyOwner != 0 {
			_ = os.Chmod(name, info.Mode().Perm()&onlyOwner) // another user's: it works as it is
		}
	}
}
