package config

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

const (
	maxNodes = 100_000 // values in a config with its aliases expanded
	maxDepth = 64      // of nesting, aliases included
)

// parse reads the text's only document. It returns nil when it found an error that leaves
// nothing to go on with.
func parse(p *problems) *yaml.Node {
	if !readable(p) {
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(p.text), yaml.WithV4Defaults())
	if err != nil {
		p.at(1, 1, "%v", err)
		return nil
	}
	doc := &yaml.Node{}
	if err := loader.Load(doc); errors.Is(err, io.EOF) {
		p.at(1, 1, "the file is empty (hint: mirror init writes one)")
		return nil
	} else if err != nil {
		syntaxError(p, err)
		return nil
	}
	onlyOne(p, loader)
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		p.on(doc, "no config in this file")
		return nil
	}
	return doc.Content[0]
}

// onlyOne refuses a second document.
func onlyOne(p *problems, loader *yaml.Loader) {
	second := &yaml.Node{}
	switch err := loader.Load(second); {
	case err == nil:
		p.on(second, "a second document begins here; a config is one document")
	case !errors.Is(err, io.EOF):
		syntaxError(p, err)
	}
}

// readable refuses what the YAML reader refuses without saying where.
func readable(p *problems) bool {
	line, column := 1, 1
	for rest := p.text; len(rest) > 0; column++ {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			p.at(line, column, "byte %#02x is not UTF-8 text", rest[0])
			return false
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f:
			p.at(line, column, "control character %U is not allowed", r)
			return false
		case r == '\r' && !bytes.HasPrefix(rest, []byte("\r\n")), r == 0x85, r == 0x2028, r == 0x2029:
			p.at(line, column, "%U breaks a line for YAML and not for an editor; it is not allowed", r)
			return false
		case r == '\n':
			line, column = line+1, 0
		}
		rest = rest[size:]
	}
	return true
}

// syntaxError notes the YAML reader's error.
func syntaxError(p *problems, err error) {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		p.at(1, 1, "%v", err)
		return
	}
	line, column, message := load.Mark.Line, max(load.Mark.Column, 1), load.Message
	if load.ContextMark.Line > 0 && strings.Contains(message, "end of stream") {
		line, column = load.ContextMark.Line, load.ContextMark.Column // what was opened, not where the file ends
	}
	if load.ContextMsg != "" {
		message = load.ContextMsg + ": " + message
	}
	switch source := p.source(line); {
	case strings.HasPrefix(source[min(column-1, len(source)):], "\t"):
		message = "a tab stands here; YAML indents with spaces"
	case strings.Contains(source, "${"):
		message += " (hint: inside { } or [ ], put quotes around ${NAME})"
	}
	p.at(line, column, "%s", message)
}

// resolver makes a plain tree of a parsed one: aliases and merge keys are expanded, each
// ${NAME} in a value is taken from the environment, and keys are checked to be unique.
type resolver struct {
	*problems
	getenv  func(string) string
	written map[*yaml.Node]string // what a value said in the file before ${NAME} was replaced
	open    map[*yaml.Node]bool   // the nodes being resolved
	nodes   int
	full    bool
}

// refused stands for a value that was refused with a note: it is there, and says nothing.
const refused yaml.Kind = 0

func refusedAt(n *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: refused, Line: n.Line, Column: n.Column}
}

// resolve returns a copy of n in plain form.
func (r *resolver) resolve(n *yaml.Node, depth int) *yaml.Node {
	if r.nodes++; r.nodes > maxNodes || depth > maxDepth {
		r.refuseMore(n)
		return refusedAt(n)
	}
	if n.Style&yaml.TaggedStyle != 0 && n.Tag != "!!str" {
		r.on(n, "tag %q is not supported", n.Tag)
		return refusedAt(n)
	}
	r.open[n] = true
	defer delete(r.open, n)
	switch n.Kind {
	case yaml.AliasNode:
		if r.open[n.Alias] {
			r.on(n, "alias %q stands inside what it stands for", "*"+n.Value)
			return refusedAt(n)
		}
		return r.resolve(n.Alias, depth+1)
	case yaml.MappingNode:
		return r.mapping(n, depth)
	case yaml.SequenceNode:
		return r.sequence(n, depth)
	}
	return r.scalar(n)
}

