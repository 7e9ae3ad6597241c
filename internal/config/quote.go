package config

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// maxQuoted bounds how many characters of the config an error quotes.
const maxQuoted = 60

// describe names what stands at n: its text as the file has it, or the kind of thing it is.
func (d *decoder) describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if written, ok := d.written[n]; ok {
		return quoted(written)
	}
	return quoted(n.Value)
}

// quoted quotes a text without the secrets in it.
func quoted(text string) string {
	if looksSecret(text) {
		return "a text that looks like a secret"
	}
	text = masked(text)
	if runes := []rune(text); len(runes) > maxQuoted {
		text = string(runes[:maxQuoted]) + "…"
	}
	return strconv.Quote(text)
}

// masked hides the user names and passwords in a text's URLs.
func masked(text string) string {
	return regexp.MustCompile(`://[^/@\s"]*@`).ReplaceAllString(text, "://***@")
}

// looksSecret reports whether text has the shape of a token: the prefix of a known kind, or
// long, without separators, and a mix of letters and digits as no word has it.
func looksSecret(text string) bool {
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
