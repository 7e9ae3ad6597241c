package oci

import (
	"net/http"
	"strings"

	"mirror/targets"
)

// fenced asks the fence of a commit before each manifest that it stores. A registry compares
// nothing, so this is the last moment at which a lost reservation elsewhere is noticed.
type fenced struct{ base http.RoundTripper }

// RoundTrip sends the request, or gives the fence's error.
func (f fenced) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
		if err := targets.Fence(r.Context()); err != nil {
			if r.Body != nil {
				_ = r.Body.Close() // it was not read
			}
			return nil, err
		}
	}
	return f.base.RoundTrip(r)
}
