package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"mirror/internal/front/autotls"
)

// TLS says how visitors are served by https.
type TLS struct {
	Cert, Key string        // files, in PEM; "" for plain http
	HSTS      time.Duration // for how long browsers use https alone; 0 sends no header
	Redirect  string        // address on which plain http is answered with a redirect to https; "" for none
	// ACME gets the certificates from an authority, in place of the files. Its Log is that of the server.
	ACME autotls.Options
}

func (t TLS) on() bool { return t.Cert != "" || t.Key != "" || t.acme() }

func (t TLS) acme() bool { return len(t.ACME.Names) > 0 }

// secure is how visitors are served by https.
type secure struct {
	config *tls.Config     // nil for plain http
	files  *certificate    // nil without files
	issuer *autotls.Issuer // nil where no authority is asked
}

// open reads the certificate from its files.
func (t TLS) open(log *slog.Logger) (s secure, err error) {
	if t.Cert != "" || t.Key != "" {
		if s.files, err = newCertificate(t, log); err != nil {
			return s, err
		}
		s.config = s.files.config()
	}
	if !t.acme() {
		return s, nil
	}
	t.ACME.Log = log
	if s.files != nil {
		t.ACME.Fallback = s.files.get
	}
	s.issuer = autotls.New(t.ACME)
	s.config = s.issuer.Config()
	return s, nil
}

// lookAgain is how often the files are looked at for a new certificate, while visitors connect.
const lookAgain = 5 * time.Second

// certificate is the one in the files, read again when they change. Connections stay as they are.
type certificate struct {
	files TLS
	log   *slog.Logger

	mu     sync.Mutex // guards what follows
	pair   *tls.Certificate
	stamp  [2]time.Time // of the files that were read
	looked time.Time
}

func newCertificate(files TLS, log *slog.Logger) (*certificate, error) {
	if files.Cert == "" || files.Key == "" {
		return nil, errors.New("front.tls: cert and key go together")
	}
	c := &certificate{files: files, log: log}
	return c, c.read()
}

// read reads the files. The caller must hold mu, or be the only one that knows c.
func (c *certificate) read() error {
	stamp, err := c.times()
	if err != nil {
		return fmt.Errorf("front.tls: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
	if err != nil {
		return fmt.Errorf("front.tls: %s and %s: %w (hint: both are in PEM; the key is that of the first certificate in cert, and those of the authority follow it)", c.files.Cert, c.files.Key, err)
	}
	c.pair, c.stamp = &pair, stamp
	return nil
}

// times returns when the files were written. What is no file is an error: reading a pipe could take for ever.
func (c *certificate) times() (stamp [2]time.Time, err error) {
	for i, name := range []string{c.files.Cert, c.files.Key} {
		info, err := os.Stat(name)
		if err != nil {
			return stamp, err
		}
		if !info.Mode().IsRegular() {
			return stamp, fmt.Errorf("%s is not a file", name)
		}
		stamp[i] = info.ModTime()
	}
	return stamp, nil
}

// get returns the certificate for a connection. One that cannot be read leaves the one before in use.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < lookAgain {
		return c.pair, nil
	}
	c.looked = time.Now()
	stamp, err := c.times()
	if err == nil && stamp == c.stamp {
		return c.pair, nil
	}
	if err := c.read(); err != nil {
		c.log.Warn("the new certificate cannot be used, the one before stays", "err", err)
	} else {
		c.log.Info("a new certificate is in use")
	}
	return c.pair, nil
}

// look has the files looked at for the next connection.
func (c *certificate) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looked = time.Time{}
}

// config is for a listener that speaks TLS, with HTTP/2 where the visitor can.
func (c *certificate) config() *tls.Config {
	return &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}

// withHSTS has all answers say for how long browsers are to use https.
func withHSTS(next http.Handler, age time.Duration) http.Handler {
	if age <= 0 {
		return next
	}
	value := []string{"max-age=" + strconv.FormatInt(int64(age/time.Second), 10)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Strict-Transport-Security"] = value
		next.ServeHTTP(w, r)
	})
}

// toHTTPS leads from http to https. port is that of https.
func toHTTPS(port int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		host = strings.Trim(host, "[]")
		if host == "" || strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789.-_:") != "" {
			http.Error(w, "the request names no host", http.StatusBadRequest)
			return
		}
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		if port != 443 {
			host += ":" + strconv.Itoa(port)
		}
		to := url.URL{Scheme: "https", Host: host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
		w.Header().Set("Location", to.String())
		w.WriteHeader(http.StatusPermanentRedirect)
	})
}
