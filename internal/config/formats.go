package config

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"mirror/internal/config/strictyaml"
	"mirror/internal/notify"
	"mirror/scheduler"
)

// formats returns the checks of strings by the format that their field's tag names, for the
// config whose path is name.
func formats(name string, getenv func(string) string) map[string]strictyaml.DecodeFunc {
	local := func(d *strictyaml.Decoder, key string, n *yaml.Node, v reflect.Value) {
		if v.String() == "" {
			return // as without the key
		}
		path, why := localPath(v.String(), filepath.Dir(name), getenv)
		if why != "" {
			d.Errorf(n, "%s: %s %s", key, d.Describe(n), why)
		}
		v.SetString(path)
	}
	return map[string]strictyaml.DecodeFunc{
		"path": local,
		"key": func(d *strictyaml.Decoder, key string, n *yaml.Node, v reflect.Value) {
			if v.String() != "agent" { // a key of ssh-agent, and no file
				local(d, key, n, v)
			}
		},
		"glob":    refuse(wrongGlob),
		"keep":    refuse(wrongKeep),
		"page":    refuse(wrongPage),
		"beacon":  refuse(wrongBeacon),
		"name":    refuse(wrongName),
		"header":  refuse(wrongHeader),
		"address": refuse(wrongAddress),
		"host":    refuse(wrongHost),
		"nats":    refuse(wrongBroker),
		"group":   refuse(wrongGroup),
		"cron":    cron,
		"release": refuse(wrongRelease),
		"service": service,
		"quiet":   quiet,
	}
}

// refuse returns the check of a format, given what says what is wrong with a text, "" for nothing.
func refuse(wrong func(text string) string) strictyaml.DecodeFunc {
	return func(d *strictyaml.Decoder, key string, n *yaml.Node, v reflect.Value) {
		if why := wrong(v.String()); why != "" {
			d.Errorf(n, "%s: %s %s", key, d.Describe(n), why)
		}
	}
}

func wrongPage(text string) string {
	if text != "" && (path.IsAbs(text) || path.Clean(text) != text || text == "." || strings.HasPrefix(text, "../")) {
		return "is no page of the site (hint: write its path without a leading slash: 404.html)"
	}
	return ""
}

func wrongBeacon(text string) string {
	if first, _, _ := strings.Cut(strings.TrimPrefix(text, "/"), "/"); strings.EqualFold(first, ".mirror") {
		return "is below .mirror, where targets keep their own records (hint: /.well-known/mirror.json)"
	}
	if text != "" && (!path.IsAbs(text) || path.Clean(text) != text || text == "/" || strings.ContainsAny(text, "?#%")) {
		return "is no plain URL path (hint: /.well-known/mirror.json, or \"\" for none)"
	}
	return ""
}

func wrongName(text string) string {
	if text != "" && strings.Trim(text, ".") == "" {
		return "is not a valid name (hint: letters, digits, - . and _, and not dots alone)"
	}
	if strings.ContainsFunc(text, notInName) {
		return "is not a valid name (hint: letters, digits, - . and _)"
	}
	return ""
}

func wrongHeader(text string) string {
	if strings.ContainsFunc(text, notInName) { // a token (RFC 9110, 5.6.2) could hold more; no real one does
		return "is no header's name"
	}
	return ""
}

// wrongAddress checks where to listen. "" is the default's absence: it needs --no-dashboard.
func wrongAddress(text string) string {
	_, port, err := net.SplitHostPort(text)
	if n, errPort := strconv.ParseUint(port, 10, 16); text != "" && (err != nil || errPort != nil || n == 0 && port != "0") {
		return "is not an address to listen on (hint: 127.0.0.1:8700)"
	}
	return ""
}

