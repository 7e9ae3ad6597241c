package admin

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"mirror/internal/front"
	"mirror/internal/origin"
	"mirror/site"
)

func newFront(t *testing.T) *front.Front {
	t.Helper()
	f, err := front.New(front.Options{
		Origins: []origin.Endpoint{{Name: "<b>disk</b>", URL: &url.URL{Scheme: "http", Host: "127.0.0.1:1", Path: "/"}}},
		Beacon:  site.DefaultBeacon, Dir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// TestWhoSeesTheStatus asks as people and programs do.
func TestWhoSeesTheStatus(t *testing.T) {
	for _, c := range []struct {
		name, token, remote, host string
		header                    http.Header
		want                      int
	}{
		{"this machine", "", "127.0.0.1:5000", "localhost:8080", nil, 200},
		{"this machine, by IPv6", "", "[::1]:5000", "[::1]:8080", nil, 200},
		{"another machine", "", "203.0.113.7:5000", "127.0.0.1:8080", nil, 403},
		{"a page in a browser here, under its own name", "", "127.0.0.1:5000", "evil.example", nil, 403},
		{"by another proxy on this machine", "", "127.0.0.1:5000", "localhost", http.Header{"X-Forwarded-For": {"203.0.113.7"}}, 403},
		{"without the token", "secret", "127.0.0.1:5000", "localhost", nil, 403},
		{"with a wrong token", "secret", "127.0.0.1:5000", "localhost", http.Header{"Authorization": {"Bearer secre"}}, 403},
		{"with the token", "secret", "203.0.113.7:5000", "blog.example", http.Header{"Authorization": {"Bearer secret"}}, 200},
	} {
		for _, path := range []string{Path, MetricsPath} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.RemoteAddr, r.Host = c.remote, c.host
			for name, values := range c.header {
				r.Header[name] = values
			}
			w := httptest.NewRecorder()
			New(newFront(t), c.token, "test").ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("%s gets %d at %s, want %d", c.name, w.Code, path, c.want)
			}
		}
	}
}

func TestStatusAndMetrics(t *testing.T) {
	server := httptest.NewServer(New(newFront(t), "", "test"))
	defer server.Close()
	get := func(path, accept string) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", accept)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var s Status
	if err := json.Unmarshal([]byte(get(Path, "*/*")), &s); err != nil || s.Schema != "mirror.front-status/v1" || len(s.Origins) != 1 || s.Origins[0].State != "unreachable" {
		t.Errorf("the status is %+v (%v)", s, err)
	}
	if page := get(Path, "text/html"); !strings.Contains(page, "&lt;b&gt;disk") || !strings.Contains(page, "No release is served yet") {
		t.Errorf("the page is %s", page)
	}
	if text := get(MetricsPath, "*/*"); !strings.Contains(text, `mirror_origin_up{origin="<b>disk</b>"} 0`) || !strings.Contains(text, "mirror_front_requests_total 0") {
		t.Errorf("the metrics are %s", text)
	}
}
