package site_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"mirror/site"
)

func TestBeaconTakesNoPagesPlace(t *testing.T) {
	release := site.NewRelease(nil, nil, "b.json", time.Now())
	for _, c := range []struct {
		name, beacon, file, text, want string
		exclude                        []string
	}{
		{"a page", "index.html", "index.html", "home", `"index.html": the beacon would take the place of this file`, nil},
		{"another file", "data/x.json", "data/x.json", `{"a": 1}`, `"data/x.json": the beacon would take the place of this file`, nil},
		{"a folder", "about", "about/index.html", "about", `"about": a folder of the site is where the beacon would be`, nil},
		{"below a file", "feed.xml/b.json", "feed.xml", "<rss/>", `"feed.xml": the path of the beacon leads through this file`, nil},
		{"an earlier beacon", "b.json", "b.json", string(release.Beacon()), "", nil},
		{"an excluded page", "b.json", "b.json", "x", "", []string{"b.json"}},
		{"the usual path", site.DefaultBeacon, site.DefaultBeacon, "x", "", nil},
		{"beside a page", "about.json", "about.html", "x", "", nil},
		{"none", "", "about.html", "x", "", nil},
	} {
		tree := fstest.MapFS{"home.html": {Data: []byte("x")}, c.file: {Data: []byte(c.text)}}
		_, err := site.Scan(t.Context(), tree, site.ScanOptions{BeaconPath: c.beacon, Exclude: c.exclude})
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, site.ErrRefused) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}
