package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mirror/internal/front"
	"mirror/internal/origin"
	"mirror/internal/static"
	"mirror/site"
)

// writeCertificate writes a certificate for localhost and its key, and returns its pool.
func writeCertificate(t *testing.T, dir string, serial int64) (TLS, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	files := TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	at := time.Now().Add(time.Duration(serial) * time.Minute)
	for name, block := range map[string]*pem.Block{files.Cert: {Type: "CERTIFICATE", Bytes: der}, files.Key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(cert)
	return files, pool
}

// TestHTTPS serves by https with HTTP/2 and HSTS, and leads there from http.
func TestHTTPS(t *testing.T) {
	files, pool := writeCertificate(t, t.TempDir(), 1)
	f, err := front.New(front.Options{
		Origins: []origin.Endpoint{{Name: "none", URL: &url.URL{Scheme: "http", Host: "127.0.0.1:1", Path: "/"}}}, Beacon: site.DefaultBeacon, Dir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithCancel(t.Context())
	listening, ended := make(chan net.Addr, 1), make(chan error, 1)
	files.HSTS = time.Hour
	go func() {
		ended <- Run(ctx, f, Options{Listen: "127.0.0.1:0", TLS: files, Listening: func(at net.Addr) { listening <- at }})
	}()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+(<-listening).String()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.ProtoMajor != 2 || resp.Header.Get("Strict-Transport-Security") != "max-age=3600" || resp.StatusCode != http.StatusBadGateway {
		t.Errorf("got %s %d %v", resp.Proto, resp.StatusCode, resp.Header)
	}
}

// TestRedirect leads to https on the host that was asked for, and to nothing that is no host.
func TestRedirect(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- static.Serve(ctx, l, toHTTPS(443)) }()
	defer func() { cancel(); <-ended }()
	for host, want := range map[string]string{
		"blog.example": "https://blog.example/a%20b/?q=1", "blog.example:80": "https://blog.example/a%20b/?q=1", "[::1]:80": "https://[::1]/a%20b/?q=1",
		"evil.example/x": "", "a@b": "",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/a%20b/?q=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Location"); got != want {
			t.Errorf("%s leads to %q, want %q", host, got, want)
		}
	}
}

// TestNewCertificate replaces the files: the new certificate is used, and a broken one is not.
func TestNewCertificate(t *testing.T) {
	dir := t.TempDir()
	files, _ := writeCertificate(t, dir, 1)
	c, err := newCertificate(files, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	serial := func() string {
		c.looked = time.Time{}
		pair, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return leaf.SerialNumber.String()
	}
	writeCertificate(t, dir, 2)
	if got := serial(); got != "2" {
		t.Errorf("the certificate in use is %s", got)
	}
	if err := os.WriteFile(files.Cert, []byte(strings.Repeat("x", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got != "2" {
		t.Errorf("after a broken one the certificate in use is %s", got)
	}
	if _, err := newCertificate(TLS{Cert: files.Cert}, nil); err == nil {
		t.Error("a certificate without its key is accepted")
	}
}
