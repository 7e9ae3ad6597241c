package config

import (
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v4"
)

// format judges a text by the format that its field's tag names.
func (d *decoder) format(key string, n *yaml.Node, v reflect.Value, format string) {
	text := v.String()
	wrong := ""
	switch format {
	case "path":
		if !filepath.IsAbs(text) {
			v.SetString(filepath.Join(filepath.Dir(d.file), text))
		}
	case "glob":
		if !doublestar.ValidatePattern(text) {
			wrong = "is no glob"
		}
	case "page":
		if text != "" && (path.IsAbs(text) || path.Clean(text) != text || text == "." || strings.HasPrefix(text, "../")) {
			wrong = "is no page of the site (hint: write its path without a leading slash: 404.html)"
		}
	case "beacon":
		if text != "" && (!path.IsAbs(text) || path.Clean(text) != text || text == "/" || strings.ContainsAny(text, "?#%")) {
			wrong = "is no plain URL path (hint: /.well-known/mirror.json, or \"\" for none)"
		}
	case "name":
		if strings.ContainsFunc(text, notInName) {
			wrong = "is no name (hint: letters, digits, - . and _)"
		}
	case "header":
		if strings.ContainsFunc(text, notInName) { // a token (RFC 9110, 5.6.2) could hold more; no real one does
			wrong = "is no header's name"
		}
	case "cron":
		d.cron(key, n)
	case "service":
		d.service(key, n)
	case "quiet":
		d.quiet(key, n)
	}
	if wrong != "" {
		d.on(n, "%s: %s %s", key, d.describe(n), wrong)
	}
}

func notInName(c rune) bool {
	return c != '-' && c != '_' && c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
}

// decodeNode decodes the keys that every target has, and tries those of its kind.
func (t *Target) decodeNode(d *decoder, key string, n *yaml.Node) {
	if !d.members(key, n, reflect.ValueOf(t).Elem()) {
		return
	}
	t.Decode = func(config any) error {
		again := *d
		again.problems, again.places = newProblems(d.file, d.text), map[any]*yaml.Node{}
		again.kind(key, n, t.Type, config)
		return again.err()
	}
	kind, known := d.kinds.Find(t.Type)
	switch {
	case !known && d.kinds != nil && t.Type != "":
		kinds := d.kinds.Names()
		at := d.places[&t.Type]
		d.on(at, "type: %s is no kind of target; there are %s%s", d.describe(at), oneOf(kinds), didYouMean(t.Type, kinds))
	case kind.Config != nil:
		d.kind(key, n, t.Type, fresh(kind.Config))
	}
}

// kind decodes a target's other keys into its kind's config.
func (d *decoder) kind(key string, n *yaml.Node, kind string, config any) {
	v := reflect.ValueOf(config)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		d.on(n, "type %s cannot be configured: its config is a %T, not a pointer to a struct", kind, config)
		return
	}
	d.members(key, n, v.Elem())
	d.unknown(n, append(keysOf(Target{}), keysOf(config)...), func(key string) string {
		for _, other := range d.kinds.Names() {
			k, _ := d.kinds.Find(other)
			if slices.Contains(keysOf(k.Config), key) {
				return " for type " + kind + "; it belongs to type " + other
			}
		}
		return ""
	})
}

// fresh returns a pointer to a zero value of the struct that sample is or points to.
func fresh(sample any) any {
	return reflect.New(reflect.Indirect(reflect.ValueOf(sample)).Type()).Interface()
}

// decodeNode decodes a mode or a list of names.
func (o *Order) decodeNode(d *decoder, key string, n *yaml.Node) {
	if n.Kind == yaml.SequenceNode {
		o.Mode = OrderListed
		d.value(key, n, reflect.ValueOf(&o.Names).Elem(), rules{})
		return
	}
	if d.isScalar(key, n, "order") {
		o.Mode = n.Value
		d.choice(key, n, rules{enum: []string{OrderAuto, OrderParallel}})
	}
}

// judge notes what no single value shows: names given twice and combinations that cannot be.
func (d *decoder) judge(c *Config) {
	var names []string
	for i := range c.Targets {
		names = d.once(names, &c.Targets[i].Name, "target")
	}
	d.judgeOrder(&c.Publish, names)
	d.judgeJobs(c.Schedule)
	d.judgeNotify(c.Notify)
	d.positive("verify_timeout", &c.Publish.VerifyTimeout)
	d.positive("timeout", &c.Check.Timeout)
}

// once adds a name to those seen and notes one that was seen before.
func (d *decoder) once(seen []string, name *string, what string) []string {
	at := d.places[name]
	if at == nil || *name == "" {
		return seen
	}
	if slices.Contains(seen, *name) {
		d.on(at, "name: another %s is called %s", what, d.describe(at))
	}
	return append(seen, *name)
}

func (d *decoder) judgeOrder(p *Publish, names []string) {
	for i := range p.Order.Names {
		at, name := d.places[&p.Order.Names[i]], p.Order.Names[i]
		switch {
		case at == nil:
		case !slices.Contains(names, name):
			d.on(at, "order: no target is called %s%s", d.describe(at), didYouMean(name, names))
		case slices.Contains(p.Order.Names[:i], name):
			d.on(at, "order: %s is listed twice", d.describe(at))
		}
	}
	at := d.places[&p.Order]
	for _, name := range names {
		if p.Order.Mode == OrderListed && !slices.Contains(p.Order.Names, name) {
			d.on(at, "order: target %s is not listed (hint: list every target, or write auto)", quoted(name))
		}
	}
	if p.Order.Mode == OrderParallel && p.OnLate == "rollback" {
		d.on(d.places[&p.OnLate], "on_late: rollback cannot be with order: parallel, which waits for no origin")
	}
}

func (d *decoder) positive(key string, duration *time.Duration) {
	if at := d.places[duration]; at != nil && *duration == 0 {
		d.on(at, "%s: must be longer than 0s", key)
	}
}
