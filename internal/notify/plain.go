package notify

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what is kept of an event, in items and in characters.
const (
	maxItems = 10
	maxField = 300
)

// cut returns the beginning of a text, up to so many characters, and says that more was there.
func cut(text string, characters int) string {
	if utf8.RuneCountInString(text) <= characters {
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	return string([]rune(text)[:max(0, characters-1)]) + "…"
}

// plain makes a text harmless for every service at once: characters that one of them takes
// for markup, a mention or a link are replaced by others that look like them, and what
// does not print by U+FFFD. Paths stay readable, and nothing is told to anybody else.
func plain(text string) string {
	var out strings.Builder
	runes := []rune(text)
	for i, c := range runes {
		switch {
		case c == '\n' || c == '\t':
			out.WriteByte(' ')
		case !unicode.IsPrint(c):
			out.WriteRune(unicode.ReplacementChar)
		case c == '_' && !inWord(runes, i), strings.ContainsRune("<>&@*`[]|~\\", c):
			out.WriteRune(c - '!' + '！') // the full-width form
		case c == '#' && i == 0:
			out.WriteRune('＃')
		case c == ':' && strings.HasPrefix(string(runes[i:min(len(runes), i+3)]), "://"):
			out.WriteRune('：')
		default:
			out.WriteRune(c)
		}
	}
	return strings.TrimSpace(out.String())
}

// inWord reports whether a character has letters or digits on both sides: an underscore
// there is not taken for markup.
func inWord(runes []rune, i int) bool {
	letter := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]))
	}
	return letter(i-1) && letter(i+1)
}
