package front_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"mirror/internal/front"
	"mirror/internal/front/server"
)

// serve runs the front behind its own server, and returns the address.
func (w *world) serve(o server.Options) string {
	w.t.Helper()
	w.start()
	w.stop()
	w.options.Dir = w.t.TempDir()
	f, err := front.New(w.options)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	listening, ended := make(chan net.Addr, 1), make(chan error, 1)
	o.Listen, o.Listening = "127.0.0.1:0", func(at net.Addr) { listening <- at }
	go func() { ended <- server.Run(ctx, f, o) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
		f.Close()
	})
	select {
	case at := <-listening:
		w.url = "http://" + at.String()
		return at.String()
	case err := <-ended:
		ended <- err
		w.t.Fatal(err)
	}
	return ""
}

// requests are what hostile clients send.
func hostileRequests() map[string]string {
	get := func(target, headers string) string {
		return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n"
	}
	ranges := "Range: bytes=" + strings.TrimSuffix(strings.Repeat("0-0,", 2000), ",") + "\r\n"
	return map[string]string{
		"length and chunks":            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
		"two lengths":                  get("/", "Content-Length: 0\r\nContent-Length: 5\r\n"),
		"a signed length":              get("/", "Content-Length: +5\r\n"),
		"a negative length":            get("/", "Content-Length: -1\r\n"),
		"an odd coding":                get("/", "Transfer-Encoding: xchunked\r\n"),
		"chunks twice":                 get("/", "Transfer-Encoding: chunked, chunked\r\n"),
		"a coding with a space":        get("/", "Transfer-Encoding : chunked\r\n"),
		"a folded header":              get("/", "X: a\r\n b\r\n"),
		"a bare line feed":             "GET / HTTP/1.1\nHost: a\n\n",
		"a header without a name":      get("/", ": a\r\n"),
		"a NUL in a header":            get("/", "X: a\x00b\r\n"),
		"a NUL in the path":            get("/a%00b", ""),
		"no host":                      "GET / HTTP/1.1\r\n\r\n",
		"two hosts":                    get("/", "Host: b\r\n"),
		"a host that is none":          "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
		"an absolute URI":              get("http://evil.example/", ""),
		"an absolute URI, https":       get("https://evil.example/about", ""),
		"a URI with a login":           get("http://user:password@evil.example/", ""),
		"a path of two slashes":        get("//evil.example/", ""),
		"a path of two slashes, lower": get("//evil.example/about", ""),
		"a backslash":                  get("/\\evil.example/", ""),
		"dots":                         get("/../../../../etc/passwd", ""),
		"encoded dots":                 get("/%2e%2e/%2e%2e/etc/passwd", ""),
		"dots with backslashes":        get("/..\\..\\etc\\passwd", ""),
		"a broken escape":              get("/%zz", ""),
		"bytes that are no UTF-8":      get("/\xff\xfe", ""),
		"a star":                       "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
		"a tunnel":                     "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
		"a trace":                      "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n",
		"a method of its own":          "HACK / HTTP/1.1\r\nHost: a\r\n\r\n",
		"a long method":                strings.Repeat("A", 4000) + " / HTTP/1.1\r\nHost: a\r\n\r\n",
		"a long path":                  get("/"+strings.Repeat("a", 64<<10), ""),
		"a header bomb":                get("/", "X: "+strings.Repeat("a", 200<<10)+"\r\n"),
		"many headers":                 get("/", strings.Repeat("X: a\r\n", 20_000)),
		"a long cookie":                get("/", "Cookie: "+strings.Repeat("a=b;", 30_000)+"\r\n"),
		"many ranges":                  get("/", ranges),
		"ranges of a large file":       get("/large.bin", ranges),
		"a range beyond the end":       get("/large.bin", "Range: bytes=99999999999999999999-\r\n"),
		"a range that overflows":       get("/large.bin", "Range: bytes=0-9223372036854775808\r\n"),
		"overlapping ranges":           get("/large.bin", "Range: bytes="+strings.TrimSuffix(strings.Repeat("0-,", 1000), ",")+"\r\n"),
		"a version that is none":       "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
		"the oldest version":           "GET /\r\n\r\n",
		"the preface of HTTP/2":        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"an upgrade":                   get("/", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
		"an expectation":               get("/", "Expect: something\r\n"),
		"a TLS handshake":              "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 100) + "\r\n\r\n",
		"a status page by a proxy":     get("/-/front", "X-Forwarded-For: 203.0.113.7\r\n"),
		"a status page under a name":   get("/-/front", ""),
	}
}

// TestHostileClients sends what no browser does. Every answer is one of the release, or an error; each comes
// or the connection ends; and other visitors are served meanwhile.
func TestHostileClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, front.Options{Quorum: 1, Disk: 1 << 30})
	files := v1()
	files["large.bin"] = string(bytes.Repeat([]byte("0123456789"), 60_000))
	w.publish(release(t, 1, files), 0)
	address := w.serve(server.Options{})
	w.await("/", "home 1")
	w.await("/large.bin", files["large.bin"])
	var idle []net.Conn
	for i := range 40 { // those that never finish their request
		c := w.dial(address)
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nX-"+strings.Repeat("a", i))
		idle = append(idle, c)
	}
	for name, request := range hostileRequests() {
		c := w.dial(address)
		go func() { _, _ = io.WriteString(c, request) }() // the server may end it before it is sent
		w.sensible(name, c, files)
		c.Close()
	}
	if got := w.get("/"); got.body != "home 1" {
		t.Errorf("a visitor gets %+v", got)
	}
	for _, c := range idle {
		c.Close()
	}
}

