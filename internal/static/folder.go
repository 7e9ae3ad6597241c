package static

import (
	"errors"
	"net/http"
	"os"

	"mirror/internal/pointer"
)

// Folder is the handler of the site in a folder, or in that which a pointer file leads to. There must be
// such a folder now.
func Folder(path string, o Options) (http.Handler, error) {
	folder, err := pointer.Folder(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(folder)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, errors.New("it must be a folder")
	}
	return New(Dir(path), o), nil
}
