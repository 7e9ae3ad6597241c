package oci

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mirror/internal/netname"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/oci/internal/image"
)

// settings is a Config that was understood.
type settings struct {
	image       name.Tag
	tags        []string       // further ones, with {release} in them
	base        name.Reference // nil for self and none
	bare        bool           // the base is none
	webRoot     string         // absolute and clean
	platforms   []v1.Platform
	compression image.Compression
	compress    []string // codings that the base self serves
}

func (c Config) settings() (s settings, err error) {
	if c.Image == "" {
		return s, errors.New("image: missing (hint: registry/repository:tag)")
	}
	if err := targets.Validate(c); err != nil {
		return s, err
	}
	s.image, _ = c.liveTag()
	s.base, _ = c.baseRef(s.image)
	s.tags, s.compress = c.Tags, c.Compress
	s.bare = c.Base == baseNone || c.Kind == kindVolume
	s.webRoot, _ = c.webRoot()
	s.platforms = c.platforms(func(string, string) {})
	s.compression, err = image.ParseCompression(c.Compression)
	return s, err
}

// sources lists the repositories of the target's registry from which blobs can be mounted.
func (s settings) sources() []name.Repository {
	if s.base == nil || s.base.Context().RegistryStr() != s.image.RegistryStr() || s.base.Context().String() == s.image.Context().String() {
		return nil
	}
	return []name.Repository{s.base.Context()}
}

// Validate refuses what the registry, the image format or the rollout cannot take.
func (c Config) Validate(wrong targets.Wrong) {
	tag, why := c.liveTag()
	report(wrong, "image", why)
	_, why = c.baseRef(tag)
	report(wrong, "base", why)
	for i, text := range c.Tags {
		report(wrong, fmt.Sprintf("tags[%d]", i), c.wrongTag(tag, text))
	}
	if c.Kind != "" && c.Kind != kindServer && c.Kind != kindVolume {
		wrong("kind", "is not a kind of image (hint: server or volume)")
	}
	if c.Kind == kindVolume && c.Base != "" && c.Base != baseNone {
		wrong("base", "is not part of a volume, which holds the site alone (hint: leave it out)")
	}
	_, why = c.webRoot()
	report(wrong, "web_root", why)
	c.platforms(wrong)
	if _, err := image.ParseCompression(c.Compression); err != nil {
		wrong("compression", "is not supported (hint: gzip or zstd)")
	}
	if len(c.Compress) > 0 && (c.Kind == kindVolume || c.Base != "" && c.Base != baseSelf) {
		wrong("compress", "is for the base self (hint: let the server in the image compress)")
	}
	if len(c.Rollout.Exec) > 0 && c.Rollout.Exec[0] == "" {
		wrong("rollout.exec[0]", "is not a command")
	}
	report(wrong, "rollout.webhook", wrongWebhook(c.Rollout.Webhook))
}

func report(wrong targets.Wrong, key, why string) {
	if why != "" {
		wrong(key, why)
	}
}

// wrongTag says what is wrong with a further tag, "" for nothing.
func (c Config) wrongTag(live name.Tag, text string) string {
	text = tagFor(text, site.ID(strings.Repeat("a", 64)))
	tag, err := name.NewTag("example.com/a:" + text)
	_, ours := stagedRelease(strings.TrimSuffix(text, listSuffix))
	switch {
	case err != nil || tag.TagStr() != text:
		return "is not a tag (hint: letters, digits and . _ -, at most 128)"
	case ours:
		return "has the form that mirror stages releases under"
	case text == live.TagStr():
		return "is the tag in image"
	}
	return ""
}

// tagFor fills in a further tag.
func tagFor(text string, id site.ID) string {
	return strings.ReplaceAll(text, "{release}", string(id))
}

// tagsFor lists the tags of what is live: the one in image first.
func (s settings) tagsFor(id site.ID) []string {
	tags := []string{s.image.TagStr()}
	for _, text := range s.tags {
		if id != site.None || !strings.Contains(text, "{release}") {
			tags = append(tags, tagFor(text, id))
		}
	}
	return tags
}

