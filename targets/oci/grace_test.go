package oci

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/targettest"
)

// TestStorageForGrace publishes the same releases with grace and without: what stays served sends, and so stores, at most
// 1.1 times its bytes more.
func TestStorageForGrace(t *testing.T) {
	t.Parallel()
	const rounds, assets, size = 4, 60, 3000
	sent := map[bool]int64{}
	for _, on := range []bool{false, true} {
		p := newPlace(t, embeddedRegistry(t))
		p.config.Base = "none"
		count := &traffic{}
		env := targets.Env{State: t.TempDir(), Transport: count}
		if on {
			env.Grace = &grace.Policy{Releases: 1}
		}
		r := rand.New(rand.NewPCG(1, 1))
		tgt := p.open(t, env)
		for n := range rounds {
			files := targettest.Files{"index.html": fmt.Sprint("build ", n)}
			for i := range assets {
				text := make([]byte, size)
				for j := range text {
					text[j] = byte(r.Uint32())
				}
				files[fmt.Sprintf("assets/chunk%d-%08x.js", i, r.Uint32())] = string(text)
			}
			rel := targettest.Release(files)
			rel.Published = rel.Published.AddDate(0, 0, n)
			if _, err := targettest.Publish(t.Context(), tgt, rel); err != nil {
				t.Fatal(err)
			}
		}
		sent[on] = count.sent
	}
	changed := int64((rounds - 1) * assets * size) // what left with each publish but the first
	extra := sent[true] - sent[false]
	t.Logf("%d bytes for %d changed ones: %.3f times", extra, changed, float64(extra)/float64(changed))
	if extra < changed*9/10 || extra > changed*11/10 {
		t.Errorf("grace costs %d bytes for %d changed ones, want at most 1.1 times as many, and that they are there", extra, changed)
	}
}
