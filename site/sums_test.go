package site_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"testing/fstest"

	"mirror/site"
)

// TestManifestOfARelease has the manifest of a release at a path of its own: it is no file of the site, also where a copy
// of an origin holds one, and its digest is the release's ID, however a place stores the files.
func TestManifestOfARelease(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{"index.html": {Data: []byte("home")}, "style.css": {Data: []byte("a{}")}}
	rel, err := site.Scan(t.Context(), tree, site.ScanOptions{BeaconPath: site.DefaultBeacon})
	if err != nil {
		t.Fatal(err)
	}
	if rel.SumsPath() != "" || len(rel.Beside()) != 1 {
		t.Errorf("the manifest is public unasked: %q", rel.SumsPath())
	}
	rel.PublishManifest = true
	stored := rel.Stored(rel.Manifest[:1], nil)
	for _, r := range []*site.Release{rel, stored} {
		text, ok := r.Beside()[site.SumsPath(rel.ID())]
		if sum := sha256.Sum256(text); !ok || hex.EncodeToString(sum[:]) != string(rel.ID()) {
			t.Errorf("the manifest that goes live is %q", text)
		}
	}
	tree[rel.SumsPath()] = &fstest.MapFile{Data: rel.Sums()}
	again, err := site.Scan(t.Context(), tree, site.ScanOptions{BeaconPath: site.DefaultBeacon})
	if err != nil || again.ID() != rel.ID() {
		t.Errorf("a site that holds its own manifest is release %s, %v; want %s", again.ID(), err, rel.ID())
	}
	id := strings.Repeat("0123456789abcdef", 4)
	for path, want := range map[string]bool{
		".well-known/mirror/" + id + ".sums":                  true,
		"/.well-known/mirror/" + id + ".sums":                 false,
		".well-known/mirror/" + id:                            false,
		".well-known/mirror/" + id[1:] + ".sums":              false,
		".well-known/mirror/x/" + id + ".sums":                false,
		".well-known/mirror/none.sums":                        false,
		".well-known/mirror.json":                             false,
		".well-known/mirror/" + strings.ToUpper(id) + ".sums": false,
	} {
		if got := site.IsSums(path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}
