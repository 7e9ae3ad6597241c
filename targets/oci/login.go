package oci

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"mirror/internal/oserr"
)

// A registry's token may expire at any request, and others of the same session may use up the new
// one before a request is sent again. The library then renews the token and sends the request once
// more, without its body where that was read; what follows adds the rest.

// rewinding sends each request with a body of its own, from the beginning, also where the same
// request was sent before.
type rewinding struct {
	base    http.RoundTripper
	granted atomic.Bool // a token was good for a request
}

// RoundTrip sends the request.
func (t *rewinding) RoundTrip(req *http.Request) (*http.Response, error) {
	whole, err := rewound(req)
	if err != nil {
		return nil, err
	}
	resp, err := t.base.RoundTrip(whole)
	if err == nil && resp.StatusCode < 400 && strings.HasPrefix(req.Header.Get("Authorization"), "Bearer ") {
		t.granted.Store(true)
	}
	return resp, err
}

// rewound is a request with its body from the beginning.
func rewound(req *http.Request) (*http.Request, error) {
	if req.GetBody == nil || req.Body == nil {
		return req, nil
	}
	body, err := req.GetBody()
	if closed := req.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	whole := req.Clone(req.Context())
	whole.Body = body
	return whole, nil
}

// expired reports whether an error is of a token that was good before. A wrong password is not tried
// again.
func (t *rewinding) expired(err error) bool {
	return t.granted.Load() && isStatus(err, http.StatusUnauthorized)
}

// worthRepeating reports whether an upload is repeated after an error: where the connection broke,
// where the registry says that it is temporary, and where the token had expired in the middle.
func (t *rewinding) worthRepeating(err error) bool {
	if temporary, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err); ok && temporary.Temporary() {
		return true
	}
	for _, broken := range []error{io.ErrUnexpectedEOF, io.EOF, net.ErrClosed} {
		if errors.Is(err, broken) {
			return true
		}
	}
	if oserr.Reset(err) {
		return true
	}
	return t.expired(err)
}
