package main

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
)

// hostility is an origin that does what no origin should, and what a check is to say of it.
type hostility struct {
	name, base string
	want       string // the kind of drift, or the state
	why        string // part of what is said
}

const okHTML = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"

// hostilities starts all the hostile origins. roots is a file with the authority that some
// of them have their certificate from.
func hostilities(t *testing.T, site map[string]string) (roots string, all []hostility) {
	redirect := func(to string) string {
		return speak(t, says("HTTP/1.1 302 Found\r\nLocation: "+to+"\r\nContent-Length: 0\r\n\r\n", false))
	}
	all = []hostility{
		{"hung", speak(t, says("", true)), "unreachable", "timeout"},
		{"hung-body", speak(t, says(okHTML+"Content-Length: 9\r\n\r\nabc", true)), "unreachable", "timeout"},
		{"drip", speak(t, drips), "unreachable", "timeout"},
		{"reset-body", speak(t, resets), "unreachable", "connection reset"},
		{"cut-header", speak(t, says(okHTML+"X-Cut: y", false)), "unreachable", "cut"},
		{"length-too-long", speak(t, says(okHTML+"Content-Length: 999\r\n\r\nabc", false)), "unreachable", "cut"},
		{"length-too-short", speak(t, says(okHTML+"Content-Length: 1\r\n\r\nabc", false)), "altered", ""},
		{"endless", speak(t, floods(okHTML+"\r\n", strings.Repeat("x", 1<<16))), "altered", "over"},
		{"long-header", speak(t, says(okHTML+"X: "+strings.Repeat("\xc2\x9b", 1<<19)+"\r\n\r\nabc", false)), "unreachable", "header too large"},
		{"many-headers", speak(t, says(okHTML+strings.Repeat("X-A-Header: of many\r\n", 10_000)+"\r\nabc", false)), "unreachable", "header too large"},
		{"chunks", speak(t, says(okHTML+"Transfer-Encoding: chunked\r\n\r\nzz\x1b[2J\r\nabc\r\n", false)), "unreachable", "invalid chunking"},
		{"no-http", speak(t, says("\x1b]0;owned\x07\r\n\r\n", false)), "unreachable", "malformed"},
		{"loop", redirect("/"), "redirected", ""},
		{"to-file", redirect("file:///etc/passwd"), "redirected", ""},
		{"to-script", redirect("javascript:alert(1)"), "redirected", ""},
		{"to-metadata", redirect("http://169.254.169.254/latest/meta-data/"), "redirected", "169.254.169.254"},
		{"to-escapes", redirect("http://\xc2\x9b31m.example/\xe2\x80\xae<script>"), "redirected", ""},
		{"to-raw-escapes", redirect("/\x1b[31m"), "unreachable", "malformed"},
		{"type-lie", speak(t, serves(site, "image/\xc2\x9b31m")), "mistyped", ""},
		{"empty", speak(t, says(okHTML+"Content-Length: 0\r\n\r\n", false)), "altered", "empty"},
		{"gone", speak(t, says("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", false)), "missing", "410"},
		{"busy", speak(t, says("HTTP/1.1 503 Busy\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n", false)), "unreachable", "24h"},
		{"gzip-bomb", speak(t, bomb(t, "gzip")), "unreachable", "encoding bomb"},
		{"br-bomb", speak(t, bomb(t, "br")), "unreachable", "encoding bomb"},
		{"zstd-bomb", speak(t, bomb(t, "zstd")), "unreachable", "encoding bomb"},
		{"zstd-window", speak(t, bomb(t, "window")), "unreachable", "browsers allow"},
	}
	roots, byTLS := hostileTLS(t)
	return roots, append(all, byTLS...)
}

// speak serves by hand: what do writes and when it returns is all that the client sees.
func speak(t *testing.T, do func(c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go handle(t.Context(), l, do)
	return "http://" + l.Addr().String()
}

// handle serves until the test ends.
func handle(ctx context.Context, l net.Listener, do func(c net.Conn)) {
	context.AfterFunc(ctx, func() { l.Close() })
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		stop := context.AfterFunc(ctx, func() { c.Close() })
		go func() {
			defer stop()
			defer c.Close()
			do(c)
		}()
	}
}

// replies answers each request of a connection with a text.
func replies(text func(r *http.Request) string) func(c net.Conn) {
	return func(c net.Conn) {
		for in := bufio.NewReader(c); ; {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			if _, err := io.WriteString(c, text(r)); err != nil {
				return
			}
			if strings.Contains(text(r), "Connection: close") {
				return
			}
		}
	}
}

// says answers with a text, and then ends the connection, or hangs.
func says(text string, hangs bool) func(c net.Conn) {
	return func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
			return
		}
		io.WriteString(c, text)
		if tcp, ok := c.(*net.TCPConn); ok && !hangs {
			tcp.CloseWrite()
		}
		io.Copy(io.Discard, c) // until the client goes
	}
}

// serves serves the site in one content type for everything.
func serves(site map[string]string, contentType string) func(c net.Conn) {
	return replies(func(r *http.Request) string {
		path, status := strings.TrimPrefix(r.URL.Path, "/"), "200 OK"
		if path == "" {
			path = "index.html"
		}
		body, ok := site[path]
		if !ok {
			body, status = site["404.html"], "404 Not Found"
		}
		return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", status, contentType, len(body), body)
	})
}

// floods answers with a text and then with another for as long as the client takes it.
func floods(first, again string) func(c net.Conn) {
	return func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
			return
		}
		_, err := io.WriteString(c, first)
		for err == nil {
			_, err = io.WriteString(c, again)
		}
	}
}

// drips sends a body of a byte a second.
func drips(c net.Conn) {
	if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
		return
	}
	_, err := io.WriteString(c, okHTML+"\r\n")
	for tick := time.Tick(time.Second); err == nil; <-tick {
		_, err = io.WriteString(c, "x")
	}
}

// resets drops the connection in the middle of a body.
func resets(c net.Conn) {
	if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
		return
	}
	io.WriteString(c, okHTML+"Content-Length: 9\r\n\r\nabc")
	c.(*net.TCPConn).SetLinger(0)
}

// bomb sends a body that decodes to a MiB of zeros by a kilobyte or less, and does not end.
func bomb(t *testing.T, kind string) func(c net.Conn) {
	t.Helper()
	const zeros = 1 << 20 // of a part
	var b bytes.Buffer
	encoding, first, more := "zstd", "\x28\xb5\x2f\xfd\x00\x68", strings.Repeat("\x02\x00\x10\x00", 8) // RFC 8878: a window of 8 MiB
	switch kind {
	case "window":
		first = "\x28\xb5\x2f\xfd\x00\xf8" // 2 TiB
	case "gzip":
		w, err := flate.NewWriter(&b, flate.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		encoding, first = kind, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
		more = flushed(t, &b, w, zeros)
	case "br":
		w := brotli.NewWriterOptions(&b, brotli.WriterOptions{Quality: 5, LGWin: 24})
		encoding, first = kind, flushed(t, &b, w, zeros)
		more = flushed(t, &b, w, zeros)
	}
	return floods(fmt.Sprintf("%sContent-Encoding: %s\r\n\r\n%s", okHTML, encoding, first), strings.Repeat(more, 1+(64<<10)/len(more)))
}

// flushed returns what a writer makes of so many zeros.
func flushed(t *testing.T, b *bytes.Buffer, w interface {
	io.Writer
	Flush() error
}, zeros int) string {
	t.Helper()
	b.Reset()
	if _, err := w.Write(make([]byte, zeros)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
