package strictyaml

import (
	"encoding"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Decode decodes n, the value of key, into v, which must be addressable.
func (d *Decoder) Decode(key string, n *yaml.Node, v reflect.Value) { d.value(key, n, v, rules{}) }

func (d *Decoder) value(key string, n *yaml.Node, v reflect.Value, r rules) {
	if n.Kind == refused {
		return
	}
	d.places[v.Addr().Interface()] = n
	if d.byItself(key, n, v) {
		return
	}
	if t, ok := d.textTypeOf(v.Type()); ok {
		d.fromText(key, n, v, t)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(key, n, v.Elem(), r)
	case reflect.Struct:
		d.decodeStruct(key, n, v)
	case reflect.Slice:
		d.decodeList(key, n, v, r)
	case reflect.Map:
		d.decodeMap(key, n, v, r)
	case reflect.Interface:
		if err := n.Decode(v.Addr().Interface()); err != nil {
			d.Errorf(n, "%s: %s cannot be read", key, d.Describe(n))
		}
	default:
		d.scalar(key, n, v, r)
	}
}

// byItself lets a type that knows how to decode itself.
func (d *Decoder) byItself(key string, n *yaml.Node, v reflect.Value) bool {
	if decode := d.types.Decoders[v.Type()]; decode != nil {
		decode(d, key, n, v)
		return true
	}
	switch own := v.Addr().Interface().(type) {
	case yaml.Unmarshaler:
		if err := own.UnmarshalYAML(n); err != nil {
			d.Errorf(n, "%s: %s", key, d.reason(n, err))
		}
	case encoding.TextUnmarshaler:
		if !d.IsScalar(key, n, "text") {
			return true
		}
		if err := own.UnmarshalText([]byte(n.Value)); err != nil {
			d.Errorf(n, "%s: %s", key, d.reason(n, err))
		}
	default:
		return false
	}
	return true
}

// decodeStruct decodes a mapping into a struct, each key of which must be one of its fields.
func (d *Decoder) decodeStruct(key string, n *yaml.Node, v reflect.Value) {
	if d.Members(key, n, v) {
		d.Unknown(n, KeysOf(v.Addr().Interface()), nil)
	}
}

// Members decodes the keys of a mapping that a struct has, fills in the defaults of those
// that it lacks, and reports whether n is a mapping.
func (d *Decoder) Members(key string, n *yaml.Node, v reflect.Value) bool {
	if n.Kind != yaml.MappingNode && !isNull(n) {
		d.Errorf(n, "%s: %s is no mapping", key, d.Describe(n))
		return false
	}
	for _, f := range fieldsOf(v.Type()) {
		member := v.FieldByIndex(f.index)
		value := lookup(n, f.key)
		if value != nil && !(isNull(value) && member.Kind() == reflect.Slice) {
			d.value(f.key, value, member, f.rules)
			continue
		}
		if f.rules.required {
			d.Errorf(n, "required key %q is missing", f.key)
		}
		d.setDefault(f.key, n, member, f.rules)
	}
	return true
}

// setDefault fills in the default of a key that is not there.
func (d *Decoder) setDefault(key string, n *yaml.Node, v reflect.Value, r rules) {
	switch {
	case !v.IsZero():
	case r.defaultText != nil:
		implied := &yaml.Node{Kind: yaml.ScalarNode, Value: *r.defaultText, Line: n.Line, Column: n.Column}
		if v.Kind() == reflect.Slice {
			implied = &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{implied}}
		}
		d.value(key, implied, v, r)
	case v.Kind() == reflect.Struct:
		for _, f := range fieldsOf(v.Type()) {
			d.setDefault(f.key, n, v.FieldByIndex(f.index), f.rules)
		}
	}
}

// Unknown notes each key of a mapping that is not among the known ones. hintFor, which may be
// nil, returns a hint on such a key, "" for none.
func (d *Decoder) Unknown(n *yaml.Node, known []string, hintFor func(key string) string) {
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if slices.Contains(known, key.Value) {
			continue
		}
		hint := ""
		if hintFor != nil {
			hint = hintFor(key.Value)
		}
		if hint == "" {
			hint = DidYouMean(key.Value, known)
		}
		if hint == "" {
			hint = "; the keys here are " + OneOf(known)
		}
		d.Errorf(key, "unknown key %s%s", Quoted(key.Value), hint)
	}
}

func (d *Decoder) decodeList(key string, n *yaml.Node, v reflect.Value, r rules) {
	if n.Kind != yaml.SequenceNode && !isNull(n) {
		d.Errorf(n, "%s: %s is no list", key, d.Describe(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		d.value(key, item, v.Index(i), r)
	}
	if len(n.Content) < r.atLeast {
		d.Errorf(n, "%s: the list needs at least %d", key, r.atLeast)
	}
}

func (d *Decoder) decodeMap(key string, n *yaml.Node, v reflect.Value, r rules) {
	if n.Kind != yaml.MappingNode && !isNull(n) {
		d.Errorf(n, "%s: %s is no mapping", key, d.Describe(n))
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i < len(n.Content); i += 2 {
		name := n.Content[i].Value
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(strings.TrimPrefix(key+"."+name, "."), n.Content[i+1], item, r)
		v.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), item)
	}
}
