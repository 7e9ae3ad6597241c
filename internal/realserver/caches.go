package realserver

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// RefreshHeader is the header with which NginxCache fetches a page anew and keeps that.
const RefreshHeader = "X-Refresh"

// NginxCache runs an nginx that caches what the server at upstream answers, for an hour, and returns its base URL
// without a slash at the end. The header is passed on to upstream, which may be a cache itself.
func NginxCache(t testing.TB, upstream string) string {
	t.Helper()
	dir := t.TempDir()
	beside := fmt.Sprintf("proxy_cache_path %q keys_zone=pages:1m;", dir)
	return nginx(t, beside, fmt.Sprintf(`location / {
			proxy_pass %s;
			proxy_set_header Host $http_host;
			proxy_cache pages;
			proxy_cache_key $request_uri;
			proxy_cache_valid any 1h;
			proxy_cache_bypass $http_x_refresh;
			proxy_ignore_headers Cache-Control Expires;
		}`, strings.TrimSuffix(upstream, "/")))
}

// Varnish runs a varnishd before the server at upstream. It keeps answers for an hour, and takes PURGE and BAN.
func Varnish(t testing.TB, upstream string) string {
	t.Helper()
	program, u := Need(t, "varnishd"), parse(t, upstream)
	addr, dir := Loopback(FreePort(t)), t.TempDir()
	file := filepath.Join(dir, "cache.vcl")
	if err := os.WriteFile(file, fmt.Appendf(nil, varnishConfig, u.Hostname(), u.Port()), 0o600); err != nil {
		t.Fatal(err)
	}
	// Without a jail the processes keep the rights to a test's own folders.
	Start(t, exec.Command(program, "-j", "none", "-F", "-n", filepath.Join(dir, "work"), "-a", addr, "-f", file, "-s", "malloc,16m", "-T", "none"), addr)
	return "http://" + addr
}

// varnishConfig takes the host and the port of what stands behind.
const varnishConfig = `vcl 4.1;
backend default { .host = "%s"; .port = "%s"; }
sub vcl_recv {
	if (req.method == "PURGE") { return (purge); }
	if (req.method == "BAN") {
		ban("req.http.host == " + req.http.host + " && req.url == " + req.url);
		return (synth(200, "banned"));
	}
	if (req.method == "GET" || req.method == "HEAD") { return (hash); }
}
sub vcl_backend_response { set beresp.ttl = 1h; set beresp.grace = 0s; return (deliver); }
`

// Squid runs a squid as the accelerator of the server at upstream. It keeps answers for an hour, and takes PURGE.
func Squid(t testing.TB, upstream string) string {
	t.Helper()
	program, u := Need(t, "squid"), parse(t, upstream)
	port, dir := FreePort(t), t.TempDir()
	file := filepath.Join(dir, "squid.conf")
	text := fmt.Sprintf(squidConfig, Loopback(port), u.Hostname(), u.Port())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	Start(t, exec.Command(program, "-N", "-f", file, "-n", fmt.Sprintf("test%d", port)), Loopback(port))
	return "http://" + Loopback(port)
}

// squidConfig takes the address, and the host and the port of what stands behind. Started by root squid gives up root's rights, and
// can then write to no folder of a test.
const squidConfig = `http_port %[1]s accel defaultsite=site.test vhost
cache_peer %[2]s parent %[3]s 0 no-query originserver no-digest
acl purge method PURGE
http_access allow all
cache_mem 16 MB
refresh_pattern . 60 100%% 60 override-expire ignore-no-store ignore-private
pid_filename none
access_log none
cache_log /dev/null
coredump_dir none
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname test
negative_ttl 1 hour
`

func parse(t testing.TB, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
