package origin

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
)

// errTLSPort says that the port of an http: URL expects TLS.
var errTLSPort = errors.New("a TLS server answers on the port")

// tlsPortTexts are what servers answer, with status 400, to plain HTTP on a port with TLS: Go's net/http and Caddy, nginx, Apache httpd.
var tlsPortTexts = [][]byte{
	[]byte("Client sent an HTTP request to an HTTPS server"),
	[]byte("The plain HTTP request was sent to HTTPS port"),
	[]byte("speaking plain HTTP to an SSL-enabled server port"),
}

// onTLSPort reports whether an answer is that of a server which expects TLS. The body can still be read.
func onTLSPort(resp *http.Response) bool {
	if resp.StatusCode != http.StatusBadRequest || resp.Request.URL.Scheme != "http" {
		return false
	}
	body := bufio.NewReaderSize(resp.Body, 1<<10)
	start, _ := body.Peek(1 << 10) // an error comes again to the one who reads the body
	resp.Body = struct {
		*bufio.Reader
		closer
	}{body, resp.Body}
	for _, text := range tlsPortTexts {
		if bytes.Contains(start, text) {
			return true
		}
	}
	return false
}

type closer interface{ Close() error }
