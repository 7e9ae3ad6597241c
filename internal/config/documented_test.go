package config_test

import (
	"testing"

	"mirror/internal/config"
	"mirror/targets/dir"
	"mirror/targets/git"
	"mirror/targets/oci"
	"mirror/targets/s3"
)

// TestDocumentedExampleParses holds the real targets to the keys that the documentation shows.
func TestDocumentedExampleParses(t *testing.T) {
	kinds := config.Kinds{"git": git.Config{}, "s3": s3.Config{}, "oci": oci.Config{}, "dir": dir.Config{}}
	c, err := config.Load("testdata/documented.yaml", func(string) string { return "" }, kinds)
	if err != nil {
		t.Fatal(err)
	}
	for i, own := range []any{&git.Config{}, &s3.Config{}, &oci.Config{}, &dir.Config{}} {
		if err := c.Targets[i].Decode(own); err != nil {
			t.Errorf("%s: %v", c.Targets[i].Name, err)
		}
	}
	if _, err := config.Schema(kinds); err != nil {
		t.Error(err)
	}
}
