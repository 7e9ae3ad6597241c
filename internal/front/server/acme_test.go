package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"mirror/internal/front"
	"mirror/internal/front/autotls"
	"mirror/internal/origin"
	"mirror/site"
)

// resolver answers that every name is this machine.
func resolver(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1)})
		}
		_ = w.WriteMsg(m) // the resolver asks again
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.ActivateAndServe() }()
	t.Cleanup(func() { l.Close(); <-ended })
	return l.Addr().String()
}

// authority is pebble, the test server of Let's Encrypt. It answers once it is told on which ports it finds the front.
type authority struct {
	*httptest.Server
	ready chan struct{}
	acme  http.Handler // set before ready is closed
	ca    *ca.CAImpl
	store *db.MemoryStore
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	for name, value := range map[string]string{"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"} {
		t.Setenv(name, value) // else it waits and refuses at random
	}
	a := &authority{ready: make(chan struct{}), store: db.NewMemoryStore()}
	a.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-a.ready:
			a.acme.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(a.Close)
	return a
}

// look has the authority look for challenges at a port.
func (a *authority) look(t *testing.T, port int) {
	quiet := log.New(t.Output(), "", 0)
	a.ca = ca.New(quiet, a.store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {}})
	looks := va.New(quiet, 1, port, false, resolver(t), a.store)
	frontend := wfe.New(quiet, a.store, looks, a.ca, []string{"ca.example"}, false, false, 0, 0)
	a.acme = frontend.Handler()
	close(a.ready)
}

// TestACME has a front get its certificate from pebble, and serve with it. After a restart it has the certificate
// without the authority.
func TestACME(t *testing.T) {
	a := newAuthority(t)
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate())
	dir := t.TempDir()
	options := TLS{ACME: autotls.Options{Names: []string{"blog.example.com"}, Directory: a.URL + wfe.DirectoryPath, Dir: dir, Roots: roots, Retry: time.Second}}
	at, stop := serveFront(t, options)
	a.look(t, at.Port)
	first := handshake(t, at)
	if first.Issuer.CommonName == "" || first.VerifyHostname("blog.example.com") != nil {
		t.Errorf("the certificate is %v for %v", first.Issuer, first.DNSNames)
	}
	stop()
	a.Close()
	wantFiles(t, options)
	again, stop := serveFront(t, options)
	defer stop()
	if second := handshake(t, again); !second.Equal(first) {
		t.Error("after a restart there is another certificate")
	}
	if _, err := tls.Dial("tcp", again.String(), &tls.Config{ServerName: "other.example.com", InsecureSkipVerify: true}); err == nil {
		t.Error("a name that is not in the config gets a certificate")
	}
	info, err := os.Stat(filepath.Join(dir, "blog.example.com"))
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the key is kept as %v, %v", info, err)
	}
}

// wantFiles has connections get the certificate in the files where the authority has given none for the name.
func wantFiles(t *testing.T, o TLS) {
	t.Helper()
	files, _ := writeCertificate(t, t.TempDir(), 7)
	o.Cert, o.Key = files.Cert, files.Key
	at, stop := serveFront(t, o)
	defer stop()
	c, err := tls.Dial("tcp", at.String(), &tls.Config{ServerName: "localhost", InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := c.ConnectionState().PeerCertificates[0].SerialNumber.String(); got != "7" {
		t.Errorf("a name of the files gets the certificate %s", got)
	}
}

// serveFront serves a front that has no release until stop is called.
func serveFront(t *testing.T, o TLS) (at *net.TCPAddr, stop func()) {
	t.Helper()
	f, err := front.New(front.Options{
		Origins: []origin.Endpoint{{Name: "none", URL: &url.URL{Scheme: "http", Host: "127.0.0.1:1", Path: "/"}}}, Beacon: site.DefaultBeacon, Dir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	listening, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- Run(ctx, f, Options{Listen: "127.0.0.1:0", TLS: o, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Listening: func(at net.Addr) { listening <- at }})
	}()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		f.Close()
	}
	return (<-listening).(*net.TCPAddr), stop
}

// handshake returns the certificate of the front, once there is one.
func handshake(t *testing.T, at *net.TCPAddr) *x509.Certificate {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; {
		c, err := tls.Dial("tcp", at.String(), &tls.Config{ServerName: "blog.example.com", InsecureSkipVerify: true}) // the root is pebble's own
		if err == nil {
			defer c.Close()
			return c.ConnectionState().PeerCertificates[0]
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond) // between two looks
	}
}
