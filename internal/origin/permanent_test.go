package origin_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"mirror/internal/origin"
)

// Only what no deployment changes is permanent: a publish does not wait for it.
func TestPermanentFailures(t *testing.T) {
	redirects := func(status int, to string) string {
		return serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(status)
		}) + "/"
	}
	badRequest := func(body string) string {
		return serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, body)
		}) + "/"
	}
	secure := httptest.NewUnstartedServer(text(page))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	for name, c := range map[string]struct {
		base, want string
	}{
		"no such host":          {"http://no-such-host.example/", "DNS: no such host"},
		"away for ever":         {redirects(301, "https://blog.example.com/"), "answers 301, away to https://blog.example.com"},
		"to https":              {redirects(308, "https://127.0.0.1/"), "answers 308, away to https://127.0.0.1"},
		"a wrong certificate":   {secure.URL + "/", "TLS: the certificate is self-signed"},
		"plain HTTP":            {"https" + serve(t, text(page))[len("http"):] + "/", "TLS: plain HTTP answers on this port (hint: is it http:, not https:?)"},
		"TLS at http:":          {"http" + secure.URL[len("https"):] + "/", "TLS: the port expects TLS (hint: is it https:, not http:?)"},
		"TLS of nginx":          {badRequest("<title>400 The plain HTTP request was sent to HTTPS port</title>"), "TLS: the port expects TLS (hint: is it https:, not http:?)"},
		"a bad request":         {badRequest("no cookie"), ""},
		"away for now":          {redirects(302, "https://blog.example.com/"), ""},
		"another page":          {redirects(301, "/elsewhere/"), ""},
		"another host, no page": {redirects(301, "mailto:me@example.com"), ""},
		"not found":             {serve(t, http.NotFound) + "/", ""},
		"nothing listens":       {"http://127.0.0.1:1/", ""},
		"the page":              {serve(t, text(page)) + "/", ""},
	} {
		client := origin.New(endpoint(t, c.base, origin.Options{}))
		o := client.Fetch(t.Context(), ask)
		client.Close()
		why, ok := origin.Permanent(o)
		if ok != (c.want != "") || ok && why != c.want {
			t.Errorf("%s: got %v, %q for %d %v; want %q", name, ok, why, o.Status, o.Err, c.want)
		}
	}
}
