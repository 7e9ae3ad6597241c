package reports

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// maxComment is below what GitHub takes of a comment (65,536 characters), and maxFence bounds one diff.
const (
	maxComment = 60_000
	maxFence   = 8 << 10
)

// Markdown writes the differences as GitHub-flavoured Markdown that fits into one comment. Whatever a
// site has is shown as text.
func (d Diff) Markdown(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "**%s**\n\n| | | files |\n| --- | --- | ---: |\n| a | %s | %d |\n| b | %s | %d |\n", inline(d.Totals()), code(d.A.Name), d.A.Files, code(d.B.Name), d.B.Files)
	d.markdownChanges(&b)
	d.markdownOrigins(&b)
	for i, note := range append(d.Notes[:len(d.Notes):len(d.Notes)], d.Warnings...) {
		if i == 0 {
			b.WriteString("\n")
		}
		if i < maxMarkdownLines {
			fmt.Fprintf(&b, "- %s\n", inline(note))
		}
	}
	d.markdownTexts(&b)
	_, err := w.Write(b.Bytes())
	return err
}

func (d Diff) markdownChanges(b *bytes.Buffer) {
	if len(d.Changes) == 0 {
		return
	}
	b.WriteString("\n| | path | size | served |\n| --- | --- | --- | --- |\n")
	hidden := 0
	for i, c := range d.Changes {
		if i >= maxMarkdownRows || b.Len() > maxComment/2 {
			hidden++
			continue
		}
		paths := code(c.Path)
		if c.OldPath != "" {
			paths = code(c.OldPath) + " → " + paths
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", c.Status, paths, c.Sizes(), inline(c.Served(d.Origins)))
	}
	if hidden > 0 {
		fmt.Fprintf(b, "\n… and %d more.\n", hidden)
	}
}

func (d Diff) markdownOrigins(b *bytes.Buffer) {
	if len(d.Origins) == 0 {
		return
	}
	b.WriteString("\n| origin | serves a | serves b | other | unread |\n| --- | ---: | ---: | ---: | ---: |\n")
	for _, o := range d.Origins[:min(len(d.Origins), maxMarkdownLines)] {
		fmt.Fprintf(b, "| %s | %d | %d | %d | %d |\n", code(o.Name), o.A, o.B, o.Other, o.Unread)
	}
}

// markdownTexts folds each diff. The text is in an HTML element, where GitHub looks for no mentions,
// references or fences.
func (d Diff) markdownTexts(b *bytes.Buffer) {
	left, full := d.Undiffed, false
	for _, c := range d.Changes {
		switch {
		case c.Diff == "":
			continue
		case full:
			left++
			continue
		}
		text, cut := c.Diff, ""
		if len(text) > maxFence {
			text, cut = strings.ToValidUTF8(text[:maxFence], ""), "\n…"
		}
		text = preformatted(text) + cut
		if full = b.Len()+len(text)+len(c.Path)*8 > maxComment; full {
			left++
			continue
		}
		fmt.Fprintf(b, "\n<details><summary>%s</summary>\n\n<pre>%s</pre>\n</details>\n", code(c.Path), text)
	}
	if left > 0 {
		fmt.Fprintf(b, "\n… and %d more files without a diff.\n", left)
	}
}

// preformatted makes lines that mean nothing but themselves in a pre element of Markdown. An empty line
// would end the HTML block.
func preformatted(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		line = escaped(clean(clip(strings.ReplaceAll(line, "\t", "    "), maxDiffLine)))
		if strings.TrimSpace(line) == "" {
			line = "&nbsp;"
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}
