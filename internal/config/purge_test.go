package config_test

import (
	"os"
	"strings"
	"testing"

	"mirror/internal/config"
	"mirror/targets/kinds"
)

// TestDocumentedPurgesParse reads every `purge: […]` of docs/purge.md, and its whole configs.
func TestDocumentedPurgesParse(t *testing.T) {
	text, err := os.ReadFile("../../docs/purge.md")
	if err != nil {
		t.Fatal(err)
	}
	secret := func(string) string { return "x1" }
	found := 0
	for _, block := range strings.Split(string(text), "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		var configs []string
		switch {
		case strings.HasPrefix(block, "version:"):
			configs = append(configs, block)
		case strings.HasPrefix(block, "purge:"):
			for line := range strings.Lines(block) {
				configs = append(configs, "version: 1\nsite: {dir: public}\ntargets:\n  - name: a\n    type: dir\n    path: ./www\n    origin:\n      url: https://blog.example.com/\n      "+line)
			}
		default:
			configs = append(configs, "version: 1\nsite: {dir: public}\ntargets: [{name: a, type: dir, path: ./www}]\n"+block)
		}
		for _, c := range configs {
			found++
			if _, err := config.Parse("mirror.yaml", []byte(c), secret, kinds.All()); err != nil {
				t.Errorf("%v\n%s", err, c)
			}
		}
	}
	if found < 8 {
		t.Errorf("found %d examples: these are not all", found)
	}
}
