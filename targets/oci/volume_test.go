package oci

import (
	"slices"
	"testing"

	"mirror/internal/static"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/oci/internal/image/imagetest"
	"mirror/targets/targettest"
)

// TestVolume publishes images to be mounted: the site lies at the root, and nothing beside it.
func TestVolume(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	p.config.Kind, p.config.SelfBinary = "volume", "/nonexistent/mirror"
	tgt := p.open(t, targets.Env{State: t.TempDir()})
	for i, files := range []targettest.Files{pages, {"index.html": "next", "about": "a file", "css/site.css": "a{}"}, pages} {
		publish(t, tgt, files)
		img := liveImage(t, p)
		got, err := imagetest.Unpack(img)
		if err != nil || len(got) != len(files)+1 || got[site.DefaultBeacon] == nil {
			t.Errorf("publish %d: the image holds %q, %v", i, got, err)
		}
		for p, text := range files {
			if string(got[p]) != text {
				t.Errorf("publish %d: %s: got %q, want %q", i, p, got[p], text)
			}
		}
		held, err := p.open(t, targets.Env{}).ReadBack(t.Context())
		if want := targettest.Release(files).Manifest; err != nil || !slices.Equal(held, want) {
			t.Errorf("publish %d: read back %v, %v; want %v", i, held, err, want)
		}
		unpacked, err := static.Unpack(img, t.TempDir(), static.ImageLimits{})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(unpacked.Paths()); n != len(files)+1 || unpacked.Close() != nil {
			t.Errorf("publish %d: the server finds %d files", i, n)
		}
		if cf, err := img.ConfigFile(); err != nil || len(cf.Config.Entrypoint) > 0 || cf.Config.User != "" {
			t.Errorf("publish %d: the image has a server: %+v, %v", i, cf, err)
		}
	}
	if n := len(manifestOf(t, p.tag).Layers); n != 1 { // the first image of these pages, staged still
		t.Errorf("%d layers, want 1", n)
	}
}

// TestVolumeKeeps keeps files beside the site in a volume.
func TestVolumeKeeps(t *testing.T) {
	p := newPlace(t, embeddedRegistry(t))
	p.config.Kind = "volume"
	publish(t, p.open(t, targets.Env{}), pages)
	p.putEntries(t, imagetest.File("uploads/a.jpg", "a"))
	publish(t, p.open(t, targets.Env{Keep: targets.Keep{"uploads/**"}}), targettest.Files{"index.html": "next"})
	got, err := imagetest.Unpack(liveImage(t, p))
	if err != nil || string(got["uploads/a.jpg"]) != "a" || string(got["index.html"]) != "next" || len(got) != 3 {
		t.Errorf("the image holds %q, %v", got, err)
	}
}
