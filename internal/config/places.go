package config

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"

	"mirror/internal/config/strictyaml"
	"mirror/targets"
)

// validatePlaces refuses two targets that would write to one place, a folder that is the site's own, or
// lies inside or around it (what is published there would be published again), and globs of
// publish.keep that a kind of target cannot keep.
func validatePlaces(d *strictyaml.Decoder, c *Config, kinds targets.Kinds) {
	taken := map[string]string{}
	for _, t := range c.Targets {
		kind, ok := kinds.Find(t.Type)
		if !ok {
			continue
		}
		validateKeep(d, c, kind)
		if kind.Place == nil {
			continue
		}
		place, err := kind.Place(t.Decode)
		if err != nil {
			continue // the target's own keys are wrong, which is noted
		}
		id := kind.Name + " " + place.ID
		if folder, err := resolve(place.Folder); err == nil && place.Folder != "" {
			id = "folder " + folder // through whatever links it is named
		}
		if other, ok := taken[id]; ok {
			t.wrong(cmp.Or(place.Key, "name"), "is where target "+strictyaml.Quoted(other)+" writes too (hint: give each target its own place)")
		}
		taken[id] = t.Name
		if wrong := overlap(c.Site.Dir, place.Folder); c.Site.Dir != "" && place.Folder != "" && wrong != "" {
			t.wrong(cmp.Or(place.Key, "name"), "is "+wrong+" (hint: a folder beside "+strictyaml.Quoted(c.Site.Dir)+")")
		}
	}
}

// validateKeep notes globs of publish.keep that a kind of target cannot keep.
func validateKeep(d *strictyaml.Decoder, c *Config, kind targets.Kind) {
	if kind.WrongKeep == nil {
		return
	}
	for i := range c.Publish.Keep {
		at := d.Place(&c.Publish.Keep[i])
		if why := kind.WrongKeep(c.Publish.Keep[:i+1]); why != "" && at != nil {
			d.Errorf(at, "keep: %s %s", d.Describe(at), why)
			return
		}
	}
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
	if path, ok := Inside(site, folder); ok {
		return path + " inside the site itself"
	}
	if _, ok := Inside(folder, site); ok {
		return "a folder that the site lies in"
	}
	return ""
}

// maxLinks bounds how many links that lead to nothing yet are followed.
const maxLinks = 40

// resolve returns the absolute path with the links followed, also one that leads to what does not exist yet.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for range maxLinks {
		next, again := follow(path)
		if !again {
			return next, nil
		}
		path = next
	}
	return path, nil
}

// follow follows the links of the part of a path that exists. again says that a link led to what does not.
func follow(path string) (next string, again bool) {
	for at, rest := path, ""; ; at, rest = filepath.Dir(at), filepath.Join(filepath.Base(at), rest) {
		if real, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(real, rest), false
		}
		if to, err := os.Readlink(at); err == nil {
			if !filepath.IsAbs(to) {
				to = filepath.Join(filepath.Dir(at), to)
			}
			return filepath.Join(to, rest), true
		}
		if at == filepath.Dir(at) {
			return path, false
		}
	}
}

// Inside returns path relative to dir, where it lies in it.
func Inside(dir, path string) (string, bool) {
	a, errA := filepath.Abs(dir)
	b, errB := filepath.Abs(path)
	rel, err := filepath.Rel(a, b)
	return filepath.ToSlash(rel), errors.Join(errA, errB, err) == nil && filepath.IsLocal(rel) && rel != "."
}
