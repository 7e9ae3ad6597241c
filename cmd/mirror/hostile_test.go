package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mirror/internal/longtest"
	"mirror/internal/output"
	"mirror/reports/formats"
)

// hostileSite holds pages whose names are an attack on what prints them.
func hostileSite() map[string]string {
	return map[string]string{
		"index.html": "<h1>home</h1>", "404.html": "<h1>not here</h1>", "style.css": "b{}",
		"\x1b[31m<script>alert(1)</script>.html": "<p>escapes", "\u009b2J\x07.html": "<p>bells", "\u202egnp.html": "<p>backwards",
	}
}

// TestCheckOfHostileOrigins has the whole program look at all of them, and say so in every
// form that it knows: at those that hang with little patience, and at the others with much.
func TestCheckOfHostileOrigins(t *testing.T) {
	longtest.Skip(t, "waits for origins to be given up")
	t.Parallel()
	site := hostileSite()
	roots, cases := hostilities(t, site)
	for timeout, hang := range map[string]bool{"2s": true, "1m": false} {
		origins := map[string]string{}
		some := slices.DeleteFunc(slices.Clone(cases), func(c hostility) bool { return (c.why == "timeout" || c.name == "h2-goaway") != hang })
		for _, c := range some {
			origins[c.name] = c.base
		}
		newMess(t, site, origins, "SSL_CERT_FILE="+roots).within(timeout).tells(some)
	}
}

// tells wants a check to say what is wrong with each origin.
func (m *mess) tells(cases []hostility) {
	m.t.Helper()
	args := []string{"--json", "--verbose"}
	all := slices.DeleteFunc(output.Names(formats.Check()), func(name string) bool { return name == "json" }) // that is on stdout
	for _, format := range all {
		args = append(args, "--out", format+"="+filepath.Join(m.dir, format))
	}
	code, text := m.check(args...)
	var found finding
	if err := json.Unmarshal(text, &found); err != nil || code != exitDisagree && code != exitFailed {
		m.t.Fatalf("exit code %d, %v", code, err)
	}
	for _, c := range cases {
		if got := found.kinds(c.name); got != c.want || !strings.Contains(found.why(c.name), c.why) {
			m.t.Errorf("%s: got %s, want %s and %q: %.400q", c.name, got, c.want, c.why, found.why(c.name))
		}
	}
	for _, format := range all {
		text, err := os.ReadFile(filepath.Join(m.dir, format))
		if err != nil || len(text) < 1<<9 {
			m.t.Errorf("%s: %v, %d bytes", format, err, len(text))
		}
		m.printable(format, text)
	}
}

// TestCheckOfBombs has three origins answer every one of many pages with what decodes to
// 10 GB, by as large a window as there may be.
func TestCheckOfBombs(t *testing.T) {
	longtest.Skip(t, "decodes bombs of many pages")
	t.Parallel()
	site := map[string]string{}
	for i := range 24 {
		site[fmt.Sprintf("%d.html", i)] = fmt.Sprint("<p>page ", i)
	}
	origins := map[string]string{}
	for _, encoding := range []string{"gzip", "br", "zstd"} {
		origins[encoding] = speak(t, bomb(t, encoding))
	}
	code, text := newMess(t, site, origins).check("--json")
	var found finding
	if err := json.Unmarshal(text, &found); err != nil || code != exitFailed {
		t.Fatalf("exit code %d, %v", code, err)
	}
	for name := range origins {
		if got := found.kinds(name); got != "unreachable" {
			t.Errorf("%s: got %s: %.400q", name, got, found.why(name))
		}
	}
}

// TestCheckOfHungOrigins has nothing but silence and trickles to judge.
func TestCheckOfHungOrigins(t *testing.T) {
	longtest.Skip(t, "waits for origins to be given up")
	t.Parallel()
	site := hostileSite()
	roots, cases := hostilities(t, site)
	origins := map[string]string{}
	for _, c := range cases {
		if c.why == "timeout" {
			origins[c.name] = c.base
		}
	}
	m := newMess(t, site, origins, "SSL_CERT_FILE="+roots).within("1s")
	if code, text := m.check(); code != exitFailed || bytes.Count(text, []byte("timeout")) < len(origins) || len(origins) < 5 {
		t.Errorf("exit code %d of %d origins and\n%s", code, len(origins), text)
	}
}

// TestCheckOfNamesThatAreNoText has a site of its own, and origins, with names that are not
// even UTF-8.
func TestCheckOfNamesThatAreNoText(t *testing.T) {
	t.Parallel()
	if code, _ := newMess(t, map[string]string{"\xff\xfe\x1b[2J.html": "x"}, map[string]string{"a": "http://127.0.0.1:1"}).check(); code != exitFailed {
		t.Errorf("a site: exit code %d", code)
	}
	page := func(text string) string {
		return speak(t, replies(func(r *http.Request) string {
			body := text
			if r.URL.Path == "/sitemap.xml" {
				body = "<urlset><url><loc>/%ff%fe%1b%5b2J%3Cscript%3E.html</loc></url><url><loc>/\x1b[31m\xff.html</loc></url><url><loc>/%E2%80%AEgnp.html</loc></url></urlset>"
			}
			return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html; \xff<b>\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}))
	}
	m := newMess(t, nil, nil)
	urls := []string{page("<a href='%ff%1b[2J'>one \x1b[31m"), page("<a href='%fe%1b[2J'>two \x07")}
	for _, args := range [][]string{urls, append([]string{"--verbose"}, urls...), append([]string{"--json"}, urls...)} {
		if code, _ := m.run(append([]string{"check"}, args...)...); code != exitDisagree && code != exitFailed {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
}

// kindOfStatus is what a page is that has the right bytes under a status.
func kindOfStatus(status int) string {
	switch {
	case status == 200:
		return ""
	case status == 204, status > 200 && status < 300:
		return "altered"
	case status == 301, status == 302, status == 303, status == 307, status == 308:
		return "redirected"
	case status == 401, status == 403, status == 404, status == 410: // of an origin that serves others
		return "missing"
	}
	return "unreachable"
}

// TestCheckOfEveryStatus has an origin answer each page with another status.
func TestCheckOfEveryStatus(t *testing.T) {
	longtest.Skip(t, "checks an origin once for each status")
	t.Parallel()
	const page = "<p>the same everywhere"
	site := map[string]string{"404.html": page}
	want := map[string]string{}
	for status := 100; status < 600; status++ {
		path := fmt.Sprintf("%d/%d/%d.html", status%10, status/10%10, status) // never many silent ones in a row
		site[path], want[path] = page, kindOfStatus(status)
	}
	base := speak(t, replies(func(r *http.Request) string {
		status := "404"
		if _, ok := want[strings.TrimPrefix(r.URL.Path, "/")]; ok {
			status = strings.TrimSuffix(filepath.Base(r.URL.Path), ".html")
		} else if r.URL.Path == "/404.html" {
			status = "200"
		}
		return fmt.Sprintf("HTTP/1.1 %s \x1b[31m\r\nContent-Type: text/html\r\nLocation: http://\u009b31m.example/<b>\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, len(page), page)
	}))
	code, text := newMess(t, site, map[string]string{"status": base}).check("--json")
	var found finding
	if err := json.Unmarshal(text, &found); err != nil || code != exitDisagree {
		t.Fatalf("exit code %d, %v", code, err)
	}
	got := map[string]string{}
	for _, d := range found.Drift {
		got[d.Path] = d.Kind
	}
	for path, kind := range want {
		if got[path] != kind {
			t.Errorf("%s: got %q, want %q", path, got[path], kind)
		}
	}
}
