package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mirror/internal/regular"
	"mirror/site"
)

// Listing collects the files that a program lists.
type Listing struct{ Files site.Manifest }

// Hear takes a line that describes a file, and passes over the others.
func (s *Listing) Hear(l Line) error {
	switch {
	case l.Sum != "":
		m, err := site.ReadManifest(strings.NewReader(l.Sum + "\n"))
		if err != nil || len(m) != 1 || l.Size < 0 {
			return errors.New("it is not a line of sha256sum with a size")
		}
		m[0].Size, m[0].Path = l.Size, strings.TrimPrefix(m[0].Path, "./")
		s.Files = append(s.Files, m[0])
	case l.Path != "":
		s.Files = append(s.Files, site.File{Path: strings.TrimPrefix(l.Path, "./")})
	}
	return nil
}

// Manifest is what was listed, without the beacon and without the files that are beside the release.
func (s *Listing) Manifest(beacon string, beside func(path string) bool) (site.Manifest, error) {
	s.Files.Sort()
	for i := 1; i < len(s.Files); i++ {
		if s.Files[i].Path == s.Files[i-1].Path {
			return nil, fmt.Errorf("the program lists %q twice", s.Files[i].Path)
		}
	}
	return slices.DeleteFunc(slices.Clone(s.Files), func(f site.File) bool {
		return f.Path == beacon && f.Size <= site.MaxBeacon || site.IsSums(f.Path) || beside(f.Path)
	}), nil
}

// maxManifest bounds a list of files that a program names, in bytes.
const maxManifest = 512 << 20

// ReadManifest reads the list of a release that the program names. It is an error where it is another list.
func ReadManifest(name string, id site.ID) (site.Manifest, error) {
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
