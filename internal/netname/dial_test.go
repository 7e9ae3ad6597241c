package netname_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"mirror/internal/netname"
)

// A name below localhost reaches this machine with no resolver, by either family of addresses.
func TestNamesBelowLocalhostAreThisMachine(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Logf("%s: not on this machine: %v", address, err)
			continue
		}
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host) }))
		server.Listener.Close()
		server.Listener = listener
		server.Start()
		defer server.Close()
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		dial := netname.Dial(&net.Dialer{Timeout: time.Minute, Resolver: &net.Resolver{PreferGo: true}})
		for _, host := range []string{"blog.localhost", "a.b.LOCALHOST", "blog.localhost."} {
			conn, err := dial(t.Context(), "tcp", net.JoinHostPort(host, port))
			if err != nil {
				t.Errorf("%s at %s: %v", host, address, err)
				continue
			}
			conn.Close()
		}
	}
}

func TestNoProxyForThisMachine(t *testing.T) {
	for _, target := range []string{"http://blog.localhost/", "http://localhost/", "http://127.0.0.1:8080/", "http://[::1]/"} {
		req, err := http.NewRequest(http.MethodGet, target, nil)
		if err != nil {
			t.Fatal(err)
		}
		if proxy, err := netname.Proxy(req); proxy != nil || err != nil {
			t.Errorf("%s goes by the proxy %v, %v", target, proxy, err)
		}
	}
}
