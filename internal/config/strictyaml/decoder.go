package strictyaml

import (
	"reflect"
	"slices"

	"go.yaml.in/yaml/v4"
)

// Decoder fills Go values in from a document and notes whatever does not fit.
type Decoder struct {
	*problems
	written map[*yaml.Node]string
	types   Types
	env     Environment
	places  map[any]*yaml.Node // where the value under a pointer was read from
}

// Types says how what this package does not know by itself is read.
type Types struct {
	// Formats checks strings, by the format that their field's tag names.
	Formats map[string]DecodeFunc
	// Texts holds the types that are read from text, beside durations and regular expressions.
	Texts map[reflect.Type]TextType
	// Decoders holds the types that have a decoder of their own.
	Decoders map[reflect.Type]DecodeFunc
}

// DecodeFunc reads n, the value of key, into v, or checks what v was read from it. It notes what is
// wrong with d.Errorf.
type DecodeFunc func(d *Decoder, key string, n *yaml.Node, v reflect.Value)

// TextType is a type that is read from text.
type TextType struct {
	Noun          string // completes: "x" is no …
	Hint          string // shown in place of the error of FromText
	QuotesNothing bool   // the errors of FromText hold no part of the text, so that they never show a secret
	FromText      func(text string) (any, error)
}

// NewDecoder returns a decoder of the document's values.
func NewDecoder(doc *Document, types Types) *Decoder {
	return &Decoder{problems: doc.problems, written: doc.written, types: types, env: doc.env, places: map[any]*yaml.Node{}}
}

// Again returns a decoder of the same document that has read and noted nothing.
func (d *Decoder) Again() *Decoder {
	again := *d
	again.problems, again.places = newProblems(d.file, d.text), map[any]*yaml.Node{}
	return &again
}

// Place returns where the value under a pointer was read from, nil where it is not in the file.
func (d *Decoder) Place(pointer any) *yaml.Node { return d.places[pointer] }

// Describe names what stands at n: its text as the file has it, or the kind of thing it is.
func (d *Decoder) Describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if written, ok := d.written[n]; ok {
		return Quoted(written)
	}
	return Quoted(n.Value)
}

// reason tells why a value was refused, and nothing that came from the environment.
func (d *Decoder) reason(n *yaml.Node, err error) string {
	if d.FromEnv(n) {
		return d.Describe(n) + " stands for a value that does not fit here"
	}
	return Masked(err.Error())
}

// FromEnv reports whether n or a part of it came from the environment.
func (d *Decoder) FromEnv(n *yaml.Node) bool {
	_, ok := d.written[n]
	return ok || slices.ContainsFunc(n.Content, d.FromEnv)
}
