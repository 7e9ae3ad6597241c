package origin

import (
	"crypto/tls"
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
	HSTS     string    // the Strict-Transport-Security header (RFC 6797), 200 bytes at most
	Mixed    int       // http:// resources that https pages embed, as far as pages were read
}

// learnt gathers the facts. Once they are known they cost next to nothing.
type learnt struct {
	facts atomic.Pointer[Facts]
	known atomic.Bool
	mixed atomic.Int64
	idle  atomic.Pointer[scanner] // one that can be used again
}

func (l *learnt) from(resp *http.Response) {
	if l.known.Load() {
		return
	}
	f := &Facts{Protocol: resp.Proto}
	if t := resp.TLS; t != nil {
		f.TLS = tls.VersionName(t.Version)
		if len(t.PeerCertificates) > 0 {
			f.Expires = t.PeerCertificates[0].NotAfter
		}
		f.HSTS = resp.Header.Get("Strict-Transport-Security")
		f.HSTS = f.HSTS[:min(len(f.HSTS), 200)]
	}
	if resp.StatusCode == http.StatusOK && !l.known.Swap(true) || !l.known.Load() {
		l.facts.Store(f)
	}
}

func (l *learnt) scanner() *scanner {
	if s := l.idle.Swap(nil); s != nil {
		s.reset()
		return s
	}
	return &scanner{}
}

func (l *learnt) scanned(s *scanner) {
	if s.found > 0 {
		l.mixed.Add(int64(s.found))
	}
	l.idle.Store(s)
}

func isHTML(h http.Header) bool {
	const html = "text/html"
	t := h.Get("Content-Type")
	return len(t) >= len(html) && strings.EqualFold(t[:len(html)], html)
}
