package exec

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mirror/internal/regular"
	"mirror/site"
)

// listing collects the files that a program lists.
type listing struct{ files site.Manifest }

func (s *listing) hear(l line) error {
	switch {
	case l.Sum != "":
		m, err := site.ReadManifest(strings.NewReader(l.Sum + "\n"))
		if err != nil || len(m) != 1 || l.Size < 0 {
			return errors.New("it is not a line of sha256sum with a size")
		}
		m[0].Size, m[0].Path = l.Size, strings.TrimPrefix(m[0].Path, "./")
		s.files = append(s.files, m[0])
	case l.Path != "":
		s.files = append(s.files, site.File{Path: strings.TrimPrefix(l.Path, "./")})
	}
	return nil
}

// manifest is what was listed, without the beacon and without the files that are beside the release.
func (s *listing) manifest(beacon string, beside func(path string) bool) (site.Manifest, error) {
	s.files.Sort()
	for i := 1; i < len(s.files); i++ {
		if s.files[i].Path == s.files[i-1].Path {
			return nil, fmt.Errorf("the program lists %q twice", s.files[i].Path)
		}
	}
	return slices.DeleteFunc(slices.Clone(s.files), func(f site.File) bool {
		return f.Path == beacon && f.Size <= site.MaxBeacon || beside(f.Path)
	}), nil
}

// maxManifest bounds a list of files that a program names, in bytes.
const maxManifest = 512 << 20

// readManifest reads the list of a release that the program names. It is an error where it is another list.
func readManifest(name string, id site.ID) (site.Manifest, error) {
	text, err := regular.ReadFile(name, maxManifest)
	if err != nil {
		return nil, err
	}
	m, err := site.ReadManifest(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if m.ID() != id {
		return nil, fmt.Errorf("the list of files is not that of release %s", id.Short())
	}
	return m, nil
}
