package s3_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"mirror/internal/longtest"
	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/targettest"
)

// TestStorageForGrace publishes the same releases with grace and without: what stays served costs at most 1.1 times
// its bytes.
func TestStorageForGrace(t *testing.T) {
	longtest.Skip(t, "publishes many releases")
	const rounds, assets, size = 4, 60, 3000
	stored := map[bool]int64{}
	for _, on := range []bool{false, true} {
		p := fake(t)
		env := targets.Env{Owner: "fixture"}
		if on {
			env.Grace = &grace.Policy{Releases: 1}
		}
		r := rand.New(rand.NewPCG(1, 1))
		tgt := p.openWith(t, env)
		for n := range rounds {
			files := targettest.Files{"index.html": fmt.Sprint("build ", n)}
			for i := range assets {
				files[fmt.Sprintf("assets/chunk%d-%08x.js", i, r.Uint32())] = random(r, size)
			}
			publish(t, tgt, targettest.Release(files))
			if err := tgt.Prune(t.Context(), targets.Retention{Keep: 1, Grace: -1}); err != nil {
				t.Fatal(err)
			}
		}
		out, err := p.api.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: &p.bucket})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range out.Contents {
			stored[on] += *o.Size
		}
	}
	changed := int64(assets * size)
	extra := stored[true] - stored[false]
	t.Logf("%d bytes for %d changed ones: %.3f times", extra, changed, float64(extra)/float64(changed))
	if extra < changed*9/10 || extra > changed*11/10 {
		t.Errorf("grace costs %d bytes for %d changed ones, want at most 1.1 times as many, and that they are there", extra, changed)
	}
}

// random is text that does not compress.
func random(r *rand.Rand, size int) string {
	text := make([]byte, size)
	for i := range text {
		text[i] = byte(r.Uint32())
	}
	return string(text)
}