// refuseMore notes once that the file is out of bounds.
func (r *resolver) refuseMore(n *yaml.Node) {
	if !r.full {
		r.on(n, "too deep or too many values (limits: %d levels, %d values, aliases expanded)", maxDepth, maxNodes)
	}
	r.full = true
}

func (r *resolver) sequence(n *yaml.Node, depth int) *yaml.Node {
	list := *n
	list.Content = nil
	for _, item := range n.Content {
		list.Content = append(list.Content, r.resolve(item, depth+1))
	}
	return &list
}

func (r *resolver) mapping(n *yaml.Node, depth int) *yaml.Node {
	plain := *n
	plain.Content = nil
	first := map[string]*yaml.Node{}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode:
			r.on(key, "a key must be plain text")
		case key.Tag == "!!merge":
			merges = append(merges, value)
		case first[key.Value] != nil:
			r.on(key, "key %q is given twice; the first is on line %d", key.Value, first[key.Value].Line)
		default:
			first[key.Value] = key
			plain.Content = append(plain.Content, key, r.resolve(value, depth+1))
		}
	}
	for _, m := range merges {
		r.merge(&plain, m, first, depth)
	}
	return &plain
}

// merge adds the pairs of a merge key's mapping, or list of mappings, that into lacks.
func (r *resolver) merge(into, from *yaml.Node, first map[string]*yaml.Node, depth int) {
	source := r.resolve(from, depth+1)
	sources := []*yaml.Node{source}
	if source.Kind == yaml.SequenceNode {
		sources = source.Content
	}
	for _, s := range sources {
		if s.Kind != yaml.MappingNode {
			r.on(from, "<< takes a mapping or a list of mappings")
			continue
		}
		for i := 0; i < len(s.Content); i += 2 {
			if key := s.Content[i]; first[key.Value] == nil {
				first[key.Value] = key
				into.Content = append(into.Content, key, s.Content[i+1])
			}
		}
	}
}

func (r *resolver) scalar(n *yaml.Node) *yaml.Node {
	plain := *n
	if !strings.Contains(n.Value, "${") {
		return &plain
	}
	value, ok := r.interpolate(n)
	if !ok {
		return refusedAt(n)
	}
	plain.Value, plain.Tag, plain.Style = value, "!!str", 0
	r.written[&plain] = n.Value
	return &plain
}

// interpolate replaces each ${NAME} of a value; $${ stands for a plain ${.
func (r *resolver) interpolate(n *yaml.Node) (value string, ok bool) {
	var out strings.Builder
	ok = true
	for rest := n.Value; ; {
		before, after, found := strings.Cut(rest, "${")
		if literal, escaped := strings.CutSuffix(before, "$"); found && escaped {
			out.WriteString(literal + "${")
			rest = after
			continue
		}
		out.WriteString(before)
		if !found {
			return out.String(), ok
		}
		name, after, closed := strings.Cut(after, "}")
		if !closed {
			r.on(n, "%q has no closing brace (hint: write $${ for a plain ${)", "${"+name)
			return "", false
		}
		value := r.lookup(n, name)
		ok = ok && value != ""
		out.WriteString(value)
		rest = after
	}
}

// lookup returns what the environment holds under a name, "" with a note where it holds nothing.
func (r *resolver) lookup(n *yaml.Node, name string) string {
	if !isEnvName(name) {
		r.on(n, "%q holds no environment variable's name (hint: write $${ for a plain ${)", "${"+name+"}")
		return ""
	}
	value := r.getenv(name)
	if value == "" {
		r.on(n, "environment variable %s is not set or is empty", name)
	}
	return value
}

// isEnvName reports whether text can name an environment variable (POSIX, chapter 8.1).
func isEnvName(text string) bool {
	for i, c := range text {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return text != ""
}
