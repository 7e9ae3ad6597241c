package realserver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Proxy runs nginx, haproxy or caddy with a configuration of which it listens on addr.
func Proxy(t testing.TB, program, config, addr string) {
	t.Helper()
	Start(t, proxy(t, program, config, false), addr)
}

// ProxyCheck returns the command with which nginx, haproxy or caddy validates a configuration.
func ProxyCheck(t testing.TB, program, config string) *exec.Cmd {
	t.Helper()
	return proxy(t, program, config, true)
}

func proxy(t testing.TB, program, config string, check bool) *exec.Cmd {
	t.Helper()
	path, dir := Need(t, program), t.TempDir()
	file := filepath.Join(dir, "proxy.conf")
	switch program {
	case "nginx":
		config = fmt.Sprintf(proxyConfig, nginxUser(), dir, config)
	case "caddy":
		config = "{\n\tadmin off\n\tauto_https off\n}\n" + config
	}
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var args []string
	switch {
	case program == "nginx" && check:
		args = []string{"-t", "-p", dir, "-c", file}
	case program == "nginx":
		args = []string{"-p", dir, "-c", file, "-g", "daemon off; master_process off;"}
	case program == "haproxy" && check:
		args = []string{"-c", "-f", file}
	case program == "haproxy":
		args = []string{"-db", "-f", file}
	case check:
		args = []string{"validate", "--adapter", "caddyfile", "--config", file}
	default:
		args = []string{"run", "--adapter", "caddyfile", "--config", file}
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	return cmd
}

// proxyConfig takes the user directive, the folder, and what the http block has.
const proxyConfig = `%[1]s
error_log stderr crit;
pid %[2]s/nginx.pid;
events { worker_connections 256; }
http {
	access_log off;
	client_body_temp_path %[2]s/body;
	proxy_temp_path %[2]s/proxy;
	fastcgi_temp_path %[2]s/fastcgi;
	uwsgi_temp_path %[2]s/uwsgi;
	scgi_temp_path %[2]s/scgi;
	%[3]s
}
`
