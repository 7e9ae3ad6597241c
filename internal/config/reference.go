package config

import (
	_ "embed" // the sources below
	"net/url"
	"reflect"
	"slices"

	"mirror/internal/config/reference"
	"mirror/internal/purge"
	"mirror/targets"
)

// typesSource and vantagesSource have the descriptions of the keys that every config has.
var (
	//go:embed types.go
	typesSource string
	//go:embed vantages.go
	vantagesSource string
)

// commentsOf returns the doc comments of the fields of the config and of the kinds' config structs.
func commentsOf(kinds targets.Kinds) (reference.Comments, error) {
	comments := reference.Comments{}
	for _, source := range []string{typesSource, vantagesSource} {
		if err := comments.Add(reflect.TypeFor[Config]().PkgPath(), source); err != nil {
			return nil, err
		}
	}
	if err := comments.Add(reflect.TypeFor[purge.Config]().PkgPath(), purge.Source); err != nil {
		return nil, err
	}
	for _, kind := range kinds {
		if kind.Config == nil || kind.Source == "" {
			continue
		}
		if err := comments.Add(structOf(kind.Config).PkgPath(), kind.Source); err != nil {
			return nil, err
		}
	}
	return comments, nil
}

// structOf returns the type of a config struct, or of what a pointer to one points to.
func structOf(config any) reflect.Type { return reflect.Indirect(reflect.ValueOf(config)).Type() }

// nouns name the types of a config for people.
func nouns() reference.Nouns {
	return reference.Nouns{
		reflect.TypeFor[Limit]():      "percentage or count",
		reflect.TypeFor[CDN]():        "boolean or name of a provider",
		reflect.TypeFor[Order]():      "`auto`, `parallel` or list of names",
		reflect.TypeFor[GraceMatch](): "`hashed`, `all` or list of globs",
		reflect.TypeFor[*url.URL]():   "URL",
		reflect.TypeFor[Size]():       "size",
	}
}

// aboutConfig stands at the top of the reference.
const aboutConfig = "`mirror.yaml` says what is published, to which targets, and how the live origins are checked. `mirror init` writes a first one, " +
	"and `mirror init --schema` prints the JSON Schema for editors. Unknown keys, wrong types and impossible combinations are errors, all of " +
	"them reported in one run with line and column. In a value `${NAME}` stands for an environment variable, and `$${` for a plain `${`. " +
	"A duration is a number with its unit: `10s`, `5m`, `1h30m`. A glob is a [doublestar](https://github.com/bmatcuk/doublestar#patterns) " +
	"pattern of paths in the site. A relative path is relative to the folder of the config, and `~/` stands for the home folder. [Security](security.md) says what a config may do."

// Reference returns docs/config.md: every key with its type, default, description and example.
func Reference(kinds targets.Kinds) ([]byte, error) {
	sections, err := sectionsOf(kinds)
	if err != nil {
		return nil, err
	}
	head := "<!-- Made by `make docs` from the comments and tags of the config structs: edit those. -->\n\n"
	return append([]byte(head), reference.Markdown(sections)...), nil
}

func sectionsOf(kinds targets.Kinds) ([]reference.Section, error) {
	comments, err := commentsOf(kinds)
	if err != nil {
		return nil, err
	}
	keys := reference.Of(reflect.TypeFor[Config](), comments, nouns())
	sections := []reference.Section{{Level: 1, Title: "The config", Text: aboutConfig}}
	for _, k := range keys {
		s := reference.Section{Level: 2, Title: "`" + k.Name + "`", Text: k.Doc, Keys: k.Keys}
		if len(k.Keys) == 0 {
			s.Text, s.Keys = "", []reference.Key{k}
		}
		sections = append(sections, s)
		if k.Name != "targets" {
			continue
		}
		k.Keys[slices.IndexFunc(k.Keys, func(k reference.Key) bool { return k.Name == "type" })].Enum = kinds.Names()
		for _, name := range kinds.Names() {
			kind, _ := kinds.Find(name)
			if kind.Config != nil {
				sections = append(sections, reference.Section{Level: 3, Title: "`type: " + name + "`", Text: kind.Sample.About,
					Keys: reference.Of(structOf(kind.Config), comments, nouns())})
			}
		}
	}
	return append(sections, reference.Section{Level: 2, Title: "Every key with its example", Example: exampleOf(keys, kinds, comments)}), nil
}

// keepNothing reports whether targets of a kind refuse every glob of publish.keep.
func keepNothing(kind targets.Kind) bool {
	return kind.WrongKeep != nil && kind.WrongKeep(targets.Keep{"uploads/**"}) != ""
}

// exampleOf is a config in which every key has its example, with a target of each kind. One of a kind
// that keeps nothing cannot stand beside publish.keep.
func exampleOf(keys []reference.Key, kinds targets.Kinds, comments reference.Comments) string {
	text := ""
	for _, k := range keys {
		if k.Name != "targets" {
			text += reference.Example([]reference.Key{k}, 0)
			continue
		}
		text += "targets:\n"
		for _, name := range kinds.Names() {
			kind, _ := kinds.Find(name)
			if keepNothing(kind) {
				continue
			}
			text += "  - name: " + kind.Sample.Name + "\n    type: " + name + "\n"
			if kind.Config != nil {
				text += reference.Example(reference.Of(structOf(kind.Config), comments, nouns()), 4)
			}
			text += reference.Example(k.Keys, 4, "name", "type")
		}
	}
	return text
}
