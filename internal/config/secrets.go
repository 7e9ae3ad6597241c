package config

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"mirror/internal/config/strictyaml"
)

// Secret is a value of the config, or of an environment variable that it names, that must
// never be shown.
type Secret struct {
	Source string // for people: which variable or key
	Value  string
	Form   Form
}

// Form says which part of a value is the secret.
type Form int

// The forms of secrets.
const (
	Whole    Form = iota // all of it
	Service              // a URL: all but the host
	Userinfo             // a URL: the user name and password
)

// secretsOf lists the secrets in a document: what a key that ends in _env names, URLs of
// webhooks and of services, passwords in URLs, and those values of ${NAME} that are secrets by
// the variable's name or by the place where they stand. Names, paths, branches and regions from
// the environment are none.
func secretsOf(doc *strictyaml.Document, getenv func(string) string) []Secret {
	var all []Secret
	var walk func(n *yaml.Node, keys []string)
	walk = func(n *yaml.Node, keys []string) {
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				walk(n.Content[i+1], append(keys[:len(keys):len(keys)], keyAt(n, i)))
			}
		case yaml.SequenceNode:
			for _, item := range n.Content {
				walk(item, keys)
			}
		case yaml.ScalarNode:
			all = append(all, secretsAt(n, keys, doc.Written(n), getenv)...)
		}
	}
	walk(doc.Root, nil)
	return all
}

// keyAt returns the key at an index of a mapping. The URL of something of type webhook is as secret as a key webhook.
func keyAt(n *yaml.Node, i int) string {
	key := n.Content[i].Value
	for k := 0; k+1 < len(n.Content) && key == "url"; k += 2 {
		if n.Content[k].Value == "type" && n.Content[k+1].Value == "webhook" {
			return "webhook"
		}
	}
	return key
}

// secretsAt lists the secrets in a value, given what it said before ${NAME} was replaced.
func secretsAt(n *yaml.Node, keys []string, written string, getenv func(string) string) (all []Secret) {
	key := ""
	if len(keys) > 0 {
		key = keys[len(keys)-1]
	}
	path := strings.Join(keys, ".")
	switch {
	case strings.HasSuffix(key, "_env"):
		if strictyaml.IsEnvName(n.Value) {
			all = append(all, Secret{"the environment variable " + n.Value, getenv(n.Value), Whole})
		}
		return all
	case key == "webhook", path == "notify.url":
		all = append(all, Secret{path, n.Value, Service})
	case strings.Contains(n.Value, "://"):
		all = append(all, Secret{path, n.Value, Userinfo})
	}
	for _, match := range interpolation.FindAllStringSubmatch(written, -1) {
		name := match[1]
		value := getenv(name)
		s := Secret{"the environment variable " + name, value, Whole}
		if strings.Contains(value, "://") {
			s.Form = Service
		}
		if SecretName(name) || inCommand(keys) && strictyaml.LooksSecret(value) || strings.HasSuffix(path, "headers") {
			all = append(all, s)
		}
	}
	return all
}

var (
	interpolation = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
	secretName    = regexp.MustCompile(`(?i)TOKEN|SECRET|PASSW|PASSPHRASE|PASS$|_PW$|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|_KEY$|` +
		`AUTH(_|$|ORIZATION)|_PAT$|HOOK|SIGNATURE|_SAS$|_DSN$|COOKIE`)
)

// SecretName reports whether an environment variable holds a secret by its name.
func SecretName(name string) bool { return secretName.MatchString(name) }

// inCommand reports whether a value is a part of a command line.
func inCommand(keys []string) bool {
	last := keys[len(keys)-1]
	return last == "exec" || last == "build"
}
