package render_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mirror/internal/front/render"
	"mirror/internal/realserver"
	"mirror/site"
)

const (
	beacon  = "/.well-known/mirror.json"
	release = site.ID("c0b6c85caa63000000000000000000000000000000000000000000000000aaaa")
	older   = site.ID("2503d60b12c8000000000000000000000000000000000000000000000000bbbb")
)

// host is an origin whose pages say who served them.
type host struct {
	name string
	base string
	mood atomic.Pointer[string] // "", "503", "parked", "stale"
	hits atomic.Int64           // requests other than those for the beacon
}

func (h *host) set(mood string) { h.mood.Store(&mood) }

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ours := strings.CutPrefix(r.URL.Path, h.base)
	if !strings.HasSuffix(r.URL.Path, beacon) {
		h.hits.Add(1)
	}
	w.Header().Set("Set-Cookie", "tracked=1")
	w.Header().Set("X-Host", r.Host)
	w.Header().Set("X-Accel-Redirect", "/secret")
	switch mood := *h.mood.Load(); {
	case mood == "503":
		http.Error(w, "down", http.StatusServiceUnavailable)
	case mood == "parked":
		http.Redirect(w, r, "https://parking.example/shutdown", http.StatusMovedPermanently)
	case !ours:
		http.Error(w, "outside of the base", http.StatusTeapot)
	case path == beacon && mood == "stale":
		fmt.Fprintf(w, `{"release":%q}`, older)
	case path == beacon:
		fmt.Fprintf(w, `{"release":%q}`, release)
	case path == "/about":
		http.Redirect(w, r, "http://"+r.Host+h.base+"/about/", http.StatusMovedPermanently)
	case path == "/", path == "/about/":
		fmt.Fprintf(w, "%s of %s", path, h.name)
	default:
		http.NotFound(w, r)
	}
}

// world is three origins behind a rendered proxy.
type world struct {
	t     *testing.T
	hosts []*host
	url   string
}

// newWorld starts program with the configuration that is rendered for it.
func newWorld(t *testing.T, program string) *world {
	t.Helper()
	w := &world{t: t}
	p := render.Proxy{Listen: realserver.Loopback(realserver.FreePort(t)), Beacon: beacon, Release: release, Cache: filepath.Join(t.TempDir(), "cache")}
	for _, name := range []string{"pages", "bucket", "image"} {
		h := &host{name: name, base: map[string]string{"pages": "/blog"}[name]}
		h.set("")
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		at, err := url.Parse(server.URL + h.base + "/")
		if err != nil {
			t.Fatal(err)
		}
		p.Origins = append(p.Origins, render.Origin{Name: name, URL: at})
		w.hosts = append(w.hosts, h)
		p.Ports = append(p.Ports, realserver.FreePort(t))
	}
	text, err := render.Config(program, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(text)
		}
	})
	realserver.Proxy(t, program, text, p.Listen)
	w.url = "http://" + p.Listen
	return w
}

// ask returns the status, the body and the header of an answer. It follows no redirect.
func (w *world) ask(path string) (int, string, http.Header) {
	w.t.Helper()
	client := http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Get(w.url + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.StatusCode, string(body), answer.Header
}

// comesFrom waits until / is of one of the hosts named.
func (w *world) comesFrom(path string, names ...string) {
	w.t.Helper()
	var status int
	var body string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		status, body, _ = w.ask(path)
		for _, name := range names {
			if status == http.StatusOK && body == "/ of "+name {
				return
			}
		}
	}
	w.t.Errorf("%s: got %d %q, want a page of one of %q", path, status, body, names)
}

