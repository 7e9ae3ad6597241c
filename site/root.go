package site

import (
	"fmt"
	"os"
)

// Open opens a site's folder so that no symlink leads out of it. Close the root after
// the last use of the releases that were scanned from it.
func Open(dir string) (*os.Root, error) {
	info, err := os.Stat(dir) // to open a pipe would wait for ever
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a folder", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("site: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("site: %w", err)
	}
	return root, nil
}
