package generators

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// yamlSettings lists the scalars of a YAML file by their paths. A value with a tag, such as !ENV, is no literal.
func yamlSettings(source string) settings {
	var doc yaml.Node
	loader, err := yaml.NewLoader(strings.NewReader(source), yaml.WithV4Defaults())
	if err != nil || loader.Load(&doc) != nil {
		return nil
	}
	var all settings
	count := 0
	var walk func(n *yaml.Node, path string)
	walk = func(n *yaml.Node, path string) {
		if count++; count > 10_000 { // aliases may multiply
			return
		}
		switch n.Kind {
		case yaml.DocumentNode:
			for _, c := range n.Content {
				walk(c, path)
			}
		case yaml.AliasNode:
			walk(n.Alias, path)
		case yaml.SequenceNode:
			for _, c := range n.Content {
				walk(c, path)
			}
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				walk(n.Content[i+1], strings.TrimPrefix(path+"."+n.Content[i].Value, "."))
			}
		case yaml.ScalarNode:
			literal := !strings.HasPrefix(n.Tag, "!") || strings.HasPrefix(n.Tag, "!!") && n.Tag != "!!null"
			all = append(all, setting{path, n.Value, literal, n.Line})
		}
	}
	walk(&doc, "")
	return all
}

var (
	tomlTable = regexp.MustCompile(`^\s*\[+\s*([^\[\]]+?)\s*\]+\s*(#.*)?$`)
	tomlKey   = regexp.MustCompile(`^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=\s*(.*)$`)
	quotedOne = regexp.MustCompile(`^(?:"((?:[^"\\]|\\.)*)"|'([^']*)')\s*(?:[#;].*)?$`)
)

// tomlSettings lists the strings of a TOML file by their paths, tolerantly: what is not one line is passed by.
func tomlSettings(source string) settings {
	var all settings
	table := ""
	for i, line := range strings.Split(source, "\n") {
		line = strings.TrimRight(line, "\r")
		if m := tomlTable.FindStringSubmatch(line); m != nil {
			table = bareKeys(m[1]) + "."
			continue
		}
		if m := tomlKey.FindStringSubmatch(line); m != nil {
			text, literal := unquote(m[2])
			all = append(all, setting{table + bareKeys(m[1]), text, literal, i + 1})
		}
	}
	return all
}

// bareKeys takes the quotes and spaces out of a dotted key.
func bareKeys(dotted string) string {
	return strings.NewReplacer(`"`, "", "'", "", " ", "", "\t", "").Replace(dotted)
}

// unquote reads one quoted text and reports whether there is nothing else but a comment.
func unquote(text string) (string, bool) {
	m := quotedOne.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return shown(text), false
	}
	if m[2] != "" {
		return m[2], true
	}
	return unescape(m[1]), true
}

var (
	pythonKey  = regexp.MustCompile(`^(\s*)([A-Za-z_]\w*)\s*(?::\s*\w+\s*)?=([^=].*)$`)
	pythonText = regexp.MustCompile(`^\s*(?:[uU]?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|[rR]("[^"]*"|'[^']*'))\s*(?:#.*)?$`)
)

// pythonSettings lists the assignments of a Python file. The last one of a name holds; one inside a block
// may hold or not, and is no literal.
func pythonSettings(source string) settings {
	last := map[string]setting{}
	var names []string
	for i, line := range strings.Split(source, "\n") {
		m := pythonKey.FindStringSubmatch(strings.TrimRight(line, "\r"))
		if m == nil {
			continue
		}
		s := setting{path: m[2], text: shown(m[3]), line: i + 1}
		if text := pythonText.FindStringSubmatch(m[3]); text != nil && m[1] == "" {
			s.literal = true
			switch {
			case text[1] != "":
				s.text = unescape(text[1][1 : len(text[1])-1])
			default:
				s.text = text[2][1 : len(text[2])-1]
			}
		}
		if _, seen := last[m[2]]; !seen {
			names = append(names, m[2])
		}
		last[m[2]] = s
	}
	var all settings
	for _, name := range names {
		all = append(all, last[name])
	}
	return all
}

var makeVariable = regexp.MustCompile(`^\s*(?:export\s+)?([A-Za-z_]\w*)\s*[:?+]?=\s*(.*?)\s*(?:#.*)?$`)

// makeSettings lists the variables of a Makefile or of a .env file. One that refers to another is no literal.
func makeSettings(source string) settings {
	var all settings
	for i, line := range strings.Split(source, "\n") {
		if strings.HasPrefix(line, "\t") {
			continue
		}
		if m := makeVariable.FindStringSubmatch(strings.TrimRight(line, "\r")); m != nil {
			text := strings.Trim(m[2], `"'`)
			all = append(all, setting{m[1], text, !strings.ContainsAny(text, "$`"), i + 1})
		}
	}
	return all
}
