package notify

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"

	"mirror/internal/secrets"
)

// masked stands for what must not be seen.
const masked = secrets.Masked

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

// scrubber takes what is secret of a recipient out of what is said of it.
type scrubber struct{ secrets *secrets.Scrubber }

// newScrubber returns a scrubber of the secrets in a recipient's URL, and of others.
func newScrubber(address string, others ...string) scrubber {
	return scrubber{secrets.NewStrict(append(secretsOf(address), others...)...)}
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

// clean returns a text in one line, bounded, and with stars in place of secrets.
func (s scrubber) clean(text string) string {
	return cut(strings.ToValidUTF8(s.secrets.Scrub(oneLine(cut(text, 4*maxField))), ""), maxField)
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

// scrubbedError is an error with its secrets taken out. It does not unwrap: the wrapped
// error would print them.
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