func TestRenderedProxies(t *testing.T) {
	for _, program := range render.Programs() {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, program)
			w.comesFrom("/?a", "pages", "bucket", "image")
			if _, _, header := w.ask("/?b"); header.Get("Set-Cookie") != "" {
				t.Error("an origin's cookie reaches visitors")
			}
			for range 3 { // whichever origin is asked
				status, _, header := w.ask("/about")
				if at := header.Get("Location"); status < 301 || status > 302 || strings.TrimPrefix(at, w.url) != "/about/" {
					t.Errorf("/about: got %d to %q, want a redirect to /about/", status, at)
				}
			}
			before := w.hosts[0].hits.Load() + w.hosts[1].hits.Load() + w.hosts[2].hits.Load()
			if status, _, _ := w.ask("/deleted"); status != http.StatusNotFound {
				t.Errorf("a page that is gone: got %d", status)
			}
			if asked := w.hosts[0].hits.Load() + w.hosts[1].hits.Load() + w.hosts[2].hits.Load() - before; asked != 1 {
				t.Errorf("%d origins were asked for a page that is gone", asked)
			}
			for i, mood := range []string{"503", "parked"} {
				w.hosts[i].set(mood)
			}
			for i := range 6 {
				if status, body, _ := w.ask(fmt.Sprintf("/?c%d", i)); status != http.StatusOK || body != "/ of image" {
					t.Errorf("with one origin down and one parked: got %d %q", status, body)
				}
			}
			if program == "nginx" {
				return // it looks at no beacon
			}
			for i, mood := range []string{"stale", "", "stale"} {
				w.hosts[i].set(mood)
			}
			w.comesFrom("/?d", "bucket")
			for _, h := range w.hosts {
				h.set("stale")
			}
			w.comesFrom("/?e", "pages", "image")
		})
	}
}

func TestNginxServesItsCacheWhileAllAreDown(t *testing.T) {
	w := newWorld(t, "nginx")
	w.comesFrom("/", "pages", "bucket", "image")
	for _, h := range w.hosts {
		h.set("503")
	}
	if status, body, _ := w.ask("/"); status != http.StatusOK {
		t.Errorf("got %d %q", status, body)
	}
}

// TestByHTTPS has each program read a configuration of hosts that are reached by https.
func TestByHTTPS(t *testing.T) {
	p := render.Proxy{Listen: ":8080", Beacon: beacon, Origins: []render.Origin{
		{Name: "my pages", URL: &url.URL{Scheme: "https", Host: "localhost", Path: "/my.blog/"}},
		{Name: "博客", URL: &url.URL{Scheme: "https", Host: "127.0.0.1:8443"}},
	}, CAs: certificates(t), Cache: filepath.Join(t.TempDir(), "cache")}
	for _, program := range render.Programs() {
		text, err := render.Config(program, p)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := realserver.ProxyCheck(t, program, text).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s\n%s", program, err, out, text)
		}
	}
}

// certificates returns a file with a certificate.
func certificates(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRefused(t *testing.T) {
	good := render.Origin{Name: "a", URL: &url.URL{Scheme: "https", Host: "a.example"}}
	for name, c := range map[string]struct {
		program string
		proxy   render.Proxy
	}{
		"another program": {"apache", render.Proxy{Listen: ":80", Origins: []render.Origin{good}}},
		"no origin":       {"nginx", render.Proxy{Listen: ":80"}},
		"listen":          {"nginx", render.Proxy{Listen: ":80; include /etc/passwd", Origins: []render.Origin{good}}},
		"beacon":          {"caddy", render.Proxy{Listen: ":80", Beacon: "/a b", Origins: []render.Origin{good}}},
		"release":         {"haproxy", render.Proxy{Listen: ":80", Release: "x\nserver evil", Origins: []render.Origin{good}}},
		"host":            {"nginx", render.Proxy{Listen: ":80", Origins: []render.Origin{{Name: "a", URL: &url.URL{Scheme: "https", Host: "a;b"}}}}},
		"path":            {"nginx", render.Proxy{Listen: ":80", Origins: []render.Origin{{Name: "a", URL: &url.URL{Scheme: "https", Host: "a", Path: "/$x{"}}}}},
		"scheme":          {"nginx", render.Proxy{Listen: ":80", Origins: []render.Origin{{Name: "a", URL: &url.URL{Scheme: "file", Host: "a"}}}}},
	} {
		if text, err := render.Config(c.program, c.proxy); err == nil {
			t.Errorf("%s: got\n%s", name, text)
		}
	}
}
