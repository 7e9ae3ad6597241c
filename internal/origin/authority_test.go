package origin_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// authority signs the certificates of these tests; this process trusts it and nobody else.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

var trusted, stranger *authority

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "mirror-origin")
	if err != nil {
		panic(err)
	}
	trusted, stranger = newAuthority(), newAuthority()
	roots := filepath.Join(dir, "roots.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: trusted.cert.Raw})
	if err := os.WriteFile(roots, text, 0o600); err != nil {
		panic(err)
	}
	os.Setenv("SSL_CERT_FILE", roots)
	os.Setenv("SSL_CERT_DIR", dir)
	net.DefaultResolver = resolver()
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func newAuthority() *authority {
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	cert, key := sign(c, nil)
	parsed, err := x509.ParseCertificate(cert)
	if err != nil {
		panic(err)
	}
	return &authority{parsed, key}
}

// sign signs a certificate; by itself where by is nil.
func sign(c *x509.Certificate, by *authority) ([]byte, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	parent, signer := c, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	cert, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		panic(err)
	}
	return cert, key
}

// certificate is one for the loopback host, changed by some.
func certificate(by *authority, change func(c *x509.Certificate)) tls.Certificate {
	c := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "an origin"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(12 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(c)
	}
	cert, key := sign(c, by)
	return tls.Certificate{Certificate: [][]byte{cert}, PrivateKey: key}
}

// serveTLS serves by https, and HTTP/2 where that is asked for.
func serveTLS(t *testing.T, h http.HandlerFunc, config *tls.Config) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS, s.EnableHTTP2 = config, true
	s.Config.ErrorLog = silent()
	s.StartTLS()
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

// TestInvalidTLSIsNamed has each say why there is no trusted connection.
func TestInvalidTLSIsNamed(t *testing.T) {
	config := func(by *authority, change func(c *x509.Certificate)) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{certificate(by, change)}}
	}
	old := config(trusted, nil)
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	demanding := config(trusted, nil)
	demanding.ClientAuth = tls.RequireAnyClientCert
	demanding.MaxVersion = tls.VersionTLS12 // TLS 1.3 refuses after the handshake, at some time or other
	for name, c := range map[string]struct {
		base string
		want string
	}{
		"expired": {serveTLS(t, text(page), config(trusted, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
		})), "TLS: the certificate expired on 20"},
		"not yet valid": {serveTLS(t, text(page), config(trusted, func(c *x509.Certificate) {
			c.NotBefore = time.Now().Add(time.Hour)
		})), "TLS: the certificate is not valid before 20"},
		"wrong host": {serveTLS(t, text(page), config(trusted, func(c *x509.Certificate) {
			c.IPAddresses, c.DNSNames = nil, []string{"a.example", "b.example", "c.example", "d.example"}
		})), "TLS: the certificate is for another host: a.example, b.example, c.example, …"},
		"self-signed":         {serveTLS(t, text(page), config(nil, nil)), "TLS: the certificate is self-signed"},
		"unknown authority":   {serveTLS(t, text(page), config(stranger, nil)), "TLS: the certificate is by an authority that is not trusted here"},
		"too old a version":   {serveTLS(t, text(page), old), "TLS: the origin speaks only versions older than TLS 1.2"},
		"plain HTTP":          {"https" + serve(t, text(page))[len("http"):], "TLS: plain HTTP answers on this port"},
		"garbage":             {"https" + talk(t, func(c net.Conn) { c.Write(bytes.Repeat([]byte("\x1b[2J"), 100)) })[len("http"):], "TLS: what answers on this port does not speak TLS"},
		"a broken handshake":  {"https" + talk(t, func(c net.Conn) { c.Write([]byte("\x16\x03\x03\x00\x04\x02\x00\x00\x00")) })[len("http"):], "TLS: the handshake failed"},
		"ended handshake":     {"https" + talk(t, func(c net.Conn) { c.Read(make([]byte, 4<<10)) })[len("http"):], "cut: "},
		"wants a certificate": {serveTLS(t, text(page), demanding), "TLS: the handshake failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := survives(t, c.base, ask, generous)
			if got := fmt.Sprint(o.Err); !bytes.HasPrefix([]byte(got), []byte(c.want)) || o.Status != 0 {
				t.Errorf("got %d, %s\nwant %s", o.Status, got, c.want)
			}
		})
	}
}
