package config

import (
	_ "embed" // types.go below
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/invopop/jsonschema"

	"mirror/targets"
)

// typesSource is where the descriptions in the schema come from.
//
//go:embed types.go
var typesSource string

// Schema returns the JSON Schema of mirror.yaml, for editors, with targets of the given kinds.
func Schema(kinds targets.Kinds) ([]byte, error) {
	comments, err := commentsOf(typesSource)
	if err != nil {
		return nil, fmt.Errorf("read the config's descriptions: %w", err)
	}
	r := &jsonschema.Reflector{
		Anonymous: true, DoNotReference: true, RequiredFromJSONSchemaTags: true,
		FieldNameTag: "yaml", Mapper: schemaOf, CommentMap: comments,
	}
	schema := r.Reflect(&Config{})
	schema.Title = FileName
	items, ok := schema.Properties.Get("targets")
	if !ok {
		return nil, fmt.Errorf("the config's schema lacks targets")
	}
	common := items.Items
	items.Items = &jsonschema.Schema{}
	for _, name := range kinds.Names() {
		kind, _ := kinds.Find(name)
		items.Items.OneOf = append(items.Items.OneOf, targetSchema(r, common, name, kind.Config))
	}
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the config's schema: %w", err)
	}
	return append(text, '\n'), nil
}

// targetSchema joins the keys that every target has with those of one kind.
func targetSchema(r *jsonschema.Reflector, common *jsonschema.Schema, name string, config any) *jsonschema.Schema {
	all := *common
	all.Title = name
	all.Required = slices.Clone(common.Required)
	all.Properties = jsonschema.NewProperties()
	for pair := common.Properties.Oldest(); pair != nil; pair = pair.Next() {
		all.Properties.Set(pair.Key, pair.Value)
	}
	all.Properties.Set("type", &jsonschema.Schema{Type: "string", Const: name})
	if config == nil {
		all.AdditionalProperties = nil
		return &all
	}
	own := r.Reflect(config)
	for pair := own.Properties.Oldest(); pair != nil; pair = pair.Next() {
		all.Properties.Set(pair.Key, pair.Value)
	}
	all.Required = append(all.Required, own.Required...)
	return &all
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
	case reflect.TypeFor[Order]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
			{Type: "string", Enum: []any{OrderAuto, OrderParallel}},
			{Type: "array", Items: &jsonschema.Schema{Type: "string"}}}}
	}
	return nil
}

// commentsOf returns the doc comments of a file's types and fields by the names that the
// reflector looks them up with.
func commentsOf(source string) (map[string]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "types.go", source, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	home := reflect.TypeFor[Config]().PkgPath()
	comments := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		fields, ok := spec.Type.(*ast.StructType)
		for i := 0; ok && i < len(fields.Fields.List); i++ {
			f := fields.Fields.List[i]
			comments[home+"."+spec.Name.Name+"."+f.Names[0].Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
		}
		return false
	})
	return comments, nil
}
