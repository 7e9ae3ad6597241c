// Package config reads mirror.yaml strictly: every mistake in it is told in one run, each
// with its place, the offending text and the way out, before anything is attempted.
//
// A value's ${NAME} is taken from the environment; $${ stands for a plain ${. The keys of a
// target's own kind are decoded into that kind's config struct by these tags:
//
//	yaml:"key"                   the key; ",inline" takes an embedded struct's keys in
//	jsonschema:"required"        the key must be there
//	jsonschema:"enum=a,enum=b"   the value, or each item of a list, is one of these
//	jsonschema:"default=a"       the value where the key is not there and the field is zero
//	jsonschema:"minimum=1"       and maximum, of a number; minItems, of a list
//	jsonschema:"format=path"     a path, relative to the config's folder (see formats)
//
// A field may be a string, bool, number, time.Duration, Limit, *url.URL (of a live site),
// *regexp.Regexp, encoding.TextUnmarshaler, yaml.Unmarshaler, struct, pointer, slice, or map
// with string keys. A key whose name ends in _env takes an environment variable's name.
package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"go.yaml.in/yaml/v4"

	"mirror/targets"
)

// FileName is what a config is called where nobody says otherwise.
const FileName = "mirror.yaml"

// MaxSize bounds a config's size in bytes.
const MaxSize = 1 << 20

// Find returns the path of mirror.yaml in dir or the nearest folder above it. The error
// wraps fs.ErrNotExist when there is none.
func Find(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", FileName, err)
	}
	for at := start; ; at = filepath.Dir(at) {
		path := filepath.Join(at, FileName)
		switch info, err := os.Stat(path); {
		case err == nil && !info.IsDir():
			return path, nil
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("find %s: %w", FileName, err)
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("find %s in %s or a folder above it: %w (hint: mirror init writes one)",
				FileName, start, fs.ErrNotExist)
		}
	}
}

// Load reads the config at path, in which targets may be of the given kinds. An error in its text is one or more joined *Error.
func Load(path string, getenv func(string) string, kinds targets.Kinds) (*Config, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	return Parse(path, text, getenv, kinds)
}

// Parse reads a config from text. name is its path for errors and the base of relative paths.
func Parse(name string, text []byte, getenv func(string) string, kinds targets.Kinds) (*Config, error) {
	p := newProblems(name, text)
	if len(text) > MaxSize {
		p.at(1, 1, "larger than %d MiB", MaxSize>>20)
		return nil, p.err()
	}
	root := parse(p)
	if root == nil {
		return nil, p.err()
	}
	r := &resolver{problems: p, getenv: getenv, written: map[*yaml.Node]string{}, open: map[*yaml.Node]bool{}}
	d := &decoder{problems: p, kinds: kinds, written: r.written, places: map[any]*yaml.Node{}}
	c := &Config{File: name}
	plain := r.resolve(root, 0)
	c.Secrets = r.secretsOf(plain)
	d.value("the config", plain, reflect.ValueOf(c).Elem(), rules{})
	d.judge(c)
	if err := p.err(); err != nil {
		return nil, err
	}
	return c, nil
}
