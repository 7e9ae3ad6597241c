package origin

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"mirror/internal/netname"
	"mirror/site"
)

// Permanent reports whether an answer shows a failure that lasts however long one waits, and which:
// the host does not exist, its certificate is not one for it, or it redirects for ever to another
// host, or to https. What a deployment may still change, such as 404 or a refused connection, is none.
func Permanent(o site.Observation) (why string, ok bool) {
	if o.Err != nil {
		return o.Err.Error(), lasts(o.Err)
	}
	if o.Status != http.StatusMovedPermanently && o.Status != http.StatusPermanentRedirect {
		return "", false
	}
	to, away := Away(o)
	if !away {
		return "", false
	}
	return fmt.Sprintf("answers %d, away to %s://%s", o.Status, to.Scheme, to.Host), true
}

func lasts(err error) bool {
	dns, isDNS := errors.AsType[*net.DNSError](err)
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	record, isRecord := errors.AsType[tls.RecordHeaderError](err)
	return isDNS && dns.IsNotFound && errors.Is(err, NoName) || isCertificate ||
		errors.Is(err, http.ErrSchemeMismatch) || errors.Is(err, errTLSPort) || isRecord && string(record.RecordHeader[:]) == "HTTP/"
}

// Away returns where a redirect leads, if that is another host, another port or another scheme.
func Away(o site.Observation) (to *url.URL, away bool) {
	from, err := url.Parse(o.URL)
	if err != nil || o.Status/100 != 3 || o.Header.Get("Location") == "" {
		return nil, false
	}
	to, err = from.Parse(o.Header.Get("Location"))
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return nil, false
	}
	return to, to.Scheme != from.Scheme || to.Port() != from.Port() || !netname.Same(to.Hostname(), from.Hostname())
}
