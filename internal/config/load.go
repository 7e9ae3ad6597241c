// Package config reads mirror.yaml strictly: every mistake in it is told in one run, each
// with its place, the offending text and the way out, before anything is attempted.
//
// A value's ${NAME} is taken from the environment; $${ stands for a plain ${. The keys of a
// target's own kind are decoded into that kind's config struct by its yaml and jsonschema tags
// (see strictyaml). Beside the types named there a field may be a Limit or a *url.URL, which is
// the base of a live site, and a string may have the format path, glob, keep, page, beacon, name,
// address, host, header, cron, service or quiet.
package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"

	"mirror/internal/config/strictyaml"
	"mirror/targets"
)

// FileName is the default name of a config.
const FileName = "mirror.yaml"

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
			return "", fmt.Errorf("find %s in %s or a folder above it: %w (hint: %s)", FileName, start, fs.ErrNotExist, findHint(start))
		}
	}
}

// findHint says what to do where there is no mirror.yaml: files of similar names are often meant.
func findHint(dir string) string {
	if similar := Similar(dir); similar != "" {
		return fmt.Sprintf("there is %s: rename it to %s, or give it with --config", similar, FileName)
	}
	return "mirror init writes one"
}

// similarName is what people call a config by mistake: mirror.yml, .mirror.yaml, Mirror.yaml, mirror.yaml.txt, mirror.json.
var similarName = regexp.MustCompile(`(?i)^\.?mirrors?\.(ya?ml(\.(txt|example|sample|dist))?|json|toml)$`)

// Similar returns the path of a file in dir, or in the nearest folder above it that has one, whose name is
// almost that of a config; "" where there is none.
func Similar(dir string) string {
	for {
		entries, _ := os.ReadDir(dir) // a folder that cannot be read gives no hint
		for _, e := range entries {
			if e.Name() != FileName && similarName.MatchString(e.Name()) && !e.IsDir() {
				return filepath.Join(dir, e.Name())
			}
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
		dir = filepath.Dir(dir)
	}
}

// Source says how a config is read.
type Source struct {
	Getenv func(string) string
	Kinds  targets.Kinds // that targets may be of
	// Untrusted are the limits of a config that is not trusted, such as that of a pull request; nil for none.
	Untrusted *Untrusted
}

// Load reads the config at path, in which targets may be of the given kinds. An error in its text is one or more joined
// *strictyaml.Error.
func Load(path string, getenv func(string) string, kinds targets.Kinds) (*Config, error) {
	return Source{Getenv: getenv, Kinds: kinds}.Load(path)
}

// Load is the function Load for this source.
func (s Source) Load(path string) (*Config, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, strictyaml.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	return s.Parse(path, text)
}

// Parse reads a config from text. name is its path for errors and the base of relative paths.
func Parse(name string, text []byte, getenv func(string) string, kinds targets.Kinds) (*Config, error) {
	return Source{Getenv: getenv, Kinds: kinds}.Parse(name, text)
}

// Parse is the function Parse for this source.
func (s Source) Parse(name string, text []byte) (*Config, error) {
	doc, err := strictyaml.Read(name, text, strictyaml.Environment{Get: s.Getenv, Refused: s.Untrusted.refusedVariable()})
	if err != nil {
		return nil, err
	}
	c := &Config{File: name, Secrets: secretsOf(doc, s.Getenv)}
	d := strictyaml.NewDecoder(doc, typesOf(name, s.Getenv, s.Kinds))
	d.Decode("the config", doc.Root, reflect.ValueOf(c).Elem())
	validate(d, c)
	validatePlaces(d, c, s.Kinds)
	s.Untrusted.validate(d, c, s.Kinds)
	if err := d.Err(); err != nil {
		return nil, err
	}
	return c, nil
}
