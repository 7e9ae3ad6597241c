package workspace

import (
	"errors"
	"fmt"
	"path/filepath"

	"mirror/internal/config"
	"mirror/targets"
)

// validatePlaces refuses two targets that would write to one place, and a folder that is
// the site's own, or lies inside or around it: what is published there would be published again.
func validatePlaces(c *config.Config, kinds targets.Kinds) error {
	taken := map[string]string{}
	for _, t := range c.Targets {
		kind, ok := kinds.Find(t.Type)
		if !ok || kind.Place == nil {
			continue
		}
		place, err := kind.Place(t.Decode)
		if err != nil {
			return err
		}
		id := kind.Name + " " + place.ID
		if other, ok := taken[id]; ok {
			return fmt.Errorf("%s: targets %s and %s write to the same place (hint: give each its own)", c.File, other, t.Name)
		}
		taken[id] = t.Name
		if place.Folder == "" {
			continue
		}
		if wrong := overlap(c.Site.Dir, place.Folder); wrong != "" {
			return fmt.Errorf("%s: target %s writes to %s (hint: move it to a folder beside %s)", c.File, t.Name, wrong, c.Site.Dir)
		}
	}
	return nil
}

// overlap says what is wrong with a folder that is the site's, lies in it or around it; ""
// where it is apart from the site. Links are followed as far as the paths exist.
func overlap(site, folder string) string {
	site, errSite := resolve(site)
	folder, errFolder := resolve(folder)
	if errors.Join(errSite, errFolder) != nil {
		return ""
	}
	if site == folder {
		return "the folder of the site itself"
	}
	if path, ok := inside(site, folder); ok {
		return path + " inside the site itself"
	}
	if _, ok := inside(folder, site); ok {
		return "a folder that the site lies in"
	}
	return ""
}

// resolve returns the absolute path with the links followed in the part of it that exists.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for at, rest := path, ""; ; at, rest = filepath.Dir(at), filepath.Join(filepath.Base(at), rest) {
		if real, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(real, rest), nil
		}
		if at == filepath.Dir(at) {
			return path, nil
		}
	}
}

// inside returns path relative to dir, where it lies in it.
func inside(dir, path string) (string, bool) {
	a, errA := filepath.Abs(dir)
	b, errB := filepath.Abs(path)
	rel, err := filepath.Rel(a, b)
	return filepath.ToSlash(rel), errors.Join(errA, errB, err) == nil && filepath.IsLocal(rel) && rel != "."
}
