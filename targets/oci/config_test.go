package oci

import (
	"context"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"mirror/targets"
)

func TestConfigFromYAML(t *testing.T) {
	const text = `
image: registry.example.com/team/blog:latest
base: nginx:1.28-alpine
web_root: /usr/share/nginx/html
platforms: [linux/amd64, linux/arm64/v8]
rollout: {exec: [kubectl, "{image}@{digest}"], webhook: "https://example.com/hook"}
compression: zstd
insecure: true
self_binary: /opt/mirror
`
	var got Config
	_, err := New(context.Background(), targets.Env{}, func(c any) error {
		if err := yaml.Unmarshal([]byte(text), c); err != nil {
			return err
		}
		got = *c.(*Config)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Base != "nginx:1.28-alpine" || len(got.Rollout.Exec) != 2 || got.Rollout.Webhook == "" || !got.Insecure || got.SelfBinary == "" {
		t.Errorf("got %+v", got)
	}
}

func TestConfigDefaults(t *testing.T) {
	for _, c := range []struct {
		config                Config
		webRoot, scheme, base string
	}{
		{Config{Image: "ghcr.io/me/blog:latest"}, "/site", "https", ""},
		{Config{Image: "ghcr.io/me/blog:latest", Base: "self"}, "/site", "https", ""},
		{Config{Image: "ghcr.io/me/blog:latest", Base: "nginx"}, "/usr/share/nginx/html", "https", "https"},
		{Config{Image: "ghcr.io/me/blog:latest", Kind: "volume"}, "/", "https", ""},
		{Config{Image: "ghcr.io/me/blog:latest", Kind: "volume", WebRoot: "/site"}, "/site", "https", ""},
		{Config{Image: "127.0.0.1:5000/blog:latest", WebRoot: "/srv/www/"}, "/srv/www", "http", ""},
		{Config{Image: "registry.example.com/blog:latest", Insecure: true, Base: "nginx"}, "/usr/share/nginx/html", "http", "https"},
		{Config{Image: "registry.example.com/blog:latest", Insecure: true, Base: "registry.example.com/web:1"}, "/usr/share/nginx/html", "http", "http"},
	} {
		s, err := c.config.settings()
		if err != nil {
			t.Fatalf("%+v: %v", c.config, err)
		}
		if s.webRoot != c.webRoot || s.image.Scheme() != c.scheme || len(s.platforms) != 1 {
			t.Errorf("%+v: got %s over %s for %v", c.config, s.webRoot, s.image.Scheme(), s.platforms)
		}
		if base := s.base; base != nil && base.Context().Scheme() != c.base || base == nil && c.base != "" {
			t.Errorf("%+v: got base %v, want it over %q", c.config, base, c.base)
		}
	}
}

func TestConfigMistakes(t *testing.T) {
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{}, "image: missing"},
		{Config{Image: "Not A Reference"}, "image:"},
		{Config{Image: "r.example.com/blog@sha256:" + strings.Repeat("a", 64)}, "image:"},
		{Config{Image: "r.example.com/blog:mirror-" + strings.Repeat("a", 64)}, "stages releases under"},
		{Config{Image: "r.example.com/blog:1", Base: "A B"}, "base:"},
		{Config{Image: "r.example.com/blog:1", WebRoot: "relative"}, "web_root"},
		{Config{Image: "r.example.com/blog:1", WebRoot: "/"}, "web_root"},
		{Config{Image: "r.example.com/blog:1", WebRoot: "/a/../b"}, "web_root"},
		{Config{Image: "r.example.com/blog:1", Platforms: []string{"linux"}}, "platforms"},
		{Config{Image: "r.example.com/blog:1", Platforms: []string{"linux/amd64", "linux/amd64"}}, "twice"},
		{Config{Image: "r.example.com/blog:1", Compression: "brotli"}, "compression"},
		{Config{Image: "r.example.com/blog:1", Kind: "artifact"}, "kind"},
		{Config{Image: "r.example.com/blog:1", Tags: []string{"a b"}}, "tags[0]"},
		{Config{Image: "r.example.com/blog:1", Tags: []string{"stable", "1"}}, "tags[1]"},
		{Config{Image: "r.example.com/blog:1", Tags: []string{"mirror-{release}"}}, "tags[0]"},
		{Config{Image: "r.example.com/blog:1", Kind: "volume", Base: "nginx"}, "base"},
	} {
		if _, err := Open(context.Background(), targets.Env{}, c.config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want an error with %q", c.config, err, c.want)
		}
	}
}
