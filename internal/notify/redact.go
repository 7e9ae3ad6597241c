package notify

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// masked stands for what must not be seen.
const masked = "***"

// Redact returns a URL without what is secret in it: slack://***, https://hooks.example.com/***.
// A service's URL holds secrets anywhere, a webhook's anywhere but in its host.
func Redact(address string) string {
	scheme, _, found := strings.Cut(address, "://")
	if !found || !isScheme(scheme) {
		return masked
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || !isWebhook(u) {
		return strings.ToLower(scheme) + "://" + masked
	}
	return u.Scheme + "://" + u.Host + "/" + masked
}

func isWebhook(u *url.URL) bool { return u.Scheme == "https" || u.Scheme == "http" }

// isScheme reports whether a text can be a URL's scheme and is too short to be a secret.
func isScheme(text string) bool {
	return text != "" && len(text) <= 20 && !strings.ContainsFunc(text, func(c rune) bool {
		return c != '+' && c != '-' && c != '.' && !unicode.IsLetter(c)
	})
}

// Secret is a text that never prints.
type Secret string

// Format writes stars, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(masked)) }

// MarshalText returns stars.
func (s Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// gram is the length in bytes from which a piece of a secret gives it away.
const gram = 6

// scrubber takes secrets out of texts: every piece of one that is as long as a gram.
type scrubber struct{ grams map[string]bool }

// newScrubber returns a scrubber of the secrets in a recipient's URL, and of others.
func newScrubber(address string, others ...string) scrubber {
	s := scrubber{map[string]bool{}}
	for _, text := range append(secretsOf(address), others...) {
		s.add(text)
		if plain, err := url.QueryUnescape(text); err == nil {
			s.add(plain)
		}
		if plain, err := url.PathUnescape(text); err == nil {
			s.add(plain)
		}
	}
	return s
}

// secretsOf returns what Redact leaves out.
func secretsOf(address string) []string {
	_, rest, found := strings.Cut(address, "://")
	if !found {
		return []string{address}
	}
	if u, err := url.Parse(address); err == nil && isWebhook(u) {
		rest = strings.Replace(rest, u.Host, "", 1)
	}
	return append([]string{rest}, strings.FieldsFunc(rest, func(c rune) bool { return strings.ContainsRune("/:@?&=#", c) })...)
}

// add takes note of a secret. One that is shorter than a gram is looked for as a whole,
// unless it is so short that it stands in every text.
func (s scrubber) add(text string) {
	text = fold(text)
	if len(text) < gram && len(text) > 3 {
		s.grams[text] = true
	}
	for i := 0; i+gram <= len(text); i++ {
		s.grams[text[i:i+gram]] = true
	}
}

// fold makes letters of ASCII small, and leaves each byte where it is.
func fold(text string) string {
	folded := []byte(text)
	for i, c := range folded {
		if 'A' <= c && c <= 'Z' {
			folded[i] = c + 'a' - 'A'
		}
	}
	return string(folded)
}

// clean returns a text in one line, bounded, and with stars in place of secrets.
func (s scrubber) clean(text string) string {
	text = oneLine(cut(text, 4*maxField))
	folded, hidden := fold(text), make([]bool, len(text))
	for i := range folded {
		for length := 4; length <= gram && i+length <= len(folded); length++ {
			if s.grams[folded[i:i+length]] {
				hide(hidden[i : i+length])
			}
		}
	}
	var out strings.Builder
	for i := range len(text) {
		switch {
		case !hidden[i]:
			out.WriteByte(text[i])
		case i == 0 || !hidden[i-1]:
			out.WriteString(masked)
		}
	}
	return cut(strings.ToValidUTF8(out.String(), ""), maxField)
}

func hide(bytes []bool) {
	for i := range bytes {
		bytes[i] = true
	}
}

// oneLine puts a space where a text has anything that does not print.
func oneLine(text string) string {
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return ' '
	}, text))
}

// scrubbedError is an error with its secrets taken out. It does not unwrap: whoever prints
// what it stood for would print them.
type scrubbedError struct {
	text  string
	after time.Duration // not to be tried again before; 0 where the recipient said nothing
}

// Error returns what went wrong.
func (e *scrubbedError) Error() string { return e.text }

// error returns an error that may be printed.
func (s scrubber) error(err error) error {
	if err == nil {
		return nil
	}
	scrubbed := &scrubbedError{text: cmp.Or(s.clean(err.Error()), "failed")}
	var r *refusal
	if errors.As(err, &r) {
		scrubbed.after = r.after
	}
	return scrubbed
}
