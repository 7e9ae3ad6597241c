package strictyaml

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// rules are what a field's jsonschema tag says of its value.
type rules struct {
	required    bool
	enum        []string
	unsupported []string // known values that are refused as not supported yet
	defaultText *string
	format      string
	min, max    *float64
	atLeast     int // items
	secretName  bool
}

// field is one key of a struct.
type field struct {
	key   string
	index []int
	rules rules
}

// fieldsOf lists the keys of a struct type, those of inlined structs among them.
func fieldsOf(t reflect.Type) []field {
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		key, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() && !f.Anonymous || key == "-" {
			continue
		}
		if slices.Contains(strings.Split(options, ","), "inline") && f.Type.Kind() == reflect.Struct {
			for _, inner := range fieldsOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				all = append(all, inner)
			}
			continue
		}
		if key == "" {
			key = strings.ToLower(f.Name)
		}
		r := rulesOf(f.Tag.Get("jsonschema"))
		r.secretName = strings.HasSuffix(key, "_env")
		all = append(all, field{key, []int{i}, r})
	}
	return all
}

func rulesOf(tag string) rules {
	var r rules
	for part := range strings.SplitSeq(tag, ",") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "required":
			r.required = true
		case "enum":
			r.enum = append(r.enum, value)
		case "unsupported":
			r.unsupported = append(r.unsupported, value)
		case "default":
			r.defaultText = &value
		case "format":
			r.format = value
		case "minimum":
			r.min = number(value)
		case "maximum":
			r.max = number(value)
		case "minItems":
			r.atLeast, _ = strconv.Atoi(value) // of our own source: a test decodes every tag
		}
	}
	return r
}

func number(text string) *float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil
	}
	return &n
}

// KeysOf lists the keys of a config struct, or of a pointer to one.
func KeysOf(config any) []string {
	t := reflect.TypeOf(config)
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for _, f := range fieldsOf(t) {
		keys = append(keys, f.key)
	}
	return keys
}
