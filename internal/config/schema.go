package config

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"time"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v4"

	"mirror/internal/cdn"
	"mirror/internal/config/reference"
	"mirror/targets"
)

// Schema returns the JSON Schema of mirror.yaml, for editors, with targets of the given kinds.
func Schema(kinds targets.Kinds) ([]byte, error) {
	comments, err := commentsOf(kinds)
	if err != nil {
		return nil, fmt.Errorf("read the config's descriptions: %w", err)
	}
	r := &jsonschema.Reflector{
		Anonymous: true, DoNotReference: true, RequiredFromJSONSchemaTags: true,
		FieldNameTag: "yaml", Mapper: schemaOf,
	}
	schema := r.Reflect(&Config{})
	schema.Title = FileName
	items, ok := schema.Properties.Get("targets")
	if !ok {
		return nil, fmt.Errorf("the config's schema lacks targets")
	}
	describe(schema, reference.Of(reflect.TypeFor[Config](), comments, nouns()))
	common := items.Items
	items.Items = &jsonschema.Schema{}
	for _, name := range kinds.Names() {
		kind, _ := kinds.Find(name)
		items.Items.OneOf = append(items.Items.OneOf, targetSchema(r, common, name, kind.Config, comments))
	}
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the config's schema: %w", err)
	}
	return append(text, '\n'), nil
}

// targetSchema joins the keys that every target has with those of one kind.
func targetSchema(r *jsonschema.Reflector, common *jsonschema.Schema, name string, config any, comments reference.Comments) *jsonschema.Schema {
	all := *common
	all.Title = name
	all.Required = slices.Clone(common.Required)
	all.Properties = jsonschema.NewProperties()
	for pair := common.Properties.Oldest(); pair != nil; pair = pair.Next() {
		all.Properties.Set(pair.Key, pair.Value)
	}
	all.Properties.Set("type", &jsonschema.Schema{Type: "string", Const: name, Description: "The kind of place.", Examples: []any{name}})
	if config == nil {
		all.AdditionalProperties = nil
		return &all
	}
	own := r.Reflect(config)
	describe(own, reference.Of(structOf(config), comments, nouns()))
	for pair := own.Properties.Oldest(); pair != nil; pair = pair.Next() {
		all.Properties.Set(pair.Key, pair.Value)
	}
	all.Required = append(all.Required, own.Required...)
	return &all
}

// describe gives the properties of a schema the descriptions, defaults and examples of their keys.
func describe(s *jsonschema.Schema, keys []reference.Key) {
	for _, k := range keys {
		p, ok := s.Properties.Get(k.Name)
		if !ok {
			continue
		}
		p.Description = k.Doc
		if p.Default == nil {
			p.Default = valueOf(k.Default)
		}
		if example := valueOf(k.Example); example != nil {
			p.Examples = []any{example}
		}
		if k.List && p.Items != nil {
			p = p.Items
		}
		if p.Properties != nil {
			describe(p, k.Keys)
		}
	}
}

// valueOf reads a value that is written in YAML, nil for none.
func valueOf(text string) any {
	var value any
	if text == "" || yaml.Load([]byte(text), &value) != nil {
		return nil
	}
	return value
}

// schemaOf returns the schema of a type that is written as text, nil for other types.
func schemaOf(t reflect.Type) *jsonschema.Schema {
	text := func(pattern string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Pattern: pattern}
	}
	switch t {
	case reflect.TypeFor[time.Duration]():
		return text(`^(\$\{.*|([0-9.]+(ns|us|µs|ms|s|m|h))+|0)$`)
	case reflect.TypeFor[url.URL]():
		return text(`^(\$\{|https?://)`)
	case reflect.TypeFor[regexp.Regexp]():
		return &jsonschema.Schema{Type: "string", Format: "regex"}
	case reflect.TypeFor[Limit]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
			{Type: "integer", Minimum: "0"}, text(`^(\$\{.*|[0-9.]+%)$`)}}
	case reflect.TypeFor[CDN]():
		names := []any{}
		for _, name := range cdn.Names() {
			names = append(names, name)
		}
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "boolean"}, {Type: "string", Enum: names}, text(`^\$\{`)}}
	case reflect.TypeFor[Size]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
			{Type: "integer", Minimum: "0"}, text(`^(\$\{.*|[0-9.]+ *([KMGT]iB|[kKMGT]B?|B)?)$`)}}
	case reflect.TypeFor[Order]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
			{Type: "string", Enum: []any{OrderAuto, OrderParallel}},
			{Type: "array", Items: &jsonschema.Schema{Type: "string"}}}}
	case reflect.TypeFor[GraceMatch]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
			{Type: "string", Enum: []any{GraceHashed, GraceAll}},
			{Type: "array", Items: &jsonschema.Schema{Type: "string"}}}}
	}
	return nil
}
