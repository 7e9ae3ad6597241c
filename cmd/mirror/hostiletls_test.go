package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// hostileTLS starts the origins that fail before or beside the pages.
func hostileTLS(t *testing.T) (roots string, all []hostility) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	// certificate is for the loopback host, changed by some; by itself where that is asked for.
	certificate := func(by *x509.Certificate, change func(c *x509.Certificate)) *tls.Config {
		c := &x509.Certificate{
			SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "an origin"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
			NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(time.Hour),
		}
		if by == nil {
			by = c
		}
		change(c)
		der, err := x509.CreateCertificate(rand.Reader, c, by, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"h2"}}
	}
	der, err := x509.CreateCertificate(rand.Reader, authority, authority, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	roots = filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	fine := func(*x509.Certificate) {}
	old := certificate(authority, fine)
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	return roots, []hostility{
		{"tls-expired", handshakes(t, certificate(authority, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) })), "unreachable", "TLS: the certificate expired"},
		{"tls-host", handshakes(t, certificate(authority, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"other.example"} })), "unreachable", "TLS: the certificate is for another host: other.example"},
		{"tls-self-signed", handshakes(t, certificate(nil, fine)), "unreachable", "TLS: the certificate is self-signed"},
		{"tls-old", handshakes(t, old), "unreachable", "TLS: the origin speaks only versions older"},
		{"tls-garbage", "https" + speak(t, func(c net.Conn) { io.WriteString(c, strings.Repeat("\x1b[2J", 99)) })[len("http"):], "unreachable", "TLS: "},
		{"tls-hung", "https" + speak(t, func(c net.Conn) { io.Copy(io.Discard, c) })[len("http"):], "unreachable", "timeout"},
		{"h2-goaway", byHTTP2(t, certificate(authority, fine), func(f *http2.Framer, id uint32) error {
			return f.WriteGoAway(id, http2.ErrCodeEnhanceYourCalm, []byte("\x1b[31m"))
		}), "unreachable", ""},
		{"h2-reset", byHTTP2(t, certificate(authority, fine), func(f *http2.Framer, id uint32) error {
			return f.WriteRSTStream(id, http2.ErrCodeInternal)
		}), "unreachable", "HTTP/2"},
		{"h2-hung", byHTTP2(t, certificate(authority, fine), func(*http2.Framer, uint32) error { return nil }), "unreachable", "timeout"},
	}
}

// handshakes serves nothing behind what TLS it has.
func handshakes(t *testing.T, config *tls.Config) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS, s.Config.ErrorLog = config, log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

// byHTTP2 has do answer each request.
func byHTTP2(t *testing.T, config *tls.Config, do func(f *http2.Framer, id uint32) error) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	go handle(t.Context(), l, func(c net.Conn) {
		if _, err := io.CopyN(io.Discard, c, int64(len(http2.ClientPreface))); err != nil {
			return
		}
		framer := http2.NewFramer(c, c)
		err := framer.WriteSettings()
		for err == nil {
			var frame http2.Frame
			if frame, err = framer.ReadFrame(); err != nil {
				return
			}
			switch f := frame.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					err = framer.WriteSettingsAck()
				}
			case *http2.HeadersFrame:
				err = do(framer, f.StreamID)
			}
		}
	})
	return "https://" + l.Addr().String()
}
