package strictyaml

import "go.yaml.in/yaml/v4"

// refused stands for a value that was refused with a note: it is there, and says nothing.
const refused yaml.Kind = 0

func refusedAt(n *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: refused, Line: n.Line, Column: n.Column}
}

// isNull reports whether a key has no value.
func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// lookup returns the value of a mapping's key, nil without it.
func lookup(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
