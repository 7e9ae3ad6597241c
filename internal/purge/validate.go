package purge

import (
	"net/url"
	"regexp"
	"strings"

	"mirror/internal/netname"
)

// The types of caches.
const (
	typeCloudflare = "cloudflare"
	typeCloudFront = "cloudfront"
	typeFastly     = "fastly"
	typeVarnish    = "varnish"
	typeWebhook    = "webhook"
)

// keysOf lists the keys that each type has, and which of them it needs.
var keysOf = map[string]struct{ needed, optional []string }{
	typeCloudflare: {needed: []string{"zone", "token_env"}, optional: []string{"batch", "api"}},
	typeCloudFront: {needed: []string{"distribution"}, optional: []string{"access_key_env", "secret_key_env", "api"}},
	typeFastly:     {needed: []string{"token_env"}, optional: []string{"service", "soft", "surrogate_keys", "api"}},
	typeVarnish:    {needed: []string{"url"}, optional: []string{"method", "header", "host", "token_env"}},
	typeWebhook:    {needed: []string{"url"}, optional: []string{"secret_env", "token_env"}},
}

// Takes reports whether a type has a key, and whether it needs it.
func Takes(typ, key string) (has, needs bool) {
	if key == "type" {
		return true, true
	}
	for _, k := range keysOf[typ].needed {
		if k == key {
			return true, true
		}
	}
	for _, k := range keysOf[typ].optional {
		if k == key {
			return true, false
		}
	}
	return false, false
}

// identifier is what an ID of a zone, a distribution or a service looks like.
var identifier = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)

// Validate says what is wrong with the values of the keys.
func (c Config) Validate(wrong func(key, why string)) {
	for key, id := range map[string]string{"zone": c.Zone, "distribution": c.Distribution, "service": c.Service} {
		if id != "" && !identifier.MatchString(id) {
			wrong(key, "is not an ID (hint: letters and digits, as the service shows it)")
		}
	}
	if why := wrongAddress(c.URL, c.Type == typeWebhook || c.TokenEnv != ""); why != "" {
		wrong("url", why)
	}
	if why := wrongAddress(c.API, true); why != "" {
		wrong("api", why)
	}
	if (c.AccessKeyEnv == "") != (c.SecretKeyEnv == "") {
		key, other := "access_key_env", "secret_key_env"
		if c.AccessKeyEnv == "" {
			key, other = other, key
		}
		wrong(key, "needs "+other+" beside it")
	}
	if len(c.SurrogateKeys) > 0 && c.Service == "" {
		wrong("surrogate_keys", "needs service beside it")
	}
	for _, key := range c.SurrogateKeys {
		if key == "" || strings.ContainsAny(key, " \t\r\n") || len(key) > 1024 {
			wrong("surrogate_keys", "has a key that is empty, too long or holds a space")
		}
	}
}

// wrongAddress says what is wrong with the URL of a cache or service, "" for nothing. What is secret goes over
// plain HTTP to this machine only.
func wrongAddress(address string, secret bool) string {
	if address == "" {
		return ""
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return "is not an address that can be called (hint: https://…, or http://127.0.0.1:6081)"
	case u.User != nil:
		return "holds a user name or password (hint: token_env)"
	case u.Fragment != "":
		return "has a fragment"
	case secret && inClear(u):
		return "is sent in clear (hint: https; http with a token or to a webhook is for this machine only)"
	}
	return ""
}

// inClear reports whether what is sent to an address can be read on the way.
func inClear(address *url.URL) bool {
	return address.Scheme == "http" && !netname.IsLoopback(address.Hostname())
}

func trimSlash(text string) string { return strings.TrimRight(text, "/") }
