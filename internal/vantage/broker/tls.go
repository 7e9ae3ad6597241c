package broker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"mirror/internal/atomicfile"
	"mirror/internal/regular"
)

// maxCertificate bounds the file of the certificate, in bytes.
const maxCertificate = 64 << 10

// serverTLS is the TLS of the embedded server beyond loopback. Its certificate is its own: agents know
// the key's digest from the line that enrols them, and need no authority and no name.
func serverTLS(dir string) (*tls.Config, error) {
	cert, err := certificate(dir)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}, nil
}

func certificate(dir string) (tls.Certificate, error) {
	file := filepath.Join(dir, "tls.pem")
	text, err := regular.ReadFile(file, maxCertificate)
	if errors.Is(err, os.ErrNotExist) {
		if text, err = makeCertificate(); err == nil {
			err = atomicfile.WriteFile(file, text, 0o600)
		}
	}
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(text, text)
}

// makeCertificate returns a new key and a certificate for it, in PEM.
func makeCertificate() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mirror"}, DNSNames: []string{"mirror"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // the pin tells, whatever a clock says
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...), nil
}

// pinOf is the digest of a certificate's key (RFC 7469, section 2.4, in URL-safe base64).
func pinOf(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// serverPin is the pin of the server in a folder, which is made where it is missing.
func serverPin(dir string) (string, error) {
	cert, err := certificate(dir)
	if err != nil {
		return "", err
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return "", err
	}
	return pinOf(leaf), nil
}

// errPin says that a server is not the one that the agent was enrolled with.
var errPin = errors.New("the server's key is not the one that this agent was enrolled with")

// pinnedTLS trusts one key, and nothing else.
func pinnedTLS(pin string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: "mirror",
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection compares the key, which is stricter
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || pinOf(s.PeerCertificates[0]) != pin {
				return fmt.Errorf("%w (hint: enrol the place again)", errPin)
			}
			return nil
		},
	}
}
