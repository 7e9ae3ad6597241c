package diff

import (
	"bytes"
	"strings"
	"unicode/utf8"

	unified "github.com/rogpeppe/go-internal/diff"
)

// An excerpt's bounds: texts above maxCompared bytes are not compared line by line, and of
// what differs at most excerptLines lines of at most excerptWidth bytes are shown.
const (
	maxCompared  = 1 << 20
	excerptLines = 20
	excerptWidth = 160
)

// Excerpt shows how the bytes that an origin serves differ from ours, as a few lines of a
// unified diff. It is "" for what is no text.
func Excerpt(ours, live []byte) string {
	if len(ours) > maxCompared || len(live) > maxCompared || !isText(ours) || !isText(live) {
		return ""
	}
	text := unified.Diff("release", inLines(ours), "live", inLines(live))
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) < 4 {
		return ""
	}
	lines = lines[3:] // "diff a b" and the names, which everybody knows
	if len(lines) > excerptLines {
		lines = append(lines[:excerptLines], "…")
	}
	for i, line := range lines {
		if len(line) > excerptWidth {
			lines[i] = strings.ToValidUTF8(line[:excerptWidth], "") + "…"
		}
	}
	return strings.Join(lines, "\n")
}

func isText(b []byte) bool { return utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 }

// longLine is the length above which a line is taken to be minified.
const longLine = 400

// inLines breaks minified markup between its tags, so that a diff shows the place and not
// the page.
func inLines(text []byte) []byte {
	for line := range bytes.Lines(text) {
		if len(line) > longLine {
			return bytes.ReplaceAll(text, []byte("><"), []byte(">\n<"))
		}
	}
	return text
}
