package config_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"mirror/internal/config"
	"mirror/targets/kinds"
)

var update = flag.Bool("update", false, "write docs/config.md anew")

const referenceFile = "../../docs/config.md"

// TestReferenceIsOfTheseSources compares docs/config.md with the comments and tags of the config structs.
func TestReferenceIsOfTheseSources(t *testing.T) {
	want, err := config.Reference(kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(referenceFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), want) {
		t.Error("docs/config.md is not made of these sources: run `make docs`, read the difference and commit it")
	}
}

// TestEveryKeyIsDescribed wants of every key what the reference and the schema show of it.
func TestEveryKeyIsDescribed(t *testing.T) {
	text, err := config.Schema(kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	described := wantDescribed(t, "", schema)
	if described < 90 {
		t.Errorf("found %d keys: these are not all", described)
	}
}

// wantDescribed judges the keys of a schema, and returns how many there are.
func wantDescribed(t *testing.T, path string, schema map[string]any) (keys int) {
	t.Helper()
	required, _ := schema["required"].([]any)
	properties, _ := schema["properties"].(map[string]any)
	for name, value := range properties {
		key, at := value.(map[string]any), strings.TrimPrefix(path+"."+name, ".")
		keys++
		doc, _ := key["description"].(string)
		if !strings.HasSuffix(doc, ".") {
			t.Errorf("%s: the schema describes it as %q (hint: write a doc comment above the field of the config struct: the field's name, "+
				"what it is, units, a full stop; the struct must be in the file that the kind's Source embeds, config.go; then run `make docs`)", at, doc)
		}
		nested := nestedKeys(t, at, key)
		keys += nested
		if nested == 0 && key["examples"] == nil {
			t.Errorf("%s has no example (hint: add an example tag with a value in YAML to the field: `yaml:%q example:%q`; then run `make docs`)", at, name, "…")
		}
		if nested == 0 && key["default"] == nil && !has(required, name) && !inherited[at] {
			t.Errorf("%s has no default (hint: write it into the field's tag, jsonschema:\"default=…\", and not into code)", at)
		}
	}
	return keys
}

// inherited keys have the value of another key, or of the service, where they are not there.
var inherited = map[string]bool{"targets.origin.concurrency": true, "targets.origin.rate": true, "origins.concurrency": true, "origins.rate": true, "daemon.url": true, "targets.path_style": true}

// nestedKeys judges the keys of a mapping, of a list's items, and of each kind of target.
func nestedKeys(t *testing.T, path string, schema map[string]any) (keys int) {
	t.Helper()
	if schema["properties"] != nil {
		keys += wantDescribed(t, path, schema)
	}
	if items, ok := schema["items"].(map[string]any); ok {
		keys += nestedKeys(t, path, items)
		alternatives, _ := items["oneOf"].([]any)
		for _, a := range alternatives {
			keys += wantDescribed(t, path, a.(map[string]any))
		}
	}
	return keys
}

func has(list []any, name string) bool {
	for _, item := range list {
		if item == name {
			return true
		}
	}
	return false
}

// TestExampleOfEveryKeyParses reads the config that the reference ends with, in which every key has its example.
func TestExampleOfEveryKeyParses(t *testing.T) {
	text, err := config.Reference(kinds.All())
	if err != nil {
		t.Fatal(err)
	}
	_, example, found := strings.Cut(string(text), "```yaml\n")
	example, _, closed := strings.Cut(example, "```")
	if !found || !closed {
		t.Fatal("the reference has no example")
	}
	secret := func(string) string { return "x1" }
	if _, err := config.Parse("example.yaml", []byte(example), secret, kinds.All()); err != nil {
		t.Errorf("an example tag of a config struct is not a value that its key takes: %v\n%s", err, example)
	}
}
