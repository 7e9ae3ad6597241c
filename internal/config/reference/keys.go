// Package reference describes the keys of config structs: it reads the structs' tags and doc comments
// into one model, from which the JSON Schema and docs/config.md are made.
//
// Beside the tags that package strictyaml reads, a field has an example tag: its value as YAML.
package reference

import (
	"reflect"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Key is one key of a config.
type Key struct {
	Name     string
	Type     string // for people: text, duration, list of globs
	Required bool
	Default  string // as YAML; "" for none
	Example  string // as YAML; "" where Keys have theirs
	Enum     []string
	Minimum  string
	Maximum  string
	Doc      string // sentences without the name of the field
	List     bool   // Keys are those of each item of a list
	Keys     []Key  // of a mapping
}

// Nouns name types for people that this package does not know.
type Nouns map[reflect.Type]string

// Of lists the keys of a struct type, with the doc comments of its fields.
func Of(t reflect.Type, comments Comments, nouns Nouns) []Key {
	var keys []Key
	names := map[string]string{} // of keys by those of fields
	for i := range t.NumField() {
		if f := t.Field(i); keyOf(f) != "" {
			names[f.Name] = keyOf(f)
		}
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && strings.HasSuffix(f.Tag.Get("yaml"), ",inline") {
			keys = append(keys, Of(f.Type, comments, nouns)...)
			continue
		}
		if keyOf(f) == "" {
			continue
		}
		k := ruled(f)
		k.Doc = sentence(comments[t.PkgPath()+"."+t.Name()+"."+f.Name], f.Name, names)
		k.Type, k.List, k.Keys = shape(f.Type, f.Tag, comments, nouns)
		if k.Default == "" && !k.Required {
			k.Default = zero(f.Type, k.Type)
		}
		keys = append(keys, k)
	}
	return keys
}

// keyOf returns a field's key, "" where it has none.
func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if key == "-" || !f.IsExported() {
		return ""
	}
	return key
}

// ruled returns a key with what the field's tags say.
func ruled(f reflect.StructField) Key {
	k := Key{Name: keyOf(f), Example: f.Tag.Get("example")}
	for part := range strings.SplitSeq(f.Tag.Get("jsonschema"), ",") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "required":
			k.Required = true
		case "default":
			k.Default = value
			if f.Type.Kind() == reflect.Slice {
				k.Default = "[" + value + "]"
			}
		case "enum":
			k.Enum = append(k.Enum, value)
		case "minimum":
			k.Minimum = value
		case "maximum":
			k.Maximum = value
		}
	}
	return k
}

// shape names a type for people, and lists the keys of a mapping or of the items of a list.
func shape(t reflect.Type, tag reflect.StructTag, comments Comments, nouns Nouns) (noun string, list bool, keys []Key) {
	if noun, ok := nouns[t]; ok {
		return noun, false, nil
	}
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "duration", false, nil
	case t == reflect.TypeFor[*regexp.Regexp]():
		return "regular expression", false, nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return shape(t.Elem(), tag, comments, nouns)
	case reflect.Struct:
		return "mapping", false, Of(t, comments, nouns)
	case reflect.Slice:
		item, _, keys := shape(t.Elem(), tag, comments, nouns)
		return "list of " + plural(item), true, keys
	case reflect.Map:
		item, _, _ := shape(t.Elem(), tag, comments, nouns)
		return "mapping of names to " + plural(item), false, nil
	case reflect.Bool:
		return "true or false", false, nil
	case reflect.String:
		return format(tag), false, nil
	case reflect.Float32, reflect.Float64:
		return "number", false, nil
	}
	return "whole number", false, nil
}

func plural(noun string) string {
	switch {
	case noun == "text":
		return "texts"
	case strings.HasSuffix(noun, "s"):
		return noun
	}
	return noun + "s"
}

// format names the format of a string for people.
func format(tag reflect.StructTag) string {
	_, rest, _ := strings.Cut(tag.Get("jsonschema"), "format=")
	name, _, _ := strings.Cut(rest, ",")
	known := map[string]string{"cron": "cron spec", "service": "URL", "beacon": "URL path", "page": "path in the site", "keep": "glob",
		"quiet": "time of day and zone", "header": "header"}
	switch {
	case known[name] != "":
		return known[name]
	case name != "":
		return name
	case strings.HasSuffix(tag.Get("yaml"), "_env"):
		return "name of an environment variable"
	}
	return "text"
}

// zero is the value of a key that is not there, as YAML; "" where it is none.
func zero(t reflect.Type, noun string) string {
	switch {
	case noun == "duration":
		return "0s"
	case t.Kind() == reflect.Bool:
		return "false"
	case t.Kind() == reflect.String:
		return `""`
	case t.Kind() == reflect.Slice:
		return "[]"
	}
	return ""
}

// sentence is a field's doc comment without the field's name, and with the names of keys in place of
// those of other fields: "Dir is the folder" becomes "The folder".
func sentence(doc, field string, names map[string]string) string {
	for goName, key := range names {
		if strings.IndexFunc(goName[1:], unicode.IsUpper) >= 0 && goName != field && strings.ToUpper(goName) != goName {
			doc = regexp.MustCompile(`\b`+goName+`\b`).ReplaceAllString(doc, key)
		}
	}
	rest, found := strings.CutPrefix(doc, field+" ")
	if !found {
		return doc
	}
	for _, verb := range []string{"is ", "are "} {
		rest = strings.TrimPrefix(rest, verb)
	}
	first, size := utf8.DecodeRuneInString(rest)
	return string(unicode.ToUpper(first)) + rest[size:]
}
