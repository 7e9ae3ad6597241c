package check

import (
	"math/rand/v2"
	"slices"
	"strings"

	"mirror/diff"
	"mirror/site"
)

// expectations lists what to ask for: a path that never existed, the release's pages, and
// what should be absent. The first tells what the answers for the last say.
func (o Options) expectations() []diff.Expectation {
	var wants []diff.Expectation
	for _, f := range o.Manifest {
		if o.asks(f.Path) {
			wants = append(wants, diff.Expectation{File: f, Redirect: o.Redirects[f.Path]})
		}
	}
	wants = append([]diff.Expectation{o.unknownPath()}, sample(wants, o.Sample)...)
	for _, path := range o.Absent {
		if _, ok := o.Manifest.Find(path); !ok && !o.mayServe(path) && !o.ignored(path) {
			wants = append(wants, diff.Expectation{File: site.File{Path: path}, Absent: true})
		}
	}
	if o.NoFolders {
		return wants
	}
	return append(wants, o.folders()...)
}

// unknownPath is the expectation of a path that never existed.
func (o Options) unknownPath() diff.Expectation {
	want := diff.Expectation{File: site.File{Path: "not-found"}, NotFound: true}
	if f, ok := o.Manifest.Find(o.NotFound); ok {
		want.File = f
	}
	return want
}

// expectationsAt returns what is to be asked of an origin: without the removed paths that are pages of
// the release there, or that may be and cannot be told apart by their bytes.
func (o Options) expectationsAt(style site.URLStyle, wants []diff.Expectation) []diff.Expectation {
	skip := func(w diff.Expectation) bool {
		if !w.Absent {
			return false
		}
		r := o.removed(style, w.File.Path)
		page, ok := r.Replaced()
		return ok && (r.SameURL() || len(o.rulesFor(page.Path)) > 0)
	}
	if !slices.ContainsFunc(wants, skip) {
		return wants
	}
	return slices.DeleteFunc(slices.Clone(wants), skip)
}

func (o Options) removed(style site.URLStyle, path string) diff.Removed {
	return diff.Removed{Path: path, Release: o.Manifest, Style: style}
}

// askedFolders is how many folders are asked for without their slash.
const askedFolders = 3

// folders lists some folders with a page of their own, spread over the site.
func (o Options) folders() []diff.Expectation {
	var all []diff.Expectation
	for _, f := range o.Manifest {
		folder, ok := strings.CutSuffix(f.Path, "/index.html")
		_, file := o.Manifest.Find(folder)
		_, page := o.Manifest.Find(folder + ".html")
		if ok && !file && !page && o.asks(f.Path) && o.Redirects[f.Path] == "" {
			all = append(all, diff.Expectation{File: f, Folder: true})
		}
	}
	picked := all[:min(len(all), askedFolders)]
	for i := range picked {
		picked[i] = all[i*len(all)/len(picked)]
	}
	return picked
}

// sample picks n of the pages at random, each set as likely as any other.
func sample(wants []diff.Expectation, n int) []diff.Expectation {
	if n <= 0 || n >= len(wants) {
		return wants
	}
	rand.Shuffle(len(wants), func(i, j int) { wants[i], wants[j] = wants[j], wants[i] })
	return wants[:n]
}

// mayServe reports whether an origin may serve a path though no release has it: the beacon, and
// what a target keeps.
func (o Options) mayServe(path string) bool {
	return path == o.BeaconPath || slices.Contains(o.OwnFiles, path)
}

// pageCount is how many of the expectations are pages of the release.
func pageCount(wants []diff.Expectation) (n int) {
	for _, w := range wants {
		if !w.Absent && !w.NotFound && !w.Folder {
			n++
		}
	}
	return n
}
