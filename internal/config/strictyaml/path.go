package strictyaml

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// At returns the value under a key path of a mapping, such as headers[1].match, and true. Where there
// is none it returns the innermost value that contains it, and false.
func (d *Decoder) At(n *yaml.Node, path string) (*yaml.Node, bool) {
	for step := range strings.SplitSeq(strings.ReplaceAll(path, "[", ".["), ".") {
		next := child(n, step)
		if next == nil {
			return n, false
		}
		n = next
	}
	return n, true
}

// child returns the value of a mapping's key or, for a step such as [1], an item of a list; nil without it.
func child(n *yaml.Node, step string) *yaml.Node {
	digits, isItem := strings.CutPrefix(step, "[")
	if !isItem {
		return lookup(n, step)
	}
	i, err := strconv.Atoi(strings.TrimSuffix(digits, "]"))
	if err != nil || i < 0 || i >= len(n.Content) || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content[i]
}

// Wrong notes what is wrong with the value under a key path of a mapping. why completes the sentence
// that begins with the value, as describe shows it. A value with an error already gets no second one.
func (d *Decoder) Wrong(n *yaml.Node, path, why string, describe func(*yaml.Node) string) {
	at, found := d.At(n, path)
	switch {
	case d.at[at] && found, at.Kind == refused:
	case found:
		d.Errorf(at, "%s: %s %s", path, describe(at), why)
	default:
		d.Errorf(at, "%s: %s", path, why)
	}
}
