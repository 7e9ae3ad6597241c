package config_test

import (
	"testing"

	"mirror/internal/config"
	"mirror/targets/dir"
	"mirror/targets/git"
	"mirror/targets/kinds"
	"mirror/targets/oci"
	"mirror/targets/s3"
)

// TestDocumentedExampleParses holds the real targets to the keys that the documentation shows.
func TestDocumentedExampleParses(t *testing.T) {
	c, err := config.Load("testdata/documented.yaml", func(string) string { return "" }, kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	for i, own := range []any{&git.Config{}, &s3.Config{}, &oci.Config{}, &dir.Config{}} {
		if err := c.Targets[i].Decode(own); err != nil {
			t.Errorf("%s: %v", c.Targets[i].Name, err)
		}
	}
	if _, err := config.Schema(kinds.All()); err != nil {
		t.Error(err)
	}
}
