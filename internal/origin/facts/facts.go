// Package facts gathers what the answers of an origin tell beside the pages: its certificate, HSTS, and what
// its https pages load over http.
package facts

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Facts is what a client has learnt beside the pages of how an origin serves.
type Facts struct {
	Protocol string    // of HTTP, as in "HTTP/2.0"; "" where nothing answered
	TLS      string    // version, as in "TLS 1.3"; "" for plain http
	Expires  time.Time // of the certificate; zero for plain http
	Names    []string  // that the certificate is for, the first ten; the origin's text
	Issuer   string    // of the certificate, as its organisation calls itself
	HSTS     string    // the Strict-Transport-Security header (RFC 6797), 200 bytes at most
	Mixed    Mixed
	Plain    *PlainHTTP // how it answers at http://; nil where it was not asked
}

// PlainHTTP is how an https origin answers for its home page at http://.
type PlainHTTP struct {
	Status   int    // 0 for no answer
	Location string // of a redirect, 200 bytes at most; the origin's text
	Err      string // why there is no answer
}

// Book gathers the facts of one origin. Once they are known they cost next to nothing. It is safe for
// concurrent use.
type Book struct {
	Mixed MixedBook

	facts atomic.Pointer[Facts]
	known atomic.Bool
	plain atomic.Pointer[PlainHTTP]
}

// Facts returns what is known so far. All but Mixed and Plain is of the first page that answered 200,
// or while there is none of the latest answer.
func (l *Book) Facts() Facts {
	var f Facts
	if first := l.facts.Load(); first != nil {
		f = *first
	}
	f.Mixed, f.Plain = l.Mixed.total(), l.plain.Load()
	return f
}

// Plain returns how the origin answered at http://, nil where it was not asked.
func (l *Book) Plain() *PlainHTTP { return l.plain.Load() }

// SetPlain keeps how the origin answered at http://.
func (l *Book) SetPlain(p PlainHTTP) {
	p.Location = Clip(p.Location[:min(len(p.Location), 200)])
	l.plain.Store(&p)
}

// What is kept of a certificate.
const (
	maxNames = 10
	maxName  = 255 // bytes
)

// From learns from an answer whose header has come.
func (l *Book) From(resp *http.Response) {
	if l.known.Load() {
		return
	}
	f := &Facts{Protocol: resp.Proto}
	if t := resp.TLS; t != nil {
		f.TLS = tls.VersionName(t.Version)
		if len(t.PeerCertificates) > 0 {
			f.certificate(t.PeerCertificates[0])
		}
		f.HSTS = resp.Header.Get("Strict-Transport-Security")
		f.HSTS = f.HSTS[:min(len(f.HSTS), 200)]
	}
	if resp.StatusCode == http.StatusOK && !l.known.Swap(true) || !l.known.Load() {
		l.facts.Store(f)
	}
}

func (f *Facts) certificate(c *x509.Certificate) {
	f.Expires = c.NotAfter
	for _, name := range c.DNSNames[:min(len(c.DNSNames), maxNames)] {
		f.Names = append(f.Names, Clip(name))
	}
	for _, ip := range c.IPAddresses[:min(len(c.IPAddresses), maxNames-len(f.Names))] {
		f.Names = append(f.Names, ip.String())
	}
	f.Issuer = c.Issuer.CommonName
	if len(c.Issuer.Organization) > 0 {
		f.Issuer = c.Issuer.Organization[0]
	}
	f.Issuer = Clip(f.Issuer)
}

// Clip is text that an origin sent, valid and 255 bytes at most.
func Clip(text string) string { return strings.ToValidUTF8(text[:min(len(text), maxName)], "") }

// pageType is the media type of a page or a style sheet, "" for anything else.
func pageType(h http.Header) string {
	t := h.Get("Content-Type")
	for _, known := range [...]string{"text/html", "text/css", "application/xhtml+xml"} {
		if len(t) >= len(known) && strings.EqualFold(t[:len(known)], known) {
			return known
		}
	}
	return ""
}