// liveTag returns the tag that the config names, or why that is not one.
func (c Config) liveTag() (tag name.Tag, why string) {
	const hint = "(hint: registry/repository:tag)"
	if c.Image == "" {
		return tag, ""
	}
	tag, err := name.NewTag(c.Image, nameOptions(c.Insecure)...)
	_, ours := stagedRelease(tag.TagStr())
	switch {
	case strings.Contains(c.Image, "://"): // which is a name to the library
		return tag, "begins with a scheme, which an image name does not have " + hint
	case err == nil && ours:
		return tag, "has a tag of the form that mirror stages releases under"
	case err == nil:
		return tag, ""
	case strings.Contains(c.Image, "@"):
		return tag, "names a digest, which never changes; a tag is needed " + hint
	}
	if _, err := name.NewTag(strings.ToLower(c.Image)); err == nil {
		return tag, "has capitals, which an image name may not have (hint: write it in lower case)"
	}
	return tag, "is not an image name " + hint
}

// noImage reports whether no image is pulled as the base.
func (c Config) noImage() bool { return c.Base == "" || c.Base == baseSelf || c.Base == baseNone }

// baseRef allows plain HTTP only to the registry for which the config allows it.
func (c Config) baseRef(tag name.Tag) (ref name.Reference, why string) {
	if c.noImage() {
		return nil, ""
	}
	ref, err := name.ParseReference(c.Base)
	if strings.Contains(c.Base, "://") {
		return nil, "begins with a scheme, which an image name does not have (hint: an image such as nginx:alpine, self or none)"
	}
	if err != nil {
		if _, err := name.ParseReference(strings.ToLower(c.Base)); err == nil {
			return nil, "has capitals, which an image name may not have (hint: write it in lower case)"
		}
		return nil, "is not an image name (hint: an image such as nginx:alpine, self or none)"
	}
	if c.Insecure && ref.Context().RegistryStr() == tag.RegistryStr() {
		if plain, err := name.ParseReference(c.Base, name.Insecure); err == nil {
			return plain, ""
		}
	}
	return ref, ""
}

func nameOptions(insecure bool) []name.Option {
	if insecure {
		return []name.Option{name.Insecure}
	}
	return nil
}

func (c Config) webRoot() (root, why string) {
	switch {
	case c.Kind == kindVolume && (c.WebRoot == "" || c.WebRoot == "/"):
		return "/", ""
	case c.WebRoot == "" && c.noImage():
		return "/site", ""
	case c.WebRoot == "":
		return "/usr/share/nginx/html", ""
	}
	root = path.Clean(c.WebRoot)
	if root != c.WebRoot && root+"/" != c.WebRoot || !path.IsAbs(root) || root == "/" || image.HasWhiteout(root) {
		return "", "is not the absolute path of a folder in the image, below its root (hint: /usr/share/nginx/html)"
	}
	return root, ""
}

func (c Config) platforms(wrong targets.Wrong) []v1.Platform {
	if len(c.Platforms) == 0 {
		return []v1.Platform{{OS: "linux", Architecture: runtime.GOARCH}}
	}
	var all []v1.Platform
	for i, text := range c.Platforms {
		p, err := v1.ParsePlatform(text)
		key := fmt.Sprintf("platforms[%d]", i)
		switch {
		case err != nil || p.OS == "" || p.Architecture == "":
			wrong(key, "is not an operating system and an architecture (hint: linux/amd64)")
		case slices.ContainsFunc(all, p.Equals):
			wrong(key, "is listed twice")
		default:
			all = append(all, *p)
		}
	}
	return all
}

// wrongWebhook says what is wrong with the URL that a rollout calls, "" for nothing. Plain HTTP is for
// this machine only: the URL is a secret, and its caller starts a deployment.
func wrongWebhook(address string) string {
	if address == "" {
		return ""
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return "is not an address that can be called (hint: https://deploy.example.com/hook)"
	case u.Scheme == "http" && !netname.IsLoopback(u.Hostname()):
		return "is sent in clear (hint: https; http is for this machine only)"
	}
	return ""
}
