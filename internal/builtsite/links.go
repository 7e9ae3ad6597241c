package builtsite

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"mirror/site"
)

// maxLinks is how many links may lead from one to the next.
const maxLinks = 16

// resolve has every link stand for the file, or the files of the folder, that it leads to within the
// archive, and refuses names that cannot be files of one folder.
func (s *files) resolve() error {
	names := slices.Sorted(maps.Keys(s.files))
	for _, name := range slices.Concat(names, slices.Sorted(maps.Keys(s.links))) {
		if err := s.ancestors(name); err != nil {
			return err
		}
	}
	added := map[string]file{}
	for _, link := range slices.Sorted(maps.Keys(s.links)) {
		target, err := s.follow(link)
		if err != nil {
			return err
		}
		if err := s.alias(added, names, link, target); err != nil {
			return err
		}
	}
	maps.Copy(s.files, added)
	return nil
}

// ancestors refuses a path of which a part is a file or a link.
func (s *files) ancestors(name string) error {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if _, ok := s.files[dir]; ok {
			return refused(name, fmt.Sprintf("it is in %q, which is a file", dir), "pack the site anew, into a new file")
		}
		if _, ok := s.links[dir]; ok {
			return refused(name, fmt.Sprintf("it is behind %q, which is a link", dir), "pack the site anew, into a new file")
		}
	}
	return nil
}

// follow returns where a link leads, component by component.
func (s *files) follow(link string) (string, error) {
	at, rest, hops := path.Dir(link), strings.Split(s.links[link], "/"), 1
	if strings.HasPrefix(s.links[link], "/") {
		return "", refused(link, "a symlink that leaves the site", "put the file itself there, or link to it with a relative path inside the site")
	}
	for len(rest) > 0 {
		at, rest = path.Join(at, rest[0]), rest[1:]
		if at == ".." || strings.HasPrefix(at, "../") {
			return "", refused(link, "a symlink that leaves the site", "put the file itself there, or link to it with a relative path inside the site")
		}
		target, isLink := s.links[at]
		if !isLink {
			continue
		}
		if hops++; hops > maxLinks || strings.HasPrefix(target, "/") {
			return "", refused(link, "a symlink that loops or leaves the site", "remove the link")
		}
		at, rest = path.Dir(at), append(strings.Split(target, "/"), rest...)
	}
	return at, nil
}

// alias adds the files that a link stands for.
func (s *files) alias(added map[string]file, names []string, link, target string) error {
	if f, ok := s.files[target]; ok {
		added[link] = f
		return nil
	}
	if target == "." || strings.HasPrefix(link, target+"/") {
		return refused(link, "a symlink that loops back to a folder above it", "remove the link")
	}
	from, _ := slices.BinarySearch(names, target+"/")
	found := false
	for _, name := range names[from:] {
		rest, ok := strings.CutPrefix(name, target+"/")
		if !ok {
			break
		}
		found = true
		if len(added)+len(s.files) >= s.limits.Files {
			return fmt.Errorf("%w: with what its links stand for it has more than %d files", site.ErrRefused, s.limits.Files)
		}
		added[link+"/"+rest] = s.files[name]
	}
	if !found {
		return refused(link, "a symlink to nothing", "make the file that it names, or remove the link")
	}
	return nil
}
