package main

import (
	"fmt"
	"path/filepath"

	"mirror/internal/config"
	"mirror/targets/dir"
	"mirror/targets/git"
	"mirror/targets/oci"
	"mirror/targets/s3"
)

// judgePlaces refuses two targets that would write to one place, and a folder that lies
// inside the site and so would be published with it.
func judgePlaces(c *config.Config) error {
	taken := map[string]string{}
	for _, t := range c.Targets {
		place, err := placeOf(t)
		if err != nil {
			return err
		}
		if other, ok := taken[place]; ok {
			return fmt.Errorf("%s: targets %s and %s write to the same place (hint: give each its own)", c.File, other, t.Name)
		}
		taken[place] = t.Name
		if t.Type != "dir" {
			continue
		}
		if path, ok := inside(c.Site.Dir, place[len("dir "):]); ok {
			return fmt.Errorf("%s: target %s writes to %s inside the site itself (hint: move it out of %s)", c.File, t.Name, path, c.Site.Dir)
		}
	}
	return nil
}

// placeOf names the place that a target writes to.
func placeOf(t config.Target) (string, error) {
	var place string
	var err error
	switch t.Type {
	case "git":
		var c git.Config
		err = t.Decode(&c)
		place = c.URL + " " + c.Branch
	case "s3":
		var c s3.Config
		err = t.Decode(&c)
		place = c.Endpoint + " " + c.Bucket + " " + c.Prefix
	case "oci":
		var c oci.Config
		err = t.Decode(&c)
		place = c.Image
	case "dir":
		var c dir.Config
		if err = t.Decode(&c); err == nil {
			place, err = filepath.Abs(c.Path)
		}
	}
	return t.Type + " " + place, err
}
