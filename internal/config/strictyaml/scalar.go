package strictyaml

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"
)

// textTypeOf returns how a type is read from text, if it is one of those that are.
func (d *Decoder) textTypeOf(t reflect.Type) (TextType, bool) {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return TextType{"duration", "write a number and its unit: 10s, 5m, 1h30m", false, parseDuration}, true
	case reflect.TypeFor[*regexp.Regexp]():
		return TextType{"regular expression", "", false,
			func(text string) (any, error) { return regexp.Compile(text) }}, true
	}
	text, ok := d.types.Texts[t]
	return text, ok
}

func parseDuration(text string) (any, error) {
	duration, err := time.ParseDuration(text)
	if err == nil && duration < 0 {
		err = fmt.Errorf("it is negative")
	}
	return duration, err
}

func (d *Decoder) fromText(key string, n *yaml.Node, v reflect.Value, t TextType) {
	if !d.IsScalar(key, n, t.Noun) {
		return
	}
	value, err := t.FromText(n.Value)
	if err == nil {
		v.Set(reflect.ValueOf(value))
		return
	}
	delete(d.places, v.Addr().Interface()) // there is no value to judge
	detail := ""
	if t.Hint != "" {
		detail = " (hint: " + t.Hint + ")"
	} else if !d.FromEnv(n) || t.QuotesNothing {
		detail = ": " + Masked(err.Error())
	}
	d.Errorf(n, "%s: %s is no %s%s", key, d.Describe(n), t.Noun, detail)
}

// scalar decodes text into a string, bool or number.
func (d *Decoder) scalar(key string, n *yaml.Node, v reflect.Value, r rules) {
	noun, known := nounOf(v.Kind())
	if !known {
		d.Errorf(n, "%s: a %s cannot be given in a config", key, v.Type())
		return
	}
	if !d.IsScalar(key, n, noun) {
		return
	}
	if v.Kind() == reflect.String {
		d.string(key, n, v, r)
		return
	}
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		d.Errorf(n, "%s: %s is text, not a %s (hint: write it without quotes)", key, d.Describe(n), noun)
		return
	}
	if !setPlain(v, n.Value) {
		hint := ""
		if v.Kind() == reflect.Bool {
			hint = " (hint: write true or false)"
		}
		d.Errorf(n, "%s: %s is no %s%s", key, d.Describe(n), noun, hint)
		return
	}
	d.bounds(key, n, v, r)
	d.Choice(key, n, r.enum)
}

func nounOf(kind reflect.Kind) (string, bool) {
	switch kind {
	case reflect.String:
		return "text", true
	case reflect.Bool:
		return "boolean", true
	case reflect.Float32, reflect.Float64:
		return "number", true
	}
	return "whole number", reflect.Int <= kind && kind <= reflect.Uint64
}

// setPlain sets a bool or number from text and reports whether it could.
func setPlain(v reflect.Value, text string) bool {
	switch kind := v.Kind(); {
	case kind == reflect.Bool:
		v.SetBool(text == "true")
		return text == "true" || text == "false"
	case v.CanInt():
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(n)
		return err == nil
	case v.CanUint():
		n, err := strconv.ParseUint(text, 10, v.Type().Bits())
		v.SetUint(n)
		return err == nil
	}
	n, err := strconv.ParseFloat(text, v.Type().Bits())
	v.SetFloat(n)
	return err == nil && n-n == 0 // neither NaN nor infinite
}

func (d *Decoder) bounds(key string, n *yaml.Node, v reflect.Value, r rules) {
	var number float64
	switch {
	case v.CanInt():
		number = float64(v.Int())
	case v.CanUint():
		number = float64(v.Uint())
	case v.CanFloat():
		number = v.Float()
	}
	if r.min != nil && number < *r.min {
		d.Errorf(n, "%s: %s is less than %v", key, d.Describe(n), *r.min)
	}
	if r.max != nil && number > *r.max {
		d.Errorf(n, "%s: %s is more than %v", key, d.Describe(n), *r.max)
	}
}

// Choice notes a value that is none of those allowed. Where none are named, all are.
func (d *Decoder) Choice(key string, n *yaml.Node, allowed []string) {
	if len(allowed) == 0 || slices.Contains(allowed, n.Value) {
		return
	}
	hint := DidYouMean(n.Value, allowed)
	if d.FromEnv(n) {
		hint = ""
	}
	if len(allowed) == 1 {
		d.Errorf(n, "%s: %s must be %s", key, d.Describe(n), allowed[0])
		return
	}
	d.Errorf(n, "%s: %s is none of %s%s", key, d.Describe(n), OneOf(allowed), hint)
}

func (d *Decoder) string(key string, n *yaml.Node, v reflect.Value, r rules) {
	if r.secretName {
		d.envName(key, n)
	}
	v.SetString(n.Value)
	if slices.Contains(r.unsupported, n.Value) {
		d.Errorf(n, "%s: %s is not supported yet (hint: %s)", key, d.Describe(n), OneOf(r.enum))
		return
	}
	d.Choice(key, n, r.enum)
	if n.Value == "" && r.required {
		d.Errorf(n, "%s: is empty", key)
		return
	}
	if check := d.types.Formats[r.format]; check != nil {
		check(d, key, n, v)
	}
}

// envName notes a value that is no environment variable's name: most likely a secret that
// was pasted there, so it is not Quoted.
func (d *Decoder) envName(key string, n *yaml.Node) {
	switch {
	case n.Value == "":
	case d.FromEnv(n) || LooksSecret(n.Value):
		d.Errorf(n, "%s: takes the name of an environment variable, and this looks like the secret itself "+
			"(hint: write the bare name, such as %s: MY_TOKEN; a secret that was in a file should be replaced)", key, key)
	case !IsEnvName(n.Value):
		d.Errorf(n, "%s: takes the name of an environment variable, letters, digits and _", key)
	case d.env.refused(n.Value) != "":
		d.Errorf(n, "%s: environment variable %s %s", key, n.Value, d.env.refused(n.Value))
	}
}

// IsScalar notes whatever is not one value.
func (d *Decoder) IsScalar(key string, n *yaml.Node, noun string) bool {
	switch {
	case isNull(n):
		d.Errorf(n, "%s: has no value (hint: leave the key out, or write \"\" for empty text)", key)
		return false
	case n.Kind != yaml.ScalarNode:
		d.Errorf(n, "%s: %s is no %s", key, d.Describe(n), noun)
		return false
	}
	return true
}
