package oci

import (
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mirror/targets/oci/internal/image"
)

// baseSelf is the base that is no image: mirror's own static server.
const baseSelf = "self"

// Config is a target's part of mirror.yaml.
type Config struct {
	// Image is the live tag, as registry/repository:tag.
	Image string `yaml:"image" json:"image"`
	// Base is the image that serves the site, by reference, or "self" (the default) for
	// mirror's own static server, with nothing to pull.
	Base string `yaml:"base" json:"base,omitempty"`
	// WebRoot is the folder that the base serves; /usr/share/nginx/html by default, and
	// /site on the base self.
	WebRoot string `yaml:"web_root" json:"web_root,omitempty"`
	// Platforms are the os/arch[/variant] to build for; Linux on this machine's
	// architecture by default. Several make an image index.
	Platforms []string `yaml:"platforms" json:"platforms,omitempty"`
	// Compression of the site's layer: gzip (the default) or zstd.
	Compression string `yaml:"compression" json:"compression,omitempty"`
	// Insecure allows plain HTTP to a registry that is not on loopback.
	Insecure bool `yaml:"insecure" json:"insecure,omitempty"`
	// SelfBinary is the mirror binary for the base self; the running one by default.
	SelfBinary string `yaml:"self_binary" json:"self_binary,omitempty"`
	// Rollout makes what runs the image take the new one.
	Rollout Rollout `yaml:"rollout" json:"rollout,omitempty"`
}

// Rollout is what to do after the tag has moved: a command, a webhook, or both. In the
// command's arguments {image} stands for the repository, {tag} for the live tag, {digest}
// for the image's digest and {release} for the release's ID.
type Rollout struct {
	Exec    []string `yaml:"exec" json:"exec,omitempty"`
	Webhook string   `yaml:"webhook" json:"webhook,omitempty"`
}

// settings is a Config that was understood.
type settings struct {
	image       name.Tag
	base        name.Reference // nil for self
	webRoot     string         // absolute and clean
	platforms   []v1.Platform
	compression image.Compression
}

func (c Config) settings() (s settings, err error) {
	if s.image, err = c.liveTag(); err != nil {
		return s, err
	}
	if s.base, err = c.baseRef(s.image); err != nil {
		return s, err
	}
	if s.webRoot, err = c.webRoot(); err != nil {
		return s, err
	}
	if s.platforms, err = c.platforms(); err != nil {
		return s, err
	}
	s.compression, err = image.ParseCompression(c.Compression)
	return s, err
}

func (c Config) liveTag() (name.Tag, error) {
	if c.Image == "" {
		return name.Tag{}, errors.New("image: missing (hint: registry/repository:tag)")
	}
	tag, err := name.NewTag(c.Image, nameOptions(c.Insecure)...)
	if err != nil {
		return name.Tag{}, fmt.Errorf("image: %w (hint: registry/repository:tag)", err)
	}
	if _, ours := stagedRelease(tag.TagStr()); ours {
		return name.Tag{}, fmt.Errorf("image: the tag %s is one that mirror stages releases under", tag.TagStr())
	}
	return tag, nil
}

// baseRef allows plain HTTP only to the registry for which the config allows it.
func (c Config) baseRef(image name.Tag) (name.Reference, error) {
	if c.Base == "" || c.Base == baseSelf {
		return nil, nil
	}
	ref, err := name.ParseReference(c.Base)
	if err != nil {
		return nil, fmt.Errorf("base: %w (hint: an image reference, or self)", err)
	}
	if c.Insecure && ref.Context().RegistryStr() == image.RegistryStr() {
		return name.ParseReference(c.Base, name.Insecure)
	}
	return ref, nil
}

func nameOptions(insecure bool) []name.Option {
	if insecure {
		return []name.Option{name.Insecure}
	}
	return nil
}

func (c Config) webRoot() (string, error) {
	switch {
	case c.WebRoot == "" && (c.Base == "" || c.Base == baseSelf):
		return "/site", nil
	case c.WebRoot == "":
		return "/usr/share/nginx/html", nil
	}
	root := path.Clean(c.WebRoot)
	if root != c.WebRoot && root+"/" != c.WebRoot || !path.IsAbs(root) || root == "/" || image.HasWhiteout(root) {
		return "", fmt.Errorf("web_root %q: want the absolute path of a folder in the image, not its root", c.WebRoot)
	}
	return root, nil
}

func (c Config) platforms() ([]v1.Platform, error) {
	if len(c.Platforms) == 0 {
		return []v1.Platform{{OS: "linux", Architecture: runtime.GOARCH}}, nil
	}
	var all []v1.Platform
	for _, text := range c.Platforms {
		p, err := v1.ParsePlatform(text)
		if err != nil || p.OS == "" || p.Architecture == "" {
			return nil, fmt.Errorf("platforms: %q: want os/arch, as in linux/amd64", text)
		}
		if slices.ContainsFunc(all, p.Equals) {
			return nil, fmt.Errorf("platforms: %q is there twice", text)
		}
		all = append(all, *p)
	}
	return all, nil
}