// wrongHost checks where an origin's host is connected to.
func wrongHost(text string) string {
	const hint = "is not an address (hint: 203.0.113.7, 203.0.113.7:8443, [2001:db8::7]:443 or host.example.com)"
	host := text
	if bare, port, err := net.SplitHostPort(text); err == nil {
		host = bare
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return hint
		}
	} else if inner, ok := strings.CutPrefix(text, "["); ok {
		host = strings.TrimSuffix(inner, "]")
	}
	if _, err := netip.ParseAddr(host); text != "" && err != nil && (host == "" || strings.ContainsFunc(host, notInName)) {
		return hint
	}
	return ""
}

// wrongBroker checks the URLs of a NATS cluster, which commas part.
func wrongBroker(text string) string {
	for one := range strings.SplitSeq(text, ",") {
		u, err := url.Parse(strings.TrimSpace(one))
		if text != "" && (err != nil || u.Host == "" || u.User != nil || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme)) {
			return "is not the URL of a NATS server (hint: tls://nats.example.com:4222; several with commas between them; no password in it, but vantages.credentials)"
		}
	}
	return ""
}

// groupName is the name of a group: it is part of subjects.
var groupName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)

func wrongGroup(text string) string {
	if text != "" && !groupName.MatchString(text) {
		return "is not a valid name of a group (hint: lower-case letters, digits and hyphens, at most 64)"
	}
	return ""
}

func notInName(c rune) bool {
	return c != '-' && c != '_' && c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
}

// release is the ID of a release, or enough of its first digits to mean no other one later.
var release = regexp.MustCompile(`^[0-9a-f]{12,64}$`)

func wrongRelease(text string) string {
	if release.MatchString(text) {
		return ""
	}
	return "is not the ID of a release: at least 12 of its hexadecimal digits are needed (hint: mirror rollback --list shows what is staged)"
}

// cron checks when a job runs. What came from the environment is not quoted.
func cron(d *strictyaml.Decoder, key string, n *yaml.Node, _ reflect.Value) {
	_, err := scheduler.Parse(n.Value)
	var refused *scheduler.SpecError
	switch {
	case err == nil:
	case errors.As(err, &refused) && !d.FromEnv(n):
		d.Errorf(n, "%s: %s %s", key, d.Describe(n), strictyaml.Masked(refused.Why))
	default:
		d.Errorf(n, "%s: %s is no cron spec (hint: \"*/15 * * * *\" is every 15 minutes)", key, d.Describe(n))
	}
}

// service checks the URL of a place to notify. Any part of it may be a secret, so that no
// error quotes it.
func service(d *strictyaml.Decoder, key string, n *yaml.Node, _ reflect.Value) {
	if !d.FromEnv(n) && writtenSecret(n.Value) {
		d.Errorf(n, "%s: %s holds a secret (hint: keep it in the environment and write ${NAME} here)", key, redacted(d, n))
		return
	}
	if err := notify.CheckURL(n.Value); err != nil {
		d.Errorf(n, "%s: %s is not valid: %v", key, redacted(d, n), err)
	}
}

// redacted describes the URL at a node, by the name of the variable that it is taken from
// or by what is no secret in it.
func redacted(d *strictyaml.Decoder, n *yaml.Node) string {
	if d.FromEnv(n) || !strings.Contains(n.Value, "://") {
		return d.Describe(n)
	}
	return strictyaml.Quoted(notify.Redact(n.Value))
}

// writtenSecret reports whether a URL holds what is most likely a secret: a user name or
// password, or a part with the shape of a token.
func writtenSecret(address string) bool {
	_, rest, found := strings.Cut(address, "://")
	authority, _, _ := strings.Cut(rest, "/")
	parts := strings.FieldsFunc(rest, func(c rune) bool { return strings.ContainsRune("/:?&=#", c) })
	return found && (strings.Contains(authority, "@") || slices.ContainsFunc(parts, strictyaml.LooksSecret))
}

// quiet checks a quiet time.
func quiet(d *strictyaml.Decoder, key string, n *yaml.Node, _ reflect.Value) {
	if _, err := notify.ParseQuiet(n.Value); err != nil {
		d.Errorf(n, "%s: %s is not a quiet time: %v", key, d.Describe(n), err)
	}
}
