package dir

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"

	"mirror/site"
	"mirror/targets"
)

// newest returns the symlink text for the staged copy of a release with the highest number.
func (p *place) newest(id site.ID) (string, error) {
	copies, _, err := p.copies(id)
	if err != nil {
		return "", err
	}
	if len(copies) == 0 {
		return "", fmt.Errorf("dir: %s: %w", id.Short(), targets.ErrNotStaged)
	}
	return path.Join(releases, copies[len(copies)-1]), nil
}

// copies lists the folders of the complete copies of a release, the newest last, and the name
// for the next. What has such a name and is no folder is not ours, and is left alone.
func (p *place) copies(id site.ID) (names []string, free string, err error) {
	for n := 1; ; n++ {
		name := copyName(id, n)
		info, err := p.releases.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return names, name, nil
		case err != nil:
			return nil, "", fmt.Errorf("dir: %w", err)
		case info.IsDir():
			names = append(names, name)
		}
	}
}

func copyName(id site.ID, n int) string {
	if n == 1 {
		return string(id)
	}
	return string(id) + "." + strconv.Itoa(n)
}
