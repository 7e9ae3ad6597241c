package config

import (
	"encoding"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"mirror/targets"
)

// decoder fills Go values in from a resolved tree and notes whatever does not fit.
type decoder struct {
	*problems
	kinds   targets.Kinds
	written map[*yaml.Node]string
	places  map[any]*yaml.Node // where the value under a pointer was read from
}

// nodeDecoder is a type of this package that decodes itself.
type nodeDecoder interface {
	decodeNode(d *decoder, key string, n *yaml.Node)
}

// value decodes n, the value of key, into v.
func (d *decoder) value(key string, n *yaml.Node, v reflect.Value, r rules) {
	if n.Kind == refused {
		return
	}
	d.places[v.Addr().Interface()] = n
	if d.byItself(key, n, v) {
		return
	}
	if t, ok := textTypeOf(v.Type()); ok {
		d.fromText(key, n, v, t)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(key, n, v.Elem(), r)
	case reflect.Struct:
		d.object(key, n, v)
	case reflect.Slice:
		d.list(key, n, v, r)
	case reflect.Map:
		d.table(key, n, v, r)
	case reflect.Interface:
		if err := n.Decode(v.Addr().Interface()); err != nil {
			d.on(n, "%s: %s cannot be read", key, d.describe(n))
		}
	default:
		d.scalar(key, n, v, r)
	}
}

// byItself lets a type that knows how to decode itself.
func (d *decoder) byItself(key string, n *yaml.Node, v reflect.Value) bool {
	switch own := v.Addr().Interface().(type) {
	case nodeDecoder:
		own.decodeNode(d, key, n)
	case yaml.Unmarshaler:
		if err := own.UnmarshalYAML(n); err != nil {
			d.on(n, "%s: %s", key, d.reason(n, err))
		}
	case encoding.TextUnmarshaler:
		if !d.isScalar(key, n, "text") {
			return true
		}
		if err := own.UnmarshalText([]byte(n.Value)); err != nil {
			d.on(n, "%s: %s", key, d.reason(n, err))
		}
	default:
		return false
	}
	return true
}

// reason tells why a value was refused, and nothing that came from the environment.
func (d *decoder) reason(n *yaml.Node, err error) string {
	if d.fromEnv(n) {
		return d.describe(n) + " stands for a value that does not fit here"
	}
	return masked(err.Error())
}

// fromEnv reports whether n or a part of it came from the environment.
func (d *decoder) fromEnv(n *yaml.Node) bool {
	_, ok := d.written[n]
	return ok || slices.ContainsFunc(n.Content, d.fromEnv)
}

// object decodes a mapping into a struct, each key of which must be one of its fields.
func (d *decoder) object(key string, n *yaml.Node, v reflect.Value) {
	if d.members(key, n, v) {
		d.unknown(n, keysOf(v.Addr().Interface()), nil)
	}
}

// members decodes the keys of a mapping that a struct has, fills in the defaults of those
// that it lacks, and reports whether n is a mapping.
func (d *decoder) members(key string, n *yaml.Node, v reflect.Value) bool {
	if n.Kind != yaml.MappingNode && !isNull(n) {
		d.on(n, "%s: %s is no mapping", key, d.describe(n))
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
			d.on(n, "required key %q is missing", f.key)
		}
		d.initial(f.key, n, member, f.rules)
	}
	return true
}

// initial fills in the default of a key that is not there.
func (d *decoder) initial(key string, n *yaml.Node, v reflect.Value, r rules) {
	switch {
	case !v.IsZero():
	case r.initial != nil:
		implied := &yaml.Node{Kind: yaml.ScalarNode, Value: *r.initial, Line: n.Line, Column: n.Column}
		if v.Kind() == reflect.Slice {
			implied = &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{implied}}
		}
		d.value(key, implied, v, r)
	case v.Kind() == reflect.Struct:
		for _, f := range fieldsOf(v.Type()) {
			d.initial(f.key, n, v.FieldByIndex(f.index), f.rules)
		}
	}
}

// unknown notes each key of a mapping that is not among the known ones. elsewhere says
// what else may be told of such a key.
func (d *decoder) unknown(n *yaml.Node, known []string, elsewhere func(key string) string) {
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if slices.Contains(known, key.Value) {
			continue
		}
		hint := ""
		if elsewhere != nil {
			hint = elsewhere(key.Value)
		}
		if hint == "" {
			hint = didYouMean(key.Value, known)
		}
		if hint == "" {
			hint = "; the keys here are " + oneOf(known)
		}
		d.on(key, "unknown key %s%s", quoted(key.Value), hint)
	}
}

// lookup returns the value of a mapping's key, nil without it.
func lookup(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func (d *decoder) list(key string, n *yaml.Node, v reflect.Value, r rules) {
	if n.Kind != yaml.SequenceNode && !isNull(n) {
		d.on(n, "%s: %s is no list", key, d.describe(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		d.value(key, item, v.Index(i), r)
	}
	if len(n.Content) < r.atLeast {
		d.on(n, "%s: the list needs at least %d", key, r.atLeast)
	}
}

func (d *decoder) table(key string, n *yaml.Node, v reflect.Value, r rules) {
	if n.Kind != yaml.MappingNode && !isNull(n) {
		d.on(n, "%s: %s is no mapping", key, d.describe(n))
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
