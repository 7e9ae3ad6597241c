package site_test

import (
	"context"
	"fmt"
	"testing/fstest"
	"time"

	"mirror/site"
)

// A site's folder becomes a release: its id is the SHA-256 of its manifest, as
// `find … | sha256sum` computes it.
func ExampleScan() {
	folder := fstest.MapFS{
		"index.html":       {Data: []byte("<p>home")},
		"about/index.html": {Data: []byte("<p>about")},
	}
	release, err := site.Scan(context.Background(), folder, site.ScanOptions{BeaconPath: site.DefaultBeacon, Published: time.Unix(0, 0)})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range release.Manifest {
		fmt.Println(f.Path, f.Size)
	}
	fmt.Println(release.ID().Short(), release.Manifest.Bytes(), "bytes")
	// Output:
	// about/index.html 8
	// index.html 7
	// 175afcff0d36 15 bytes
}

// Where a page is served depends on the origin's style.
func ExampleURLStyle_URLPath() {
	fmt.Println(site.URLStyle{}.URLPath("posts/50% off/index.html"))
	fmt.Println(site.URLStyle{CleanURLs: true}.URLPath("about.html"))
	fmt.Println(site.URLStyle{NoIndex: true}.URLPath("index.html"))
	// Output:
	// posts/50%25%20off/
	// about
	// index.html
}
