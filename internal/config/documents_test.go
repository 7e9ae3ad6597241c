package config_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mirror/internal/config"
	"mirror/targets/kinds"
)

// notConfigs are the documents whose YAML is for other programs, or which another test reads.
var notConfigs = regexp.MustCompile(`^(ci|purge|config|monitoring/.*|adr/.*)\.md$`)

// documented returns the YAML blocks of the README and of docs by the document they are in.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	blocks := map[string][]string{}
	read := func(name, path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range strings.Split(string(text), "```yaml\n")[1:] {
			block, _, _ = strings.Cut(block, "```")
			blocks[name] = append(blocks[name], block)
		}
	}
	read("README.md", "../../README.md")
	err := fs.WalkDir(os.DirFS("../../docs"), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(name, ".md") && !notConfigs.MatchString(name) {
			read(name, filepath.Join("../../docs", name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}

// key is a key of the config at the beginning of a block.
var key = regexp.MustCompile(`(?m)^(version|site|targets|origins|publish|check|front|vantages|schedule|notify|hooks|daemon|alerts|dashboard):`)

// whole completes a part of a config with what every config has, "" for a block that is none.
func whole(block string) string {
	if strings.HasPrefix(strings.TrimSpace(block), "- name:") {
		block = "targets:\n" + block
	}
	found := map[string]bool{}
	for _, m := range key.FindAllStringSubmatch(block, -1) {
		found[m[1]] = true
	}
	if len(found) == 0 {
		return ""
	}
	for _, part := range []struct{ key, text string }{
		{"version", "version: 1\n"}, {"site", "site: {dir: public}\n"},
		{"targets", "targets: [{name: a, type: dir, path: ./www, origin: {url: https://a.example.com/}}, {name: b, type: dir, path: ./www2, origin: {url: https://b.example.com/}}]\n"},
	} {
		if !found[part.key] {
			block = part.text + block
		}
	}
	return block
}

// TestDocumentedConfigsParse reads every config in the documents, and every part of one.
func TestDocumentedConfigsParse(t *testing.T) {
	environment := func(name string) string {
		switch name {
		case "HOME":
			return "/home/me"
		case "SLACK_HOOK":
			return "AAAAAAAAA-BBBBBBBBB-" + strings.Repeat("c", 24)
		}
		return "x1"
	}
	found := 0
	for name, blocks := range documented(t) {
		for _, block := range blocks {
			text := whole(block)
			if text == "" {
				continue
			}
			found++
			if _, err := config.Parse("mirror.yaml", []byte(text), environment, kinds.All()); err != nil {
				t.Errorf("%s: %v\n%s", name, err, text)
			}
		}
	}
	if found < 20 {
		t.Errorf("found %d configs: these are not all", found)
	}
}

// TestEveryKindIsDocumented wants a page with a whole config for each kind of target.
func TestEveryKindIsDocumented(t *testing.T) {
	blocks := documented(t)
	for _, k := range kinds.All() {
		page := "targets/" + k.Name + ".md"
		if len(blocks[page]) == 0 || !strings.HasPrefix(blocks[page][0], "version: 1\n") || !strings.Contains(blocks[page][0], "type: "+k.Name) {
			t.Errorf("docs/%s does not begin with a whole config of a target of type %s", page, k.Name)
		}
	}
}
