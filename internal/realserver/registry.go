package realserver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// Programs that are container registries.
const (
	DockerRegistry = "docker-registry" // Debian's distribution 2.8, which deletes no tags
	Distribution   = "registry"        // distribution v3
)

// Registry starts a container registry and returns its host and port. With users (name →
// password) it asks for them; with none it is open. Deletes are allowed.
func Registry(t testing.TB, program string, users map[string]string) string {
	t.Helper()
	path, dir, addr := Need(t, program), t.TempDir(), Loopback(FreePort(t))
	config := fmt.Sprintf(`version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: %q}
  delete: {enabled: true}
http: {addr: %q}
`, filepath.Join(dir, "data"), addr)
	if len(users) > 0 {
		config += fmt.Sprintf("auth: {htpasswd: {realm: test, path: %q}}\n", htpasswd(t, dir, users))
	}
	file := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "serve", file)
	cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	Start(t, cmd, addr)
	return addr
}

func htpasswd(t testing.TB, dir string, users map[string]string) string {
	t.Helper()
	var lines strings.Builder
	for name, password := range users {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&lines, "%s:%s\n", name, hash)
	}
	file := filepath.Join(dir, "htpasswd")
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
