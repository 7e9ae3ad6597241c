package reports

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// clean makes text from an origin or a file name safe to print: control characters, which
// could move the cursor or forge a line, and what reorders text are shown as escapes. So is
// what CI runners take for a command: "##" anywhere (as in ##[error], ##vso[, ##teamcity[) and
// "::" at the beginning (as in ::error::).
func clean(text string) string {
	if strings.ContainsFunc(text, Hidden) {
		var b strings.Builder
		for _, r := range text {
			if Hidden(r) {
				b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
			} else {
				b.WriteRune(r)
			}
		}
		text = b.String()
	}
	if strings.HasPrefix(strings.TrimSpace(text), "::") {
		text = strings.Replace(text, ":", `\x3a`, 1)
	}
	return strings.ReplaceAll(text, "##", `#\x23`)
}

// Clean makes lines of text safe to print as clean does: an error may quote an origin.
func Clean(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = clean(line)
	}
	return strings.Join(lines, "\n")
}

// Hidden reports whether a character is not seen, moves the cursor or reorders text: it is shown
// as an escape.
func Hidden(r rune) bool {
	return r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
}

// clip bounds text to n runes, and says where it was cut.
func clip(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}

// inert passes whole JSON documents on, with escapes for what is not to be acted on. None of
// it has a meaning in JSON outside of strings.
type inert struct{ w io.Writer }

// Write writes one document: an Encoder calls it once for each.
func (i *inert) Write(text []byte) (int, error) {
	safe := bytes.ReplaceAll(text, []byte("##"), []byte(`#\u0023`))
	if bytes.ContainsFunc(safe, isUnsafeInJSON) {
		safe = escapeJSON(safe)
	}
	if _, err := i.w.Write(safe); err != nil {
		return 0, err
	}
	return len(text), nil
}

func isUnsafeInJSON(r rune) bool {
	return r >= 0x7f && r != unicode.ReplacementChar && Hidden(r)
}

func escapeJSON(text []byte) []byte {
	var b bytes.Buffer
	for _, r := range string(text) {
		switch {
		case !isUnsafeInJSON(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.Bytes()
}
