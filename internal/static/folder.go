package static

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"

	"mirror/internal/pointer"
)

// Folder is the handler of the site in a folder, or in that which a pointer file leads to. There must be
// such a folder now.
func Folder(path string, o Options) (http.Handler, error) {
	folder, err := pointer.Folder(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no such folder (hint: the folder that the build has written, such as ./public, or the link %q of a target of type dir): %w", "current", fs.ErrNotExist)
	}
	if errors.Is(err, pointer.ErrNeither) {
		return nil, fmt.Errorf("it is not a folder, and leads to none (hint: the folder that the file is in): %w", err)
	}
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(folder)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, errors.New("it is not a folder (hint: a folder)")
	}
	return New(Dir(path), o), nil
}
