package config

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

func schemaNow(t *testing.T) map[string]any {
	t.Helper()
	text, err := Schema(kinds())
	if err != nil {
		t.Fatal(err)
	}
	var s map[string]any
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchemaAcceptsWhatParses(t *testing.T) {
	text, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"full": string(text), "small": small} {
		var config any
		if err := yaml.Load([]byte(text), &config); err != nil {
			t.Fatal(err)
		}
		if wrong := violations(schemaNow(t), config, "$"); len(wrong) > 0 {
			t.Errorf("%s: %s", name, strings.Join(wrong, "\n"))
		}
	}
}

func TestSchemaRefusesWhatDoesNotParse(t *testing.T) {
	for _, text := range []string{
		body("chekc: {}"), body("version: 2"), body("check: {concurrency: 0}"), body("check: {timeout: 10}"),
		body("publish: {max_delete: abc}"), body("publish: {on_late: never}"), body("publish: {order: fast}"),
		body("targets: []"), body("targets: [{name: a, type: s3}]"), body("targets: [{name: a, type: s4}]"),
		body("targets: [{name: a, type: s3, bucket: b, bucekt: b}]"), origin("ftp://a/"), body("check: {ignore: x}"),
		"version: 1\nsite: {dir: x}\n",
	} {
		var config any
		if err := yaml.Load([]byte(text), &config); err != nil {
			t.Fatal(err)
		}
		if _, err := Parse("m.yaml", []byte(text), environment, kinds()); err == nil {
			t.Errorf("parsed:\n%s", text)
		}
		if wrong := violations(schemaNow(t), config, "$"); len(wrong) == 0 {
			t.Errorf("the schema accepts:\n%s", text)
		}
	}
}

func TestSchemaDescribesEveryKey(t *testing.T) {
	properties := schemaNow(t)["properties"].(map[string]any)
	for key, s := range properties {
		if s.(map[string]any)["description"] == nil {
			t.Errorf("%s has no description", key)
		}
	}
	check := properties["check"].(map[string]any)["properties"].(map[string]any)
	rate := check["rate"].(map[string]any)
	if got, want := rate["description"], "How many requests a second an origin gets. 0 is no limit."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := fmt.Sprint(rate["default"]); got != "200" {
		t.Errorf("default of check.rate: got %s", got)
	}
}

// violations judges a value by the part of JSON Schema that Schema uses.
func violations(s map[string]any, value any, at string) []string {
	var wrong []string
	if alternatives, ok := s["oneOf"].([]any); ok {
		fit := 0
		for _, a := range alternatives {
			if len(violations(a.(map[string]any), value, at)) == 0 {
				fit++
			}
		}
		if fit != 1 {
			wrong = append(wrong, fmt.Sprintf("%s: %v fits %d alternatives", at, value, fit))
		}
	}
	if c, ok := s["const"]; ok && fmt.Sprint(c) != fmt.Sprint(value) {
		wrong = append(wrong, fmt.Sprintf("%s: %v is not %v", at, value, c))
	}
	if enum, ok := s["enum"].([]any); ok && !slices.ContainsFunc(enum, func(e any) bool { return fmt.Sprint(e) == fmt.Sprint(value) }) {
		wrong = append(wrong, fmt.Sprintf("%s: %v is none of %v", at, value, enum))
	}
	switch s["type"] {
	case "object":
		wrong = append(wrong, objectViolations(s, value, at)...)
	case "array":
		list, ok := value.([]any)
		if least, _ := s["minItems"].(float64); !ok || len(list) < int(least) {
			return append(wrong, fmt.Sprintf("%s: %v is no list, or too short", at, value))
		}
		for i, item := range list {
			wrong = append(wrong, violations(s["items"].(map[string]any), item, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case "string":
		text, ok := value.(string)
		if pattern, _ := s["pattern"].(string); !ok || !regexp.MustCompile(pattern).MatchString(text) {
			wrong = append(wrong, fmt.Sprintf("%s: %v is no text, or does not match", at, value))
		}
	case "integer", "number":
		n, ok := value.(int)
		if least, _ := s["minimum"].(float64); !ok || float64(n) < least {
			wrong = append(wrong, fmt.Sprintf("%s: %v is no number, or too small", at, value))
		}
	}
	return wrong
}

func objectViolations(s map[string]any, value any, at string) []string {
	object, ok := value.(map[string]any)
	if !ok {
		return []string{fmt.Sprintf("%s: %v is no object", at, value)}
	}
	var wrong []string
	properties, _ := s["properties"].(map[string]any)
	for key, member := range object {
		if p, ok := properties[key]; ok {
			wrong = append(wrong, violations(p.(map[string]any), member, at+"."+key)...)
		} else if s["additionalProperties"] == false {
			wrong = append(wrong, at+": unknown key "+key)
		}
	}
	required, _ := s["required"].([]any)
	for _, key := range required {
		if object[key.(string)] == nil {
			wrong = append(wrong, at+": lacks "+key.(string))
		}
	}
	return wrong
}
