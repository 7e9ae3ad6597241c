// Package strictyaml reads a config file in YAML strictly: every mistake in it is noted in one
// run, each with its place, the offending text and the way out.
//
// A value's ${NAME} is taken from the environment; $${ stands for a plain ${. The keys of a
// mapping are decoded into a struct by these tags:
//
//	yaml:"key"                   the key; ",inline" takes an embedded struct's keys in
//	jsonschema:"required"        the key must be there
//	jsonschema:"enum=a,enum=b"   the value, or each item of a list, is one of these
//	jsonschema:"unsupported=c"   a value that is refused as not supported yet
//	jsonschema:"default=a"       the value where the key is not there and the field is zero
//	jsonschema:"minimum=1"       and maximum, of a number; minItems, of a list
//	jsonschema:"format=name"     a string that passes the check of that name (see Types)
//
// A field may be a string, bool, number, time.Duration, *regexp.Regexp, one of Types,
// encoding.TextUnmarshaler, yaml.Unmarshaler, struct, pointer, slice, or map with string keys. A
// key whose name ends in _env takes an environment variable's name.
package strictyaml

import "go.yaml.in/yaml/v4"

// MaxSize bounds a config's size in bytes.
const MaxSize = 1 << 20

// Document is the text of a config as a plain tree: aliases and merge keys are expanded, and
// each ${NAME} is replaced.
type Document struct {
	*problems
	Root    *yaml.Node
	written map[*yaml.Node]string // what a value said in the file before ${NAME} was replaced
	env     Environment
}

// Environment is what a document may take from the environment.
type Environment struct {
	Get func(name string) string
	// Refused says why a document may not name a variable, "" where it may; nil where it may name any.
	Refused func(name string) string
}

// refused says why a document may not name a variable, "" where it may.
func (e Environment) refused(name string) string {
	if e.Refused == nil {
		return ""
	}
	return e.Refused(name)
}

// Read reads a document from text. name is its path for errors, which hold one or more joined
// *Error. What is wrong with single values is among the errors of the document's decoder.
func Read(name string, text []byte, env Environment) (*Document, error) {
	p := newProblems(name, text)
	if len(text) > MaxSize {
		p.errorAt(1, 1, "larger than %d MiB", MaxSize>>20)
		return nil, p.Err()
	}
	root := parse(p)
	if root == nil {
		return nil, p.Err()
	}
	r := &resolver{problems: p, env: env, written: map[*yaml.Node]string{}, open: map[*yaml.Node]bool{}}
	return &Document{problems: p, Root: r.resolve(root, 0), written: r.written, env: env}, nil
}

// Written returns what the value at n said in the file before ${NAME} was replaced, "" where
// nothing was.
func (doc *Document) Written(n *yaml.Node) string { return doc.written[n] }
