// Package autotls gets the certificates of a front from a certificate authority by ACME (RFC 8555), and renews them.
// A visitor never waits for that: an issuer asks on its own, and connections get what is there.
package autotls

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// Options say which certificates are wanted, and from whom.
type Options struct {
	Names     []string // host names; a request without a name gets the certificate of the first one
	Email     string   // that the authority writes to; "" for none
	Directory string   // URL of the authority; "" for Let's Encrypt
	Dir       string   // where the account, the keys and the certificates are kept
	// Fallback is asked for the certificate of a connection where the authority has given none; nil for none.
	Fallback func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	Roots    *x509.CertPool // that the authority's own server is trusted by; nil for the system's
	Retry    time.Duration  // after a failure, twice as long after each further one up to an hour; 0 for 5 minutes
	Log      *slog.Logger
}

// Times between two looks at a certificate: one that is there may be renewed, one that could not be had is asked for
// again. Authorities allow about five failures an hour.
const (
	lookAgain  = time.Hour
	firstRetry = 5 * time.Minute
	lastRetry  = time.Hour
)

// Issuer has the certificates. It is safe for concurrent use.
type Issuer struct {
	options Options
	manager *autocert.Manager

	mu    sync.Mutex // guards pairs
	pairs map[string]*tls.Certificate
}

// New returns an issuer that has no certificates yet: Run gets them.
func New(o Options) *Issuer {
	o.Retry = cmp.Or(o.Retry, firstRetry)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m := &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(o.Dir), HostPolicy: autocert.HostWhitelist(o.Names...), Email: o.Email,
		Client: &acme.Client{DirectoryURL: o.Directory, UserAgent: "mirror"},
	}
	if o.Directory == "" {
		m.Client.DirectoryURL = autocert.DefaultACMEDirectory
	}
	if o.Roots != nil {
		m.Client.HTTPClient = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: o.Roots}}}
	}
	return &Issuer{options: o, manager: m, pairs: map[string]*tls.Certificate{}}
}

// Config is for the listener of visitors. It answers the authority's challenges too (RFC 8737).
func (s *Issuer) Config() *tls.Config {
	return &tls.Config{GetCertificate: s.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1", acme.ALPNProto}}
}

// Plain answers the authority's challenges by http, and passes all other requests on.
func (s *Issuer) Plain(next http.Handler) http.Handler { return s.manager.HTTPHandler(next) }

// Run gets and renews the certificates until ctx ends.
func (s *Issuer) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, name := range s.options.Names {
		all.Go(func() { s.follow(ctx, name) })
	}
	all.Wait()
}

// follow has the certificate of one name be there.
func (s *Issuer) follow(ctx context.Context, name string) {
	retry := s.options.Retry
	for {
		pause := lookAgain
		if err := s.issue(ctx, name); err != nil && ctx.Err() == nil {
			s.options.Log.Warn("a certificate could not be had (hint: port 443 of the name has to lead to this front, or port 80 with tls.redirect)", "name", name, "again", retry, "err", err)
			pause, retry = retry, min(2*retry, lastRetry)
		} else {
			retry = s.options.Retry
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// issue gets the certificate of a name from the folder, or from the authority. What is asked of the authority ends by
// itself within five minutes; it is not waited for when ctx ends.
func (s *Issuer) issue(ctx context.Context, name string) error {
	type answer struct {
		pair *tls.Certificate
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		hello := &tls.ClientHelloInfo{ServerName: name, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
		pair, err := s.manager.GetCertificate(hello)
		answered <- answer{pair, err}
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case a := <-answered:
		if a.err == nil {
			s.keep(name, a.pair)
		}
		return a.err
	}
}

// keep uses a certificate from now on.
func (s *Issuer) keep(name string, pair *tls.Certificate) {
	s.mu.Lock()
	before := s.pairs[name]
	s.pairs[name] = pair
	s.mu.Unlock()
	if before == nil || len(before.Certificate) > 0 && !slices.Equal(before.Certificate[0], pair.Certificate[0]) {
		s.options.Log.Info("a certificate is in use", "name", name)
	}
}

var errNone = errors.New("there is no certificate yet")

// get returns the certificate for a connection: of a visitor, or of the authority that looks for its challenge.
func (s *Issuer) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == acme.ALPNProto {
		return s.manager.GetCertificate(hello)
	}
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if name == "" {
		name = s.options.Names[0]
	}
	s.mu.Lock()
	pair := s.pairs[name]
	s.mu.Unlock()
	switch {
	case pair != nil:
		return pair, nil
	case s.options.Fallback != nil:
		return s.options.Fallback(hello)
	}
	return nil, fmt.Errorf("%w for %q", errNone, name)
}
