package objects

import (
	"maps"
	"net/mail"
	"slices"
	"testing"
	"time"

	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/targettest"
)

func TestTrailers(t *testing.T) {
	author := mail.Address{Name: "mirror", Address: "mirror@localhost"}
	release := targettest.Release(targettest.Files{"index.html": "home"}).ID()
	for _, said := range []Trailers{
		{Release: release},
		{Release: release, Beacon: ".well-known/mirror.json", Kept: []string{".nojekyll", "CNAME"}},
		{Release: release, Beacon: "odd\nname: \"x\" "},
		{Release: release, Beacon: "`x`"},
		{Release: release, Grace: grace.List{{Path: "a b\n\"x\".js", Left: time.Unix(1700000001, 0).UTC(), Releases: 2}, {Path: "z.js", Left: time.Unix(9, 0).UTC(), Releases: 1}}},
		{Release: release, Purged: targets.Purged{release: time.Unix(1700000002, 0).UTC()}},
		{Vacant: true},
	} {
		made := NewCommit(author, time.Unix(1700000000, 0), EmptyTree, EmptyTree, said)
		read, err := parseCommit(made.Raw)
		if err != nil {
			t.Fatal(err)
		}
		if read.Hash != made.Hash || read.message(EmptyTree) != said.message(EmptyTree) || read.Beacon != said.Beacon || !slices.Equal(read.Grace, said.Grace) || !maps.Equal(read.Purged, said.Purged) {
			t.Errorf("got %+v, want %+v", read.Trailers, said)
		}
	}
}
