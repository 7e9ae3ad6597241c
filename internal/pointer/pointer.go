// Package pointer reads what names the live release in a folder: a symbolic link, or, where the system lets
// the user make none (Windows without developer mode or the privilege), a file that holds the text which
// the link would have. Both are replaced in one step.
package pointer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mirror/internal/regular"
)

// maxText bounds the text of a pointer file, in bytes.
const maxText = 4 << 10

// ErrNeither says that there is something else than a link or a pointer file.
var ErrNeither = errors.New("neither a symbolic link nor a file with the name of a folder beside it")

// Text returns what a pointer file holds that leads to a folder with the given slash-separated name.
func Text(to string) string { return to + "\n" }

// Read returns what the link or the pointer file at path says, with slashes. The error wraps
// fs.ErrNotExist where there is nothing.
func Read(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	if to, err := os.Readlink(path); err == nil {
		return filepath.ToSlash(to), nil
	}
	if info.Mode().IsRegular() && info.Size() <= maxText {
		text, err := regular.ReadFile(path, maxText)
		if err != nil {
			return "", err
		}
		to, whole := strings.CutSuffix(string(text), "\n")
		if whole && to != "." && filepath.IsLocal(filepath.FromSlash(to)) && !strings.ContainsAny(to, "\n\r\x00") {
			return to, nil
		}
	}
	return "", fmt.Errorf("%s: %w", path, ErrNeither)
}

// Folder returns the folder that path is, or that a pointer file at path leads to.
func Folder(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return path, err
	}
	to, err := Read(path)
	return filepath.Join(filepath.Dir(path), filepath.FromSlash(to)), err
}
