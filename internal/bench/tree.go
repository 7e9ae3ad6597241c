package bench

import (
	"archive/tar"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
)

// Tree is what a site or a place holds: the digest of each file, by its path.
type Tree map[string][sha256.Size]byte

// ReadFolder reads a folder, which may be a link to one.
func ReadFolder(dir string) (Tree, error) {
	t := Tree{}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		file, err := root.Open(path)
		if err != nil {
			return err
		}
		return errors.Join(t.add(path, file), file.Close())
	})
	return t, err
}

// ReadTar reads a tar, as of git archive.
func ReadTar(r io.Reader) (Tree, error) {
	t := Tree{}
	for archive := tar.NewReader(r); ; {
		switch header, err := archive.Next(); {
		case errors.Is(err, io.EOF):
			return t, nil
		case err != nil:
			return nil, err
		case header.Typeflag == tar.TypeReg:
			if err := t.add(strings.TrimPrefix(header.Name, "./"), archive); err != nil {
				return nil, err
			}
		}
	}
}

func (t Tree) add(path string, r io.Reader) error {
	hash := sha256.New()
	if _, err := io.Copy(hash, r); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	t[path] = [sha256.Size]byte(hash.Sum(nil))
	return nil
}

// shown bounds how many differences an error lists.
const shown = 5

// Compare returns an error that lists how what is stored differs from the site, nil where it does not. Files for
// which own reports true may be there beside the site's.
func (t Tree) Compare(stored Tree, own func(path string) bool) error {
	var wrong []string
	for _, path := range slices.Sorted(maps.Keys(t)) {
		switch digest, there := stored[path]; {
		case !there:
			wrong = append(wrong, path+" is missing")
		case digest != t[path]:
			wrong = append(wrong, path+" differs")
		}
	}
	for _, path := range slices.Sorted(maps.Keys(stored)) {
		if _, ours := t[path]; !ours && (own == nil || !own(path)) {
			wrong = append(wrong, path+" is not of the site")
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%d files are not as in the site: %s", len(wrong), strings.Join(wrong[:min(shown, len(wrong))], ", "))
}
