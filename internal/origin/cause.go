package origin

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mirror/internal/oserr"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// Cause is why no whole answer came, for errors.Is. An Observation's error begins with it.
type Cause string

// The causes.
const (
	NoName          Cause = "DNS"
	Refused         Cause = "connection refused"
	NoRoute         Cause = "no route"
	BadTLS          Cause = "TLS"
	TimedOut        Cause = "timeout"
	ConnectionReset Cause = "connection reset"
	Cut             Cause = "cut"
	Malformed       Cause = "malformed answer"
	BadChunks       Cause = "invalid chunking"
	LongHeader      Cause = "header too large"
	BadEncoding     Cause = "broken encoding"
	Bomb            Cause = "encoding bomb" // which is site.ErrTooLong too
	BadHTTP2        Cause = "HTTP/2"
	Busy            Cause = "busy"
	BadProxy        Cause = "proxy" // that stands before the origin, which was not asked
	Unknown         Cause = "no answer"
)

// Error is the cause in a few words.
func (c Cause) Error() string { return string(c) }

// failure is an error in a person's words: without the URL, which is told beside it, and
// without bytes of the origin's.
type failure struct {
	cause Cause
	said  string
	err   error
}

func fail(cause Cause, said string, err error) error { return &failure{cause, said, err} }

// Error tells the cause and what was seen of it.
func (f *failure) Error() string { return string(f.cause) + ": " + f.said }

// Unwrap returns the cause, and the error that it was told from where there is one.
func (f *failure) Unwrap() []error {
	if f.err == nil {
		return []error{f.cause}
	}
	return []error{f.cause, f.err}
}

func nameFault(err error) (Cause, string) {
	dns, ok := errors.AsType[*net.DNSError](err)
	switch {
	case !ok:
		return "", ""
	case dns.IsNotFound:
		return NoName, "no such host"
	case dns.IsTimeout:
		return NoName, "the name servers do not answer"
	}
	return NoName, printable(dns.Err)
}

func networkFault(err error) (Cause, string) {
	timeout, ok := errors.AsType[net.Error](err)
	switch {
	case oserr.Refused(err):
		return Refused, "nothing listens there (hint: is the server up, and is the port right?)"
	case oserr.Unreachable(err):
		return NoRoute, "the network does not lead to the host"
	case oserr.Reset(err):
		return ConnectionReset, "the origin dropped the connection"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return Cut, "the connection ended in the middle of the answer"
	case errors.Is(err, io.EOF), strings.Contains(err.Error(), "server closed"):
		return Cut, "the connection ended before any answer (EOF)"
	case ok && timeout.Timeout():
		return TimedOut, "the connection was not ready in time"
	}
	return "", ""
}

// protocolFault knows net/http's errors by their text: most have no type.
func protocolFault(err error) (Cause, string) {
	text := err.Error()
	has := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(text, part) {
				return true
			}
		}
		return false
	}
	reset, ok := errors.AsType[streamError](err)
	switch {
	case ok && has("received from peer"):
		return BadHTTP2, fmt.Sprintf("the origin ended the request with the error code %d (RFC 9113, section 7)", reset.Code)
	case has("response headers exceeded", "header list larger", "responses too large"):
		return LongHeader, "the answer's header is over 64 KiB"
	case has("chunk", "header line too long"):
		return BadChunks, "the body's parts are not as they should be"
	case has("GOAWAY"):
		return BadHTTP2, "the origin closed the connection (GOAWAY)"
	case ok, has("http2:", "connection error:", "malformed response from server"):
		return BadHTTP2, "what answers breaks the protocol"
	case has("malformed", "Content-Length", "transfer encoding", "Transfer-Encoding", "transport connection broken", "textproto"):
		return Malformed, "what answers does not speak HTTP as it should"
	}
	return "", ""
}

// streamError takes the fields of net/http's own error of a stream, which has no public type.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

// Error names the code (RFC 9113, section 7).
func (e streamError) Error() string { return "stream error " + strconv.Itoa(int(e.Code)) }

// tlsFault tells why there is no trusted connection.
func tlsFault(err error) (Cause, string) {
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	host, isHost := errors.AsType[x509.HostnameError](err)
	unknown, isUnknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	record, isRecord := errors.AsType[tls.RecordHeaderError](err)
	_, isAlert := errors.AsType[tls.AlertError](err)
	switch {
	case isInvalid:
		return BadTLS, invalidity(invalid)
	case isHost:
		return BadTLS, "the certificate is for another host: " + namesOf(host.Certificate)
	case isUnknown:
		return BadTLS, unknownness(unknown)
	case isCertificate:
		return BadTLS, "the certificate cannot be verified: " + printable(err.Error())
	case errors.Is(err, http.ErrSchemeMismatch), isRecord && string(record.RecordHeader[:]) == "HTTP/":
		return BadTLS, "plain HTTP answers on this port (hint: is it http:, not https:?)"
	case errors.Is(err, errTLSPort):
		return BadTLS, "the port expects TLS (hint: is it https:, not http:?)"
	case isRecord:
		return BadTLS, "what answers on this port does not speak TLS"
	case isAlert, strings.Contains(err.Error(), "tls: "):
		return BadTLS, tlsText(err.Error())
	}
	return "", ""
}

func invalidity(err x509.CertificateInvalidError) string {
	const day = "2006-01-02 15:04 MST"
	if err.Reason != x509.Expired {
		return "the certificate is not valid: " + printable(err.Error())
	}
	if err.Cert != nil && strings.Contains(err.Detail, "is before") {
		return "the certificate is not valid before " + err.Cert.NotBefore.UTC().Format(day)
	}
	if err.Cert != nil {
		return "the certificate expired on " + err.Cert.NotAfter.UTC().Format(day)
	}
	return "the certificate expired"
}

func unknownness(err x509.UnknownAuthorityError) string {
	if err.Cert != nil && string(err.Cert.RawIssuer) == string(err.Cert.RawSubject) {
		return "the certificate is self-signed"
	}
	return "the certificate is by an authority that is not trusted here"
}

// namesOf lists some of what a certificate is for, quoted: it is the origin's text.
func namesOf(c *x509.Certificate) string {
	if c == nil {
		return "unknown"
	}
	names := c.DNSNames
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "it names none"
	}
	const some = 3
	var quoted []string
	for _, name := range names[:min(len(names), some)] {
		quoted = append(quoted, printable(name))
	}
	if len(names) > some {
		quoted = append(quoted, "…")
	}
	return strings.Join(quoted, ", ")
}

func tlsText(text string) string {
	_, said, _ := strings.Cut(text, "tls: ")
	switch {
	case strings.Contains(said, "protocol version"):
		return "the origin speaks only versions older than TLS 1.2"
	case strings.Contains(said, "handshake timeout"):
		return "the handshake took too long"
	}
	return "the handshake failed: " + printable(said)
}

// brokenEncoding is the error of a body that does not decode.
func brokenEncoding(encoding string, err error) error {
	if errors.Is(err, errEncoding) {
		return fail(BadEncoding, fmt.Sprintf("the body is encoded more than once: %s", printable(encoding)), err)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fail(BadEncoding, fmt.Sprintf("the %s body is cut", encoding), nil)
	}
	return fail(BadEncoding, fmt.Sprintf("the body is no %s: %s", encoding, printable(err.Error())), err)
}

// printable bounds and escapes what may hold bytes of an origin's.
func printable(text string) string {
	const most = 120
	if len(text) > most {
		text = text[:most]
	}
	quoted := strconv.QuoteToASCII(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
