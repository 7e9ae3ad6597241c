package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"mirror/internal/notify"
)

// service judges the URL of a place to notify. Any part of it may be a secret, so that no
// error quotes it.
func (d *decoder) service(key string, n *yaml.Node) {
	if !d.fromEnv(n) && writtenSecret(n.Value) {
		d.on(n, "%s: %s holds a secret (hint: keep it in the environment and write ${NAME} here)", key, d.redacted(n))
		return
	}
	if err := notify.CheckURL(n.Value); err != nil {
		d.on(n, "%s: %s is no place to notify: %v", key, d.redacted(n), err)
	}
}

// redacted describes the URL at a node, by the name of the variable that it is taken from
// or by what is no secret in it.
func (d *decoder) redacted(n *yaml.Node) string {
	if d.fromEnv(n) || !strings.Contains(n.Value, "://") {
		return d.describe(n)
	}
	return quoted(notify.Redact(n.Value))
}

// writtenSecret reports whether a URL holds what is most likely a secret: a user name or
// password, or a part with the shape of a token.
func writtenSecret(address string) bool {
	_, rest, found := strings.Cut(address, "://")
	authority, _, _ := strings.Cut(rest, "/")
	parts := strings.FieldsFunc(rest, func(c rune) bool { return strings.ContainsRune("/:?&=#", c) })
	return found && (strings.Contains(authority, "@") || slices.ContainsFunc(parts, looksSecret))
}

// quiet judges a quiet time.
func (d *decoder) quiet(key string, n *yaml.Node) {
	if _, err := notify.ParseQuiet(n.Value); err != nil {
		d.on(n, "%s: %s is no quiet time: %v", key, d.describe(n), err)
	}
}

// judgeNotify notes what no single value of a place to notify shows.
func (d *decoder) judgeNotify(places []Notify) {
	var names []string
	for i := range places {
		place := &places[i]
		names = d.once(names, &place.Name, "place to notify")
		if place.SecretEnv != "" && strings.Contains(place.URL, "://") && !isWebhook(place.URL) {
			d.on(d.places[&place.SecretEnv], "secret_env: signs what a webhook gets, and a service takes no signature")
		}
		if len(place.Urgent) > 0 && place.Quiet == "" {
			d.on(d.places[&place.Urgent], "urgent: is for what is told in a quiet time, and there is none")
		}
	}
}

func isWebhook(address string) bool {
	return strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://")
}
