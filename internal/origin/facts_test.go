package origin_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"reflect"
	"testing"
	"time"

	"mirror/internal/mixedcontent"
	"mirror/internal/origin"
	"mirror/internal/origin/facts"
)

func TestFacts(t *testing.T) {
	expires := time.Now().Add(5 * 24 * time.Hour).Truncate(time.Second).UTC()
	base := serveTLS(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/none" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Strict-Transport-Security", "max-age=63072000")
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, `<img src="http://a.example/x.png">`)
	}, &tls.Config{Certificates: []tls.Certificate{certificate(trusted, func(c *x509.Certificate) { c.NotAfter = expires })}})
	c := client(t, base, origin.Options{})
	if got := c.Facts(); !reflect.DeepEqual(got, facts.Facts{}) {
		t.Errorf("before anything was asked: got %+v", got)
	}
	for _, path := range []string{"none", "", "none", ""} {
		c.Fetch(t.Context(), origin.Page{URL: path, Path: path + "index.html"})
	}
	want := facts.Facts{
		Protocol: "HTTP/2.0", TLS: "TLS 1.3", Expires: expires, HSTS: "max-age=63072000",
		Names: []string{"127.0.0.1"}, Issuer: "an authority",
		Mixed: facts.Mixed{Count: 1, Pages: 1, Examples: []facts.MixedResource{{Page: "index.html", Resource: mixedcontent.Resource{Element: "img", URL: "http://a.example/x.png"}}}},
	}
	if got := c.Facts(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	plain := client(t, serve(t, text(`<img src="http://a.example/x.png">`)), origin.Options{})
	plain.Fetch(t.Context(), ask)
	if got := plain.Facts(); !reflect.DeepEqual(got, facts.Facts{Protocol: "HTTP/1.1"}) {
		t.Errorf("by http: got %+v", got)
	}
}
