package strictyaml

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// maxQuoted bounds how many characters of the config an error quotes.
const maxQuoted = 60

// Quoted quotes a text without the secrets in it.
func Quoted(text string) string {
	if LooksSecret(text) {
		return "a text that looks like a secret"
	}
	text = Masked(text)
	if runes := []rune(text); len(runes) > maxQuoted {
		text = string(runes[:maxQuoted]) + "…"
	}
	return strconv.Quote(text)
}

var (
	userinfo = regexp.MustCompile(`://[^/@\s"]*@`)
	urlPart  = regexp.MustCompile(`[^/?&=#:@\s"]+`)
)

// Masked hides the user names and passwords in a text's URLs, and the parts of their paths and queries that
// look like secrets.
func Masked(text string) string {
	before, rest, found := strings.Cut(userinfo.ReplaceAllString(text, "://***@"), "://")
	if !found {
		return text
	}
	return before + "://" + urlPart.ReplaceAllStringFunc(rest, func(part string) string {
		if LooksSecret(part) {
			return "***"
		}
		return part
	})
}

// LooksSecret reports whether text has the shape of a token: the prefix of a known kind, or
// long, without separators, and a mix of letters and digits as no word has it.
func LooksSecret(text string) bool {
	for _, prefix := range []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "gldt-",
		"AKIA", "ASIA", "sk-", "xoxb-", "xoxp-", "dop_v1_", "npm_", "hf_", "eyJ"} {
		if strings.HasPrefix(text, prefix) && len(text) >= 16 {
			return true
		}
	}
	if len(text) < 24 {
		return false
	}
	var lower, upper, digits int
	for _, c := range text {
		switch {
		case unicode.IsLower(c):
			lower++
		case unicode.IsUpper(c):
			upper++
		case unicode.IsDigit(c):
			digits++
		default:
			return false
		}
	}
	return digits > 3 && lower > 0 && (upper > 0 || digits > 7)
}

// IsEnvName reports whether text can name an environment variable (POSIX, chapter 8.1).
func IsEnvName(text string) bool {
	for i, c := range text {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return text != ""
}
