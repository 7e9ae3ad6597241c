package oci

import (
	"errors"
	"strings"
	"testing"

	"mirror/targets"
	"mirror/targets/targettest"
)

func TestRefusals(t *testing.T) {
	addr := embeddedRegistry(t)
	pushIndex(t, mustTag(t, addr+"/bases/web:1"), "amd64")
	long := strings.Repeat("x", 256)
	for _, c := range []struct {
		name, want string
		change     func(*Config)
		files      targettest.Files
	}{
		{"whiteout", ".wh.", nil, targettest.Files{"a/.wh.b": ""}},
		{"whiteout folder", ".wh.", nil, targettest.Files{".wh.dir/b": ""}},
		{"nul", "NUL", nil, targettest.Files{"a\x00b": ""}},
		{"long", "255 bytes", nil, targettest.Files{long: ""}},
		{"escape", "clean relative path", nil, targettest.Files{"../a": ""}},
		{"no server for a platform", "go build -o mirror-linux-riscv64", func(c *Config) { c.Platforms = []string{"linux/riscv64"} }, pages},
		{"no base", "no base image", func(c *Config) { c.Base = addr + "/bases/none:1" }, pages},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t, addr)
			if c.change != nil {
				c.change(&p.config)
			}
			tgt := p.open(t, targets.Env{})
			var refused *targets.RefusedError
			_, err := tgt.Plan(t.Context(), targettest.Release(c.files))
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("plan: got %v, want a refusal with %q", err, c.want)
			}
			if err := tgt.Stage(t.Context(), targettest.Release(c.files), nil); !errors.As(err, &refused) {
				t.Errorf("stage: got %v, want a refusal", err)
			}
		})
	}
}

func TestBaseLacksPlatform(t *testing.T) {
	addr := embeddedRegistry(t)
	p := newPlace(t, addr)
	p.config.Base, p.config.Platforms = addr+"/bases/web:1", []string{"linux/s390x"}
	pushIndex(t, mustTag(t, p.config.Base), "amd64", "arm64")
	var refused *targets.RefusedError
	err := p.open(t, targets.Env{}).Stage(t.Context(), targettest.Release(pages), nil)
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "linux/s390x") {
		t.Errorf("got %v, want a refusal that names the platform", err)
	}
}
