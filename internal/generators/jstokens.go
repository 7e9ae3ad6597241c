package generators

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// token is one of a JavaScript or TypeScript source.
type token struct {
	kind       byte   // 'a' a name or number, 's' a string, 'x' a template with expressions, 'r' a regular expression, else the punctuation itself
	text       string // of a string its value
	start, end int    // in the source
}

// tokens takes a source apart. It is tolerant: what it does not know is punctuation.
func tokens(source string) []token {
	var all []token
	for i := 0; i < len(source); {
		c := source[i]
		switch {
		case c <= ' ':
			i++
		case strings.HasPrefix(source[i:], "//"):
			i = until(source, i, "\n")
		case strings.HasPrefix(source[i:], "/*"):
			i = until(source, i+2, "*/")
		default:
			t := next(source, i, all)
			all = append(all, t)
			i = t.end
		}
	}
	return all
}

// until returns the position behind the next end, that of the source's end where there is none.
func until(source string, from int, end string) int {
	if n := strings.Index(source[from:], end); n >= 0 {
		return from + n + len(end)
	}
	return len(source)
}

func next(source string, i int, before []token) token {
	c := source[i]
	switch {
	case c == '\'' || c == '"':
		return quoted(source, i)
	case c == '`':
		return template(source, i)
	case c == '/' && regexpMayBegin(before):
		return pattern(source, i)
	case nameByte(c):
		end := i
		for end < len(source) && nameByte(source[end]) {
			end++
		}
		return token{'a', source[i:end], i, end}
	}
	for _, operator := range []string{"=>", "===", "==", "!=", "<=", ">=", "..."} {
		if strings.HasPrefix(source[i:], operator) {
			return token{'o', operator, i, i + len(operator)}
		}
	}
	return token{c, string(c), i, i + 1}
}

func nameByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}

// quoted reads a string in quotes; it ends at the end of the line at the latest.
func quoted(source string, i int) token {
	end := i + 1
	for end < len(source) && source[end] != source[i] && source[end] != '\n' {
		if source[end] == '\\' {
			end++
		}
		end++
	}
	end = min(end, len(source))
	return token{'s', unescape(source[i+1 : end]), i, min(end+1, len(source))}
}

// template reads a template string. With an expression in it, it is of kind x.
func template(source string, i int) token {
	kind, end := byte('s'), i+1
	for depth := 0; end < len(source) && (source[end] != '`' || depth > 0); end++ {
		switch {
		case source[end] == '\\':
			end++
		case strings.HasPrefix(source[end:], "${"):
			kind = 'x'
			depth++
		case source[end] == '}' && depth > 0:
			depth--
		}
	}
	end = min(end, len(source))
	return token{kind, unescape(source[i+1 : end]), i, min(end+1, len(source))}
}

// regexpMayBegin reports whether a slash is not a division.
func regexpMayBegin(before []token) bool {
	if len(before) == 0 {
		return true
	}
	last := before[len(before)-1]
	return strings.IndexByte("(,=:[!&|?{};o", last.kind) >= 0 || last.text == "return"
}

func pattern(source string, i int) token {
	end, class := i+1, false
	for ; end < len(source) && source[end] != '\n' && (source[end] != '/' || class); end++ {
		switch source[end] {
		case '\\':
			end++
		case '[':
			class = true
		case ']':
			class = false
		}
	}
	end = min(end+1, len(source))
	return token{'r', source[i:end], i, end}
}

// unescape replaces the escapes of a JavaScript string.
func unescape(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			out.WriteByte(text[i])
			continue
		}
		i++
		switch c := text[i]; c {
		case 'n':
			out.WriteByte('\n')
		case 't':
			out.WriteByte('\t')
		case 'u', 'x':
			size := map[byte]int{'u': 4, 'x': 2}[c]
			code, err := strconv.ParseUint(text[min(i+1, len(text)):min(i+1+size, len(text))], 16, 32)
			if err == nil {
				out.WriteRune(rune(code))
				i += size
			}
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}
