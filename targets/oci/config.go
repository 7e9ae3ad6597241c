package oci

// baseSelf is the base that is no image: mirror's own static server.
const baseSelf = "self"

// baseNone is the base of an image that holds the site alone.
const baseNone = "none"

// Kinds of image: one is run, the other is mounted.
const (
	kindServer = "server"
	kindVolume = "volume"
)

// Config is a target's part of mirror.yaml.
type Config struct {
	// Image is the live tag, as registry/repository:tag.
	Image string `yaml:"image" jsonschema:"required" json:"image" example:"ghcr.io/me/blog:latest"`
	// Tags are further tags that go with the live one. In them {release} stands for the ID of the release.
	Tags []string `yaml:"tags" json:"tags,omitempty" example:"[stable, \"{release}\"]"`
	// Kind is what the image is for: server, to be run; or volume, the site alone at the root of the image,
	// to be mounted, such as by the image volumes of Kubernetes.
	Kind string `yaml:"kind" jsonschema:"default=server,enum=server,enum=volume" json:"kind,omitempty" example:"server"`
	// Base is the name of the image that serves the site, such as nginx:1.28-alpine; self for mirror's own static server, for which
	// nothing is pulled; or none for an image that holds the site alone, for what reads images and brings
	// its own server, such as mirror serve --image.
	Base string `yaml:"base" jsonschema:"default=self" json:"base,omitempty" example:"self"`
	// WebRoot is the folder that the base serves. Where it is "": /usr/share/nginx/html, and /site on the
	// bases self and none; / for a volume.
	WebRoot string `yaml:"web_root" json:"web_root,omitempty" example:"/usr/share/nginx/html"`
	// Platforms lists what to build for, as os/arch or os/arch/variant; where it is empty, Linux on the
	// architecture of this machine. Several make an image index.
	Platforms []string `yaml:"platforms" json:"platforms,omitempty" example:"[linux/amd64, linux/arm64]"`
	// Compression is that of the layer with the site.
	Compression string `yaml:"compression" jsonschema:"default=gzip,enum=gzip,enum=zstd" json:"compression,omitempty" example:"zstd"`
	// Compress lists the codings in which the base self serves text to clients that accept them: gzip, br, zstd.
	Compress []string `yaml:"compress" jsonschema:"enum=gzip,enum=br,enum=zstd" json:"compress,omitempty" example:"[gzip, br, zstd]"`
	// Insecure is whether plain HTTP is used to a registry on another machine.
	Insecure bool `yaml:"insecure" json:"insecure,omitempty" example:"false"`
	// SelfBinary is the file of the mirror binary for Linux that the base self puts into the image. Where it
	// is "": the running one, else mirror-linux-amd64 (for each architecture) beside it, as on macOS and Windows.
	SelfBinary string `yaml:"self_binary" jsonschema:"format=path" json:"self_binary,omitempty" example:"/usr/local/bin/mirror"`
	// Rollout is how what runs the image is made to use the new one, after the tag has moved.
	Rollout Rollout `yaml:"rollout" json:"rollout,omitempty"`
}

// Rollout is what to do after the tag has moved: a command, a webhook, or both.
type Rollout struct {
	// Exec is a command and its arguments. In them {image} stands for the repository, {tag} for the live
	// tag, {digest} for the digest of the image and {release} for the ID of the release.
	Exec []string `yaml:"exec" json:"exec,omitempty" example:"[\"kubectl\", \"set\", \"image\", \"deploy/blog\", \"blog={image}@{digest}\"]"`
	// Webhook is a URL that gets a POST request with image, digest and release as JSON: https, or http to
	// this machine.
	Webhook string `yaml:"webhook" json:"webhook,omitempty" example:"\"https://deploy.example.com/${DEPLOY_TOKEN}\""`
}
