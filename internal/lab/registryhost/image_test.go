package registryhost

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mirror/internal/lab/edge/edgetest"
)

// The truth about an image is what its layers come to.
func TestTruthOfAnImage(t *testing.T) {
	h := start(t, Options{})
	img, err := blank()
	if err != nil {
		t.Fatal(err)
	}
	for _, files := range []map[string][]byte{
		{"a.txt": []byte("1"), "d/b.txt": []byte("1"), "d/c.txt": []byte("1"), "x/../e.txt": []byte("1")},
		{"a.txt": []byte("2"), "d": nil},
		{"../outside.txt": []byte("3"), "d/c.txt": []byte("3")},
	} {
		layer, err := layerOf("/srv/www", files, types.OCIManifestSchema1)
		if err != nil {
			t.Fatal(err)
		}
		if img, err = mutate.AppendLayers(img, layer); err != nil {
			t.Fatal(err)
		}
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config.Config.Labels = map[string]string{"mirror.web_root": "/srv/www/"}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(h.Image)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img, remote.WithTransport(h.client)); err != nil {
		t.Fatal(err)
	}
	edgetest.Settle(t, h.Origin)
	var got []string
	for _, turn := range h.Turned() {
		got = append(got, turn.Path)
		for _, content := range []string{"1", "2", "3"} {
			if turn.New == sha256.Sum256([]byte(content)) {
				got = append(got, content)
			}
		}
	}
	if got, want := strings.Join(got, " "), "a.txt 2 d/c.txt 3 e.txt 1"; got != want {
		t.Errorf("turned to %s, want %s", got, want)
	}
}
