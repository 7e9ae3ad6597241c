package config

import (
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"
)

// textType is a type that is read from text.
type textType struct {
	noun  string // completes: "x" is no …
	hint  string
	parse func(text string) (any, error)
}

// textTypeOf returns how a type is read from text, if it is one of those that are.
func textTypeOf(t reflect.Type) (textType, bool) {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return textType{"duration", "write a number and its unit: 10s, 5m, 1h30m", parseDuration}, true
	case reflect.TypeFor[Limit]():
		return textType{"percentage or count", "write a share such as 50%, or a number of files",
			func(text string) (any, error) { return ParseLimit(text) }}, true
	case reflect.TypeFor[*url.URL]():
		return textType{"base URL of a site", "",
			func(text string) (any, error) { return webURL(text) }}, true
	case reflect.TypeFor[*regexp.Regexp]():
		return textType{"regular expression", "",
			func(text string) (any, error) { return regexp.Compile(text) }}, true
	}
	return textType{}, false
}

func parseDuration(text string) (any, error) {
	duration, err := time.ParseDuration(text)
	if err == nil && duration < 0 {
		err = fmt.Errorf("it is negative")
	}
	return duration, err
}

func (d *decoder) fromText(key string, n *yaml.Node, v reflect.Value, t textType) {
	if !d.isScalar(key, n, t.noun) {
		return
	}
	value, err := t.parse(n.Value)
	if err == nil {
		v.Set(reflect.ValueOf(value))
		return
	}
	delete(d.places, v.Addr().Interface()) // there is no value to judge
	detail := ""
	if t.hint != "" {
		detail = " (hint: " + t.hint + ")"
	} else if !d.fromEnv(n) || v.Type() == reflect.TypeFor[*url.URL]() { // whose errors quote nothing
		detail = ": " + masked(err.Error())
	}
	d.on(n, "%s: %s is no %s%s", key, d.describe(n), t.noun, detail)
}

// scalar decodes text into a string, bool or number.
func (d *decoder) scalar(key string, n *yaml.Node, v reflect.Value, r rules) {
	noun, known := nounOf(v.Kind())
	if !known {
		d.on(n, "%s: a %s cannot be given in a config", key, v.Type())
		return
	}
	if !d.isScalar(key, n, noun) {
		return
	}
	if v.Kind() == reflect.String {
		d.string(key, n, v, r)
		return
	}
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		d.on(n, "%s: %s is text, not a %s (hint: write it without quotes)", key, d.describe(n), noun)
		return
	}
	if !setPlain(v, n.Value) {
		hint := ""
		if v.Kind() == reflect.Bool {
			hint = " (hint: write true or false)"
		}
		d.on(n, "%s: %s is no %s%s", key, d.describe(n), noun, hint)
		return
	}
	d.bounds(key, n, v, r)
	d.choice(key, n, r)
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

func (d *decoder) bounds(key string, n *yaml.Node, v reflect.Value, r rules) {
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
		d.on(n, "%s: %s is less than %v", key, d.describe(n), *r.min)
	}
	if r.max != nil && number > *r.max {
		d.on(n, "%s: %s is more than %v", key, d.describe(n), *r.max)
	}
}

// choice notes a value that is none of those allowed.
func (d *decoder) choice(key string, n *yaml.Node, r rules) {
	if len(r.enum) == 0 || slices.Contains(r.enum, n.Value) {
		return
	}
	hint := didYouMean(n.Value, r.enum)
	if d.fromEnv(n) {
		hint = ""
	}
	if len(r.enum) == 1 {
		d.on(n, "%s: %s must be %s", key, d.describe(n), r.enum[0])
		return
	}
	d.on(n, "%s: %s is none of %s%s", key, d.describe(n), oneOf(r.enum), hint)
}

func (d *decoder) string(key string, n *yaml.Node, v reflect.Value, r rules) {
	if r.secretName {
		d.envName(key, n)
	}
	v.SetString(n.Value)
	d.choice(key, n, r)
	if n.Value == "" && r.required {
		d.on(n, "%s: is empty", key)
		return
	}
	d.format(key, n, v, r.format)
}

// envName notes a value that is no environment variable's name: most likely a secret that
// was pasted there, so it is not quoted.
func (d *decoder) envName(key string, n *yaml.Node) {
	switch {
	case n.Value == "":
	case d.fromEnv(n) || looksSecret(n.Value):
		d.on(n, "%s: takes the name of an environment variable, and this looks like the secret itself "+
			"(hint: write the bare name, such as %s: MY_TOKEN; a secret that was in a file should be replaced)", key, key)
	case !isEnvName(n.Value):
		d.on(n, "%s: takes the name of an environment variable, letters, digits and _", key)
	}
}

// isScalar notes whatever is not one value.
func (d *decoder) isScalar(key string, n *yaml.Node, noun string) bool {
	switch {
	case isNull(n):
		d.on(n, "%s: has no value (hint: leave the key out, or write \"\" for empty text)", key)
		return false
	case n.Kind != yaml.ScalarNode:
		d.on(n, "%s: %s is no %s", key, d.describe(n), noun)
		return false
	}
	return true
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }
