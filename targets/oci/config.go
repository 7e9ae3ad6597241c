package oci

// baseSelf is the base that is no image: mirror's own static server.
const baseSelf = "self"

// Config is a target's part of mirror.yaml.
type Config struct {
	// Image is the live tag, as registry/repository:tag.
	Image string `yaml:"image" jsonschema:"required" json:"image"`
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
	Compression string `yaml:"compression" jsonschema:"default=gzip,enum=gzip,enum=zstd" json:"compression,omitempty"`
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
