package secrets

import "strings"

// Shortest is the length in bytes from which a secret is replaced.
const Shortest = 6

// commonWords are values that stand where secrets stand and are none: scrubbing them would
// damage sound output.
func commonWords() []string {
	return []string{
		"access", "account", "admin", "anonymous", "api-key", "backup", "basic", "bearer", "branch", "bucket", "changeme", "cluster",
		"default", "deploy", "deployment", "develop", "developer", "development", "docker", "example", "example.com", "github", "gitlab",
		"localhost", "master", "minioadmin", "mirror", "nobody", "oauth2", "password", "preview", "private", "production", "project",
		"public", "registry", "release", "secret", "server", "service", "services", "staging", "system", "target", "testing", "token",
		"webhook", "webhooks", "website", "x-access-token", "x-oauth-basic", "x-token-auth",
	}
}

// fewest is how many different bytes a secret has at least: "------" is none.
const fewest = 4

// longNumber is the length in digits from which a number can be a secret: shorter ones are
// counts, ports, sizes and dates in every report.
const longNumber = 12

// isWeak reports whether a value is too short or too common to be replaced wherever it stands.
func isWeak(value string) bool {
	if len(value) < Shortest || allDigits(value) && len(value) < longNumber {
		return true
	}
	different := map[rune]bool{}
	for _, c := range value {
		different[c] = true
	}
	if len(different) < fewest {
		return true
	}
	for _, word := range commonWords() {
		if strings.EqualFold(word, value) {
			return true
		}
	}
	return false
}

func allDigits(text string) bool {
	return strings.Trim(text, "0123456789") == ""
}

func allHex(text string) bool {
	return strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

// longestWord is how many letters of one case a random text has at most in a row.
const longestWord = 8

// longToken is the length in bytes from which a token may have the punctuation of paths and
// names of hosts: keys in base64, JSON web tokens.
const longToken = 20

// looksRandom reports whether a text is a token rather than words: letters and digits, and no
// long word.
func looksRandom(text string) bool {
	digits, small, large, run, longest := 0, 0, 0, 0, 0
	for _, c := range text {
		run++
		switch {
		case '0' <= c && c <= '9':
			digits++
			run = 0
		case 'a' <= c && c <= 'z':
			small++
		case 'A' <= c && c <= 'Z':
			large++
			run = 0
		default:
			run = 0
		}
		longest = max(longest, run)
	}
	if digits == 0 || small+large == 0 || longest > longestWord || strings.ContainsAny(text, " :") {
		return false
	}
	return !strings.ContainsAny(text, "./") || len(text) >= longToken && small > 0 && large > 0 && text[0] != '/'
}