// TestRequestsInRequests sends requests with a second one behind or inside a body whose end is ambiguous: a proxy before the
// front may take its answer for that to another request. Only one answer comes, and the connection ends.
func TestRequestsInRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, front.Options{Quorum: 1})
	w.publish(release(t, 1, v1()), 0)
	address := w.serve(server.Options{})
	w.await("/about/", "about 1")
	const second = "GET /about/ HTTP/1.1\r\nHost: a\r\n\r\n"
	body := func(first, fields string) string { return first + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" }
	for name, request := range map[string]string{
		"a body of a GET":            body("GET /", fmt.Sprintf("Content-Length: %d\r\n", len(second))),
		"a body of a POST":           body("POST /", fmt.Sprintf("Content-Length: %d\r\n", len(second))),
		"a body that ends before it": body("GET /", "Content-Length: 1\r\n") + "x",
		"length and chunks":          body("GET /", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n",
		"length and chunks, a POST":  body("POST /", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n",
		"chunks with an extension":   body("GET /", "Transfer-Encoding: chunked\r\n") + "0;a=b\r\n\r\n",
		"chunks with a bare feed":    body("GET /", "Transfer-Encoding: chunked\r\n") + "0\n\n",
		"chunks with a trailer":      body("GET /", "Transfer-Encoding: chunked\r\n") + "0\r\nContent-Length: 0\r\n\r\n",
		"a body with an upgrade":     body("GET /", "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n") + "x",
		"two codings":                body("GET /", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n") + "0\r\n\r\n",
		"a coding after a tab":       body("GET /", "Transfer-Encoding:\tchunked\r\nContent-Length: 1\r\n") + "0\r\n\r\n",
		"two lengths":                body("GET /", "Content-Length: 0\r\nContent-Length: 1\r\n") + "x",
	} {
		c := w.dial(address)
		go func() { _, _ = io.WriteString(c, request+second+second) }() // the server may end it before it is sent
		text, err := io.ReadAll(io.LimitReader(c, 1<<20))
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection stays open", name)
		}
		if n := strings.Count(string(text), "HTTP/1.1 "); n > 1 || strings.Contains(string(text), "about 1") {
			t.Errorf("%s: %d answers: %q", name, n, text)
		}
		c.Close()
	}
}

func (w *world) dial(address string) net.Conn {
	w.t.Helper()
	c, err := (&net.Dialer{Timeout: patience}).DialContext(w.t.Context(), "tcp", address)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

// sensible reads an answer.
func (w *world) sensible(name string, c net.Conn, files map[string]string) {
	w.t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(c, 8<<20)), nil)
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			w.t.Errorf("%s: no answer within %s", name, patience)
		}
		return // the connection was ended
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if location := resp.Header.Get("Location"); location != "" && !strings.HasPrefix(location, "./") {
		w.t.Errorf("%s: leads to %q", name, location)
	}
	switch {
	case resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented && resp.StatusCode != http.StatusHTTPVersionNotSupported:
		w.t.Errorf("%s: answers %d %q", name, resp.StatusCode, body)
	case resp.StatusCode == http.StatusOK:
		ok := false
		for _, text := range files {
			ok = ok || text == string(body)
		}
		if !ok {
			w.t.Errorf("%s: answers %d with bytes that are none of the release: %.60q", name, resp.StatusCode, body)
		}
	case resp.StatusCode == http.StatusNotFound && string(body) != files["404.html"]:
		w.t.Errorf("%s: answers 404 with %.60q", name, body)
	}
	if len(body) > 2<<20 {
		w.t.Errorf("%s: answers %d bytes", name, len(body))
	}
}

