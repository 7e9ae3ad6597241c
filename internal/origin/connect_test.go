package origin_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"mirror/internal/origin"
)

// endpoint returns an endpoint for a URL, whose requests have time.
func endpoint(t *testing.T, base string, o origin.Options) origin.Endpoint {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	o.Timeout = time.Minute
	return origin.Endpoint{Name: "test", URL: u, Options: o}
}

// Several hosts serve one name: address says which of them is looked at, and the request and the
// certificate stay those of the name.
func TestAddressIsConnectedToInPlaceOfTheHost(t *testing.T) {
	told := make(chan string, 8)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { told <- r.Host; io.WriteString(w, page) })
	plain, secure := httptest.NewServer(h), httptest.NewTLSServer(h)
	defer plain.Close()
	defer secure.Close()
	at := func(s *httptest.Server) (host, port string) {
		host, port, _ = net.SplitHostPort(s.Listener.Addr().String())
		return host, port
	}
	host, port := at(plain)
	securePort := secure.Listener.Addr().String()
	for name, c := range map[string]struct {
		base, address, host string
		cause               origin.Cause
	}{
		"an address alone has the URL's port": {"http://blog.example.com:" + port + "/", host, "blog.example.com:" + port, ""},
		"an address with a port":              {"http://blog.example.com/", host + ":" + port, "blog.example.com", ""},
		"a name with a port":                  {"http://blog.example.com/", "edge.localhost:" + port, "blog.example.com", ""},
		"the certificate is for the URL":      {"https://blog.example.com/", securePort, "", origin.BadTLS},
		"brackets alone":                      {"http://blog.example.com:1/", "[::1]", "", origin.Refused},
		"no brackets":                         {"http://blog.example.com:1/", "::1", "", origin.Refused},
		"an address where nothing listens":    {"http://blog.example.com/", "127.0.0.1:1", "", origin.Refused},
	} {
		o := fetch(t, endpoint(t, c.base, origin.Options{Address: c.address}))
		switch {
		case c.cause != "" && !errors.Is(o, c.cause) && !errors.Is(o, origin.NoRoute): // a machine may have no IPv6
			t.Errorf("%s: got %v, want %s", name, o, c.cause)
		case c.cause == "" && o != nil:
			t.Errorf("%s: %v", name, o)
		case c.cause == "":
			if got := <-told; got != c.host {
				t.Errorf("%s: asked for the host %s, want %s", name, got, c.host)
			}
		}
	}
}

func fetch(t *testing.T, at origin.Endpoint) error {
	t.Helper()
	c := origin.New(at)
	defer c.Close()
	return c.Fetch(t.Context(), ask).Err
}

// A name below localhost is asked on this machine, whatever the resolver says of it.
func TestNamesBelowLocalhostAreAsked(t *testing.T) {
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(serve(t, text(page)), "http://"))
	if err := fetch(t, endpoint(t, "http://blog.localhost:"+port+"/", origin.Options{})); err != nil {
		t.Error(err)
	}
}

// What is wrong with a proxy is told of the proxy. The environment's proxies are read once in a
// process, so each case has one of its own.
func TestADeadProxyIsNamed(t *testing.T) {
	if target := os.Getenv("MIRROR_TEST_TARGET"); target != "" {
		io.WriteString(os.Stdout, "got "+fetch(t, endpoint(t, target, origin.Options{})).Error()+"\n")
		return
	}
	refusing := strings.TrimPrefix(serve(t, func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusBadGateway
		if strings.HasPrefix(r.Host, "login.") {
			status = http.StatusProxyAuthRequired
		}
		w.WriteHeader(status)
	}), "http://")
	for target, c := range map[string]struct{ proxy, want string }{
		"http://blog.example.com/":   {"http://user:s3cret@127.0.0.1:1", "proxy: the proxy 127.0.0.1:1 cannot be used: nothing listens there"},
		"https://blog.example.com/":  {"127.0.0.1:1", "proxy: the proxy 127.0.0.1:1 cannot be used: nothing listens there"},
		"https://other.example.com/": {"http://" + refusing, "proxy: the proxy " + refusing + " does not connect to the origin, it answered 502"},
		"https://login.example.com/": {"http://" + refusing, "it answered 407 (hint: it wants a user name"},
		"http://login.example.com/":  {"http://" + refusing, "it answered 407 (hint: it wants a user name"},
		"http://socks.example.com/":  {"socks5://" + socks(t), "proxy: the proxy 127.0.0.1:"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestADeadProxyIsNamed$")
		cmd.Env = append(os.Environ(), "MIRROR_TEST_TARGET="+target, "NO_PROXY=", "no_proxy=",
			"HTTP_PROXY="+c.proxy, "http_proxy="+c.proxy, "HTTPS_PROXY="+c.proxy, "https_proxy="+c.proxy)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), c.want) || strings.Contains(string(out), "s3cret") {
			t.Errorf("%s: got %s, %v; want %s", target, out, err, c.want)
		}
	}
}

// socks is a SOCKS5 proxy (RFC 1928) that reaches no host.
func socks(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				greeting, request := make([]byte, 3), make([]byte, 5)
				io.ReadFull(conn, greeting)
				conn.Write([]byte{5, 0})
				io.ReadFull(conn, request)
				io.CopyN(io.Discard, conn, int64(request[4])+2)
				conn.Write([]byte{5, 4, 0, 1, 0, 0, 0, 0, 0, 0}) // host unreachable
			}()
		}
	}()
	return listener.Addr().String()
}
