package dir

import (
	"cmp"
	"runtime"

	"mirror/internal/fsname"
	"mirror/site"
	"mirror/targets"
)

// system is what names the file system of a target can hold.
type system struct {
	windows bool
	folds   bool // names that differ in case only are one
}

// systemOf looks at the file system of a folder.
func systemOf(path string) system {
	return system{windows: runtime.GOOS == "windows", folds: fsname.Folds(path)}
}

// refuse finds the first file of a release that the file system cannot hold, or cannot tell from another.
func (s system) refuse(rel *site.Release) error {
	names := make([]string, 0, len(rel.Manifest)+1)
	for _, f := range rel.Manifest {
		names = append(names, f.Path)
	}
	if rel.BeaconPath != "" {
		names = append(names, rel.BeaconPath)
	}
	for i := 0; s.windows && i < len(names); i++ {
		if why := fsname.OnWindows(names[i]); why != "" {
			return &targets.RefusedError{Path: names[i], Reason: why, Hint: "rename the file, or list it under site.exclude"}
		}
	}
	if !s.folds {
		return nil
	}
	if one, other, found := fsname.Clash(names); found {
		return &targets.RefusedError{
			Path:   cmp.Or(other, one),
			Reason: "the file system of the folder cannot tell it from " + one,
			Hint:   "rename one of the two, or publish to a file system that tells capitals from small letters",
		}
	}
	return nil
}
