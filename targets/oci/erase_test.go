package oci

import (
	"bytes"
	"io"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// holds searches the layers of all images that have a tag for a text, what lies below other files included.
func (p place) holds(t *testing.T, text string) string {
	t.Helper()
	tags, err := remote.List(p.tag.Context(), remoteOptions()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tags {
		if _, isList := listedRelease(name); isList {
			continue
		}
		img, err := remote.Image(p.tag.Context().Tag(name), remoteOptions()...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		layers, err := img.Layers()
		if err != nil {
			t.Fatal(err)
		}
		for _, layer := range layers {
			r, err := layer.Uncompressed()
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Close()
			if bytes.Contains(content, []byte(text)) {
				return name
			}
		}
	}
	return ""
}
