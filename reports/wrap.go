package reports

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

// leastWidth is the narrowest terminal that text is made for.
const leastWidth = 40

// width is that of the terminal, where it is bounded.
func (s Style) width() int { return max(s.Width, leastWidth) }

// wrap parts text into lines of at most so many cells: between words, and within those that
// are longer than a line. Each line of a painted text is painted, and none begins with what CI
// runners take for a command.
func wrap(text string, width int) []string {
	if twwidth.Width(text) <= width {
		return []string{text}
	}
	color, text := paintOf(text)
	var lines []string
	line, used := "", 0
	for i, word := range strings.Split(strings.ReplaceAll(text, " ::", ` \x3a:`), " ") {
		long := twwidth.Width(word)
		if i > 0 && used+1+long <= width {
			line, used = line+" "+word, used+1+long
			continue
		}
		if i > 0 {
			lines = append(lines, line)
		}
		for ; long > width; long = twwidth.Width(word) {
			head := broken(word, width)
			lines, word = append(lines, head), word[len(head):]
		}
		line, used = word, long
	}
	return painted(append(lines, line), color)
}

// broken returns the part of a long word that stays on a line.
func broken(word string, width int) string {
	head := headOf(word, width)
	if _, size := utf8.DecodeLastRuneInString(head); strings.HasPrefix(word[len(head):], "::") && size < len(head) {
		return head[:len(head)-size]
	}
	return head
}

func painted(lines []string, color string) []string {
	if color == "" {
		return lines
	}
	for i := range lines {
		lines[i] = color + lines[i] + plain
	}
	return lines
}

// paintOf parts a painted text into its colour and itself.
func paintOf(text string) (color, inner string) {
	if !strings.HasPrefix(text, "\x1b[") || !strings.HasSuffix(text, plain) {
		return "", text
	}
	end := strings.IndexByte(text, 'm') + 1
	return text[:end], strings.TrimSuffix(text[end:], plain)
}

// headOf returns as much of a word as so many cells hold, and one character at least.
func headOf(word string, width int) string {
	used := 0
	for i, r := range word {
		if used += twwidth.Width(string(r)); used > width && i > 0 {
			return word[:i]
		}
	}
	return word
}

func longestWord(text string) (longest int) {
	for word := range strings.SplitSeq(text, " ") {
		longest = max(longest, twwidth.Width(word))
	}
	return longest
}

// folding wraps lines that are longer than the terminal is wide.
type folding struct {
	out   io.Writer
	width int
	begun []byte // of a line that has not ended
}

// fold returns who writes lines that fit the terminal. What comes after the last line's end is
// not written.
func (s Style) fold(w io.Writer) io.Writer {
	if s.Width == 0 {
		return w
	}
	return &folding{out: w, width: s.width()}
}

// Write writes the lines that have ended.
func (f *folding) Write(text []byte) (int, error) {
	f.begun = append(f.begun, text...)
	end := bytes.LastIndexByte(f.begun, '\n') + 1
	var b strings.Builder
	for line := range strings.Lines(string(f.begun[:end])) {
		b.WriteString(f.folded(strings.TrimSuffix(line, "\n")) + "\n")
	}
	f.begun = append(f.begun[:0], f.begun[end:]...)
	if _, err := io.WriteString(f.out, b.String()); err != nil {
		return 0, err
	}
	return len(text), nil
}

// folded is a line as lines of which all but the first are indented.
func (f *folding) folded(line string) string {
	const indent = "  "
	if twwidth.Width(line) <= f.width {
		return line
	}
	color, inner := paintOf(line)
	lines := wrap(inner, f.width-len(indent))
	if color == "" {
		return strings.Join(lines, "\n"+indent)
	}
	return color + strings.Join(lines, plain+"\n"+indent+color) + plain
}
