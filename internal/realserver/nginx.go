package realserver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Nginx serves the folder root over HTTP from a real nginx and returns its base URL,
// which ends without a slash.
func Nginx(t testing.TB, root string) string {
	t.Helper()
	return nginx(t, "", fmt.Sprintf("root %q;\nlocation / { index index.html; error_page 404 /404.html; }\n", root))
}

// NginxLimited is Nginx with limit_req: so many requests a second of one address, burst more at
// once, and the rest refused with a status.
func NginxLimited(t testing.TB, root string, rate, burst, status int) string {
	t.Helper()
	zone := fmt.Sprintf("limit_req_zone $binary_remote_addr zone=one:1m rate=%dr/s;", rate)
	limit := fmt.Sprintf("limit_req zone=one burst=%d nodelay; limit_req_status %d;", burst, status)
	return nginx(t, zone, fmt.Sprintf("root %q;\nlocation / { index index.html; %s }\n", root, limit))
}

// nginx runs an nginx with one server, whose directives are given, and those beside it.
func nginx(t testing.TB, beside, server string) string {
	t.Helper()
	program := Need(t, "nginx")
	addr, dir := Loopback(FreePort(t)), t.TempDir()
	config := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(nginxConfig, nginxUser(), dir, addr, server, beside)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	// One process: killing it leaves no worker behind.
	Start(t, exec.Command(program, "-p", dir, "-c", config, "-g", "daemon off; master_process off;"), addr)
	return "http://" + addr
}

// nginxUser is the directive that lets nginx read a test's own folders: started by root
// it would give up root's rights.
func nginxUser() string {
	if os.Geteuid() == 0 {
		return "user root;"
	}
	return ""
}

// nginxConfig takes the user directive, the folder, the address, the server's directives
// and those beside the server.
const nginxConfig = `%[1]s
worker_processes 1;
error_log stderr crit;
pid %[2]s/nginx.pid;
events { worker_connections 256; }
http {
	access_log off;
	types {
		text/html html htm; text/css css; text/javascript js mjs; application/json json;
		image/svg+xml svg svgz; image/png png; image/webp webp; image/jpeg jpg jpeg; image/gif gif; image/x-icon ico;
		font/woff2 woff2; text/plain txt; text/xml xml; application/wasm wasm;
	}
	default_type application/octet-stream;
	client_body_temp_path %[2]s/body;
	proxy_temp_path %[2]s/proxy;
	fastcgi_temp_path %[2]s/fastcgi;
	uwsgi_temp_path %[2]s/uwsgi;
	scgi_temp_path %[2]s/scgi;
	%[5]s
	server {
		listen %[3]s;
		%[4]s
	}
}
`
