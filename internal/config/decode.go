package config

import (
	"net/url"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"mirror/internal/cdn"
	"mirror/internal/config/strictyaml"
	"mirror/targets"
)

// typesOf returns how the types of a config are read which strictyaml does not know. name is the
// config's path.
func typesOf(name string, getenv func(string) string, kinds targets.Kinds) strictyaml.Types {
	return strictyaml.Types{
		Formats: formats(name, getenv),
		Texts: map[reflect.Type]strictyaml.TextType{
			reflect.TypeFor[Limit](): {
				Noun: "percentage or count", Hint: "write a share such as 50%, or a number of files",
				FromText: func(text string) (any, error) { return ParseLimit(text) },
			},
			reflect.TypeFor[CDN](): {
				Noun: "boolean or provider", Hint: "write true, false, or one of " + strings.Join(cdn.Names(), ", "),
				FromText: func(text string) (any, error) { return ParseCDN(text) },
			},
			reflect.TypeFor[*url.URL](): {
				Noun: "base URL of a site", QuotesNothing: true,
				FromText: func(text string) (any, error) { return webURL(text) },
			},
		},
		Decoders: map[reflect.Type]strictyaml.DecodeFunc{
			reflect.TypeFor[Target]():     targetDecoder{kinds}.target,
			reflect.TypeFor[Order]():      order,
			reflect.TypeFor[GraceMatch](): graceMatch,
		},
	}
}

// targetDecoder decodes targets of these kinds.
type targetDecoder struct{ targets.Kinds }

// target decodes the keys that every target has, and tries those of its kind.
func (k targetDecoder) target(d *strictyaml.Decoder, key string, n *yaml.Node, v reflect.Value) {
	if !d.Members(key, n, v) {
		return
	}
	t := v.Addr().Interface().(*Target)
	t.wrong = func(path, why string) { wrong(d, n, path, why) }
	t.Decode = func(config any) error {
		again := d.Again()
		k.kind(again, key, n, t.Type, config)
		return again.Err()
	}
	kind, known := k.Find(t.Type)
	switch {
	case !known && k.Kinds != nil && t.Type != "":
		kinds := k.Names()
		at := d.Place(&t.Type)
		d.Errorf(at, "type: %s is not a kind of target; the kinds are %s%s", d.Describe(at), strictyaml.OneOf(kinds), strictyaml.DidYouMean(t.Type, kinds))
	case kind.Config != nil:
		k.kind(d, key, n, t.Type, fresh(kind.Config))
	}
}

// kind decodes a target's other keys into its kind's config.
func (k targetDecoder) kind(d *strictyaml.Decoder, key string, n *yaml.Node, kind string, config any) {
	v := reflect.ValueOf(config)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		d.Errorf(n, "type %s cannot be configured: its config is a %T, not a pointer to a struct", kind, config)
		return
	}
	d.Members(key, n, v.Elem())
	if own, ok := config.(targets.Validator); ok {
		own.Validate(func(key, why string) { wrong(d, n, key, why) })
	}
	d.Unknown(n, append(strictyaml.KeysOf(Target{}), strictyaml.KeysOf(config)...), func(key string) string {
		for _, name := range k.Names() {
			other, _ := k.Find(name)
			if slices.Contains(strictyaml.KeysOf(other.Config), key) {
				return " for type " + kind + "; it belongs to type " + name
			}
		}
		return ""
	})
}

// wrong notes what is wrong with a key of a target. A webhook's URL is a secret, and not quoted.
func wrong(d *strictyaml.Decoder, n *yaml.Node, path, why string) {
	describe := d.Describe
	if path == "webhook" || strings.HasSuffix(path, ".webhook") {
		describe = func(at *yaml.Node) string { return redacted(d, at) }
	}
	d.Wrong(n, path, why, describe)
}

// fresh returns a pointer to a zero value of the struct that sample is or points to.
func fresh(sample any) any {
	return reflect.New(reflect.Indirect(reflect.ValueOf(sample)).Type()).Interface()
}

// order decodes a mode or a list of names.
func order(d *strictyaml.Decoder, key string, n *yaml.Node, v reflect.Value) {
	o := v.Addr().Interface().(*Order)
	if n.Kind == yaml.SequenceNode {
		o.Mode = OrderListed
		d.Decode(key, n, reflect.ValueOf(&o.Names).Elem())
		return
	}
	if d.IsScalar(key, n, "order") {
		o.Mode = n.Value
		d.Choice(key, n, []string{OrderAuto, OrderParallel})
	}
}

// graceMatch decodes a mode or a list of globs.
func graceMatch(d *strictyaml.Decoder, key string, n *yaml.Node, v reflect.Value) {
	m := v.Addr().Interface().(*GraceMatch)
	if n.Kind == yaml.SequenceNode {
		m.Mode = GraceListed
		d.Decode(key, n, reflect.ValueOf(&m.Globs).Elem())
		if len(m.Globs) == 0 {
			d.Errorf(n, "%s: the list is empty (hint: hashed, all, or globs such as \"assets/**\")", key)
		}
		for i := range m.Globs {
			if at := d.Place(&m.Globs[i]); at != nil && wrongGlob(m.Globs[i]) != "" {
				d.Errorf(at, "%s: %s %s", key, d.Describe(at), wrongGlob(m.Globs[i]))
			}
		}
		return
	}
	if d.IsScalar(key, n, "hashed, all or list of globs") {
		m.Mode = n.Value
		d.Choice(key, n, []string{GraceHashed, GraceAll})
	}
}
