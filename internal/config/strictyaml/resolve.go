package strictyaml

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxNodes bounds the values in a config with its aliases expanded.
const maxNodes = 100_000

// MaxDepth bounds the nesting of a config, aliases included.
const MaxDepth = 64

// resolver makes a plain tree of a parsed one: aliases and merge keys are expanded, each
// ${NAME} in a value is taken from the environment, and keys are checked to be unique.
type resolver struct {
	*problems
	env     Environment
	written map[*yaml.Node]string // what a value said in the file before ${NAME} was replaced
	open    map[*yaml.Node]bool   // the nodes being resolved
	nodes   int
	full    bool
}

// resolve returns a copy of n in plain form.
func (r *resolver) resolve(n *yaml.Node, depth int) *yaml.Node {
	if r.nodes++; r.nodes > maxNodes || depth > MaxDepth {
		r.refuseMore(n)
		return refusedAt(n)
	}
	if n.Style&yaml.TaggedStyle != 0 && n.Tag != "!!str" {
		r.Errorf(n, "tag %q is not supported", n.Tag)
		return refusedAt(n)
	}
	r.open[n] = true
	defer delete(r.open, n)
	switch n.Kind {
	case yaml.AliasNode:
		if r.open[n.Alias] {
			r.Errorf(n, "alias %q stands inside what it stands for", "*"+n.Value)
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
		r.Errorf(n, "too deep or too many values (limits: %d levels, %d values, aliases expanded)", MaxDepth, maxNodes)
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
			r.Errorf(key, "a key must be plain text")
		case key.Tag == "!!merge":
			merges = append(merges, value)
		case first[key.Value] != nil:
			r.Errorf(key, "key %q is given twice; the first is on line %d", key.Value, first[key.Value].Line)
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
			r.Errorf(from, "<< takes a mapping or a list of mappings")
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
			r.Errorf(n, "%q has no closing brace (hint: write $${ for a plain ${)", "${"+name)
			return "", false
		}
		value := r.variable(n, name)
		ok = ok && value != ""
		out.WriteString(value)
		rest = after
	}
}

// variable returns what the environment holds under a name, "" with a note where it holds nothing.
func (r *resolver) variable(n *yaml.Node, name string) string {
	if !IsEnvName(name) {
		r.Errorf(n, "%q holds no environment variable's name (hint: write $${ for a plain ${)", "${"+name+"}")
		return ""
	}
	if why := r.env.refused(name); why != "" {
		r.Errorf(n, "environment variable %s %s", name, why)
		return ""
	}
	value := r.env.Get(name)
	if value == "" {
		r.Errorf(n, "environment variable %s is not set or is empty", name)
	}
	return value
}
