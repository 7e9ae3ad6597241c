package oci

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"

	"mirror/internal/regular"
)

// maxLogins bounds the file with the logins of docker, in bytes.
const maxLogins = 1 << 20

// storedSecrets tells of the passwords and tokens in the files in which docker and podman keep
// their logins. What a credential helper holds is told when it is used.
func storedSecrets(getenv func(string) string, tell func(source, value string)) {
	home := cmp.Or(getenv("HOME"), getenv("USERPROFILE")) // the latter on Windows
	files := []string{getenv("REGISTRY_AUTH_FILE")}
	if dir := getenv("DOCKER_CONFIG"); dir != "" {
		files = append(files, filepath.Join(dir, "config.json"))
	} else if home != "" {
		files = append(files, filepath.Join(home, ".docker", "config.json"))
	}
	if dir := getenv("XDG_RUNTIME_DIR"); dir != "" {
		files = append(files, filepath.Join(dir, "containers", "auth.json"))
	}
	for _, file := range files {
		if file != "" {
			tellLogins(file, tell)
		}
	}
}

// tellLogins tells of the logins in a file. One that cannot be read has none that are used.
func tellLogins(name string, tell func(source, value string)) {
	text, err := regular.ReadFile(name, maxLogins)
	if err != nil {
		return
	}
	var logins struct {
		Auths map[string]struct {
			Auth, Password, IdentityToken, RegistryToken string
		}
	}
	if json.Unmarshal(text, &logins) != nil {
		return
	}
	for registry, login := range logins.Auths {
		source := "the login for " + registry
		for _, value := range []string{passwordOf(login.Auth), login.Password, login.IdentityToken, login.RegistryToken} {
			if value != "" {
				tell(source, value)
			}
		}
	}
}

// passwordOf is the password in the credentials of basic authentication.
func passwordOf(encoded string) string {
	plain, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return ""
	}
	_, password, _ := strings.Cut(strings.TrimRight(string(plain), "\x00"), ":")
	return password
}

// tellingTransport tells of the credentials in each request before it is sent: those of a
// credential helper, and the tokens that a registry hands out for a session.
type tellingTransport struct {
	base http.RoundTripper
	tell func(source, value string) // may be nil
}

// RoundTrip sends the request.
func (t tellingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	scheme, value, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	if t.tell != nil && value != "" {
		source := "the login for " + req.URL.Host
		switch strings.ToLower(scheme) {
		case "basic":
			t.tell(source, passwordOf(value))
		case "bearer":
			t.tell(source, value)
		}
	}
	return t.base.RoundTrip(req)
}
