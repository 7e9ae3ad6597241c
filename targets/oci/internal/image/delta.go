package image

import (
	"cmp"
	"context"
	"io"
	"path"
	"slices"
	"strings"

	"mirror/site"
)

// Delta is what a layer on top of an image of a site holds, so that both together come to another
// release: files, and whiteouts (OCI image-spec, layer.md).
type Delta struct {
	Files  site.Manifest // added and changed ones, the beacon and the manifest among them, in path order
	Gone   []string      // files, and folders as a whole, that are deleted
	Opaque []string      // folders that take the place of a file
}

// Bytes returns the size of the content.
func (d Delta) Bytes() int64 { return d.Files.Bytes() }

// Empty reports whether the layer would change nothing.
func (d Delta) Empty() bool { return len(d.Files) == 0 && len(d.Gone) == 0 }

// Difference returns what leads from the files of an image to a release. beside are the paths of the image's beacon and
// manifest. The beacon is in it whatever it says: it has the time of publishing.
func Difference(old site.Manifest, beside []string, rel *site.Release) Delta {
	now, before := withBeside(rel), slices.Clone(old)
	for _, path := range beside {
		before = append(before, site.File{Path: path})
	}
	before.Sort()
	var d Delta
	for _, f := range now {
		was, there := before.Find(f.Path)
		if !there || f.Path == rel.BeaconPath || f.Path == rel.SumsPath() || slices.Contains(beside, f.Path) || was.Size != f.Size || was.Digest != f.Digest {
			d.Files = append(d.Files, f)
		}
	}
	for _, f := range before {
		if _, stays := now.Find(f.Path); !stays {
			d.remove(f.Path, now)
		}
	}
	d.Gone = slices.Compact(d.Gone) // one whiteout for all that a folder held
	return d
}

// remove deletes a file that the next release lacks: with the highest folder that it lacks too. A file
// in the place of a folder needs no whiteout: it hides all that the folder held.
func (d *Delta) remove(p string, now site.Manifest) {
	for i := range len(p) {
		if p[i] != '/' || now.HasFolder(p[:i]) {
			continue
		}
		if _, file := now.Find(p[:i]); !file {
			d.Gone = append(d.Gone, p[:i])
		}
		return
	}
	if now.HasFolder(p) {
		d.Opaque = append(d.Opaque, p)
		return
	}
	d.Gone = append(d.Gone, p)
}

// WriteDelta writes the layer as a tar stream, as WriteSite writes that of a whole site.
func WriteDelta(ctx context.Context, w io.Writer, rel *site.Release, webRoot string, d Delta) error {
	s := newSiteWriter(w, rel, webRoot)
	s.opaque = map[string]bool{}
	for _, folder := range d.Opaque {
		s.opaque[folder] = true
	}
	if err := s.folder(""); err != nil {
		return err
	}
	for _, e := range d.entries() {
		err := s.writeParents(e.Path)
		switch {
		case err != nil:
		case e.gone:
			err = s.empty(e.Path)
		default:
			err = s.writeFile(ctx, rel, e.File)
		}
		if err != nil {
			return err
		}
	}
	return s.tar.Close()
}

// entry is a file of a layer, or a whiteout.
type entry struct {
	site.File
	gone bool
}

// entries lists what the layer holds, in path order.
func (d Delta) entries() []entry {
	var all []entry
	for _, f := range d.Files {
		all = append(all, entry{File: f})
	}
	for _, p := range d.Gone {
		dir, base := path.Split(p)
		all = append(all, entry{File: site.File{Path: dir + whiteout + base}, gone: true})
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.Path, b.Path) })
	return all
}

// inRoot is the name of a path in an image whose site lies in the folder root, which may be "".
func inRoot(root, p string) string { return strings.TrimPrefix(root+"/"+p, "/") }
