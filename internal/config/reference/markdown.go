package reference

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Section is a heading of the document, with keys below it.
type Section struct {
	Level   int
	Title   string
	Text    string
	Example string // YAML; "" for none
	Keys    []Key
}

// width is where the text of the document is wrapped.
const width = 110

// Markdown writes sections as a document.
func Markdown(sections []Section) []byte {
	var out strings.Builder
	for i, s := range sections {
		if i > 0 {
			out.WriteByte('\n')
		}
		fmt.Fprintf(&out, "%s %s\n", strings.Repeat("#", s.Level), s.Title)
		if s.Text != "" {
			out.WriteString("\n" + wrap(s.Text, "") + "\n")
		}
		if len(s.Keys) > 0 {
			out.WriteByte('\n')
		}
		writeKeys(&out, "", s.Keys)
		if s.Example != "" {
			out.WriteString("\n```yaml\n" + s.Example + "```\n")
		}
	}
	return []byte(out.String())
}

func writeKeys(out *strings.Builder, above string, keys []Key) {
	for _, k := range keys {
		path := above + k.Name
		fmt.Fprintf(out, "%s\n", wrap("- **`"+path+"`** ("+k.facts()+"). "+escaped.Replace(k.Doc), "  "))
		if k.Example != "" {
			fmt.Fprintf(out, "  Example: `%s: %s`\n", k.Name, k.Example)
		}
		if k.List {
			path += "[]"
		}
		writeKeys(out, path+".", k.Keys)
	}
}

// escaped keeps what doc comments say from being markup.
var escaped = strings.NewReplacer("*", `\*`, "<", `\<`, "[", `\[`)

// facts are what the tags say of a key: its type, and what it may be.
func (k Key) facts() string {
	facts := []string{k.Type}
	if len(k.Enum) > 0 {
		facts[0] = "`" + strings.Join(k.Enum, "`, `") + "`"
		if k.List {
			facts[0] = "list of " + facts[0]
		}
	}
	if k.Minimum != "" {
		facts = append(facts, "at least "+k.Minimum)
	}
	if k.Maximum != "" {
		facts = append(facts, "at most "+k.Maximum)
	}
	switch {
	case k.Required:
		facts = append(facts, "required")
	case k.Default != "":
		facts = append(facts, "default `"+k.Default+"`")
	}
	return strings.Join(facts, ", ")
}

// wrap breaks a text into lines of at most width characters, the second and later ones indented. Code is
// not broken.
func wrap(text, indent string) string {
	var lines []string
	line := ""
	for _, word := range words(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line+" "+word) > width:
			lines = append(lines, line)
			line = indent + word
		default:
			line += " " + word
		}
	}
	return strings.Join(append(lines, line), "\n")
}

// words splits a text at its spaces but for those in code.
func words(text string) []string {
	var all []string
	code := false
	for _, field := range strings.Fields(text) {
		if code {
			all[len(all)-1] += " " + field
		} else {
			all = append(all, field)
		}
		if strings.Count(field, "`")%2 == 1 {
			code = !code
		}
	}
	return all
}

// Example writes every key with its example as YAML, indented by a number of spaces. Keys named in without
// are left out.
func Example(keys []Key, indent int, without ...string) string {
	var out strings.Builder
	margin := strings.Repeat(" ", indent)
	for _, k := range keys {
		switch {
		case slices.Contains(without, k.Name):
		case k.Example != "" || len(k.Keys) == 0:
			fmt.Fprintf(&out, "%s%s: %s\n", margin, k.Name, k.Example)
		case k.List:
			item := Example(k.Keys, indent+4)
			fmt.Fprintf(&out, "%s%s:\n%s  - %s", margin, k.Name, margin, strings.TrimLeft(item, " "))
		default:
			fmt.Fprintf(&out, "%s%s:\n%s", margin, k.Name, Example(k.Keys, indent+2))
		}
	}
	return out.String()
}
