package oci

import (
	"archive/tar"
	"debug/elf"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mirror/internal/realserver"
	"mirror/targets"
	"mirror/targets/oci/internal/image/imagetest"
	"mirror/targets/targettest"
)

func TestTwoPlatforms(t *testing.T) {
	for _, base := range []string{"self", "index"} {
		t.Run(base, func(t *testing.T) {
			addr := realRegistry(t, realserver.DockerRegistry)
			p := newPlace(t, addr)
			p.config.Platforms, p.config.WebRoot = []string{"linux/amd64", "linux/arm64"}, "/site"
			if base == "index" {
				p.config.Base = addr + "/bases/web:1"
				pushIndex(t, mustTag(t, p.config.Base), "amd64", "arm64")
			} else {
				p.config.SelfBinary = serversBeside(t)
			}
			tgt := p.open(t, targets.Env{State: t.TempDir()})
			publish(t, tgt, pages)
			wantPlatforms(t, p.tag, "linux/amd64", "linux/arm64")
			if live, err := tgt.Live(t.Context()); err != nil || live.Release != targettest.Release(pages).ID() {
				t.Errorf("live: got %+v, %v", live, err)
			}
			held, err := p.open(t, targets.Env{}).ReadBack(t.Context())
			if err != nil || !slices.Equal(held, targettest.Release(pages).Manifest) {
				t.Errorf("read back: got %v, %v", held, err)
			}
		})
	}
}

func wantPlatforms(t *testing.T, ref name.Reference, want ...string) {
	t.Helper()
	var got []string
	for _, d := range manifestOf(t, ref).Manifests {
		got = append(got, d.Platform.String())
		img, err := remote.Image(ref, remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithPlatform(*d.Platform))
		if err != nil {
			t.Fatal(err)
		}
		cf, err := img.ConfigFile()
		if err != nil || cf.Platform().String() != d.Platform.String() {
			t.Errorf("config for %s: got %v, %v", d.Platform, cf.Platform(), err)
		}
		if files, err := imagetest.Unpack(img); err != nil || string(files["site/index.html"]) != pages["index.html"] {
			t.Errorf("%s: got index.html %q, %v", d.Platform, files["site/index.html"], err)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("platforms: got %q, want %q", got, want)
	}
}

// serversBeside returns a server for amd64 with one for arm64 beside it.
func serversBeside(t *testing.T) string {
	t.Helper()
	amd, arm := tinyServer(t, elf.EM_X86_64), tinyServer(t, elf.EM_AARCH64)
	if err := os.Rename(arm, filepath.Join(filepath.Dir(amd), "mirror-linux-arm64")); err != nil {
		t.Fatal(err)
	}
	return amd
}

func pushIndex(t *testing.T, ref name.Reference, archs ...string) {
	t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.DockerManifestList)
	for _, arch := range archs {
		img := imagetest.Append(t, empty.Image, []imagetest.Entry{{Header: tar.Header{Name: "etc/arch"}, Text: []byte(arch)}})
		cf, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		cf = cf.DeepCopy()
		cf.OS, cf.Architecture = "linux", arch
		if img, err = mutate.ConfigFile(img, cf); err != nil {
			t.Fatal(err)
		}
		platform := linux(arch)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &platform}})
	}
	if err := remote.WriteIndex(ref, index, remoteOptions()...); err != nil {
		t.Fatal(err)
	}
}