// TestRangesAndConditions asks for parts of a page, and for a page that the visitor has.
func TestRangesAndConditions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, front.Options{Quorum: 1})
	files := v1()
	files["page.txt"], files["large.bin"] = "0123456789", string(bytes.Repeat([]byte("0123456789"), 60_000))
	w.publish(release(t, 1, files), 0)
	w.start()
	w.await("/page.txt", "0123456789")
	tag := w.get("/page.txt").header.Get("Etag")
	for _, c := range []struct {
		path   string
		header []string
		status int
		body   string
	}{
		{"/page.txt", []string{"Range", "bytes=2-4"}, 206, "234"},
		{"/page.txt", []string{"Range", "bytes=-3"}, 206, "789"},
		{"/page.txt", []string{"Range", "bytes=20-"}, 416, "invalid range: failed to overlap\n"},
		{"/page.txt", []string{"Range", "lines=1-2"}, 416, "invalid range\n"},
		{"/page.txt", []string{"If-None-Match", tag}, 304, ""},
		{"/page.txt", []string{"If-None-Match", "W/" + tag}, 304, ""},
		{"/page.txt", []string{"If-None-Match", `"other", ` + tag}, 304, ""},
		{"/page.txt", []string{"If-None-Match", "*"}, 304, ""},
		{"/page.txt", []string{"If-None-Match", `"other"`}, 200, "0123456789"},
		{"/page.txt", []string{"If-Match", `"other"`}, 412, ""},
		{"/page.txt", []string{"Range", "bytes=2-4", "If-Range", tag}, 206, "234"},
		{"/page.txt", []string{"Range", "bytes=2-4", "If-Range", `"other"`}, 200, "0123456789"},
		{"/large.bin", []string{"Range", "bytes=599999-"}, 206, "9"},
		{"/none", []string{"Range", "bytes=0-1", "If-None-Match", "*"}, 404, "lost 1"},
	} {
		if got := w.get(c.path, c.header...); got.status != c.status || got.body != c.body {
			t.Errorf("%s with %v answers %d %.60q, want %d %q", c.path, c.header, got.status, got.body, c.status, c.body)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		r := httptest.NewRequest(method, "/page.txt", nil)
		got := httptest.NewRecorder()
		w.front.ServeHTTP(got, r)
		if got.Code != http.StatusMethodNotAllowed || got.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s answers %d", method, got.Code)
		}
	}
	names := slices.Sorted(maps.Keys(w.get("/page.txt").header))
	if want := []string{"Accept-Ranges", "Content-Length", "Content-Type", "Date", "Etag", "X-Content-Type-Options"}; !slices.Equal(names, want) {
		t.Errorf("the header has %v, want %v", names, want)
	}
}
