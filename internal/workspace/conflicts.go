package workspace

import (
	"errors"
	"fmt"
	"path/filepath"

	"mirror/internal/config"
	"mirror/targets"
)

// validatePlaces refuses two targets that would write to one place, and a folder that lies
// inside the site and so would be published with it.
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
		if path, ok := inside(c.Site.Dir, place.Folder); ok {
			return fmt.Errorf("%s: target %s writes to %s inside the site itself (hint: move it out of %s)", c.File, t.Name, path, c.Site.Dir)
		}
	}
	return nil
}

// inside returns path relative to dir, where it lies in it.
func inside(dir, path string) (string, bool) {
	a, errA := filepath.Abs(dir)
	b, errB := filepath.Abs(path)
	rel, err := filepath.Rel(a, b)
	return filepath.ToSlash(rel), errors.Join(errA, errB, err) == nil && filepath.IsLocal(rel) && rel != "."
}
