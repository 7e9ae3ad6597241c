package front_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mirror/internal/front"
	"mirror/internal/lab/edge"
	"mirror/site"
)

const (
	saysOK  = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
	chunked = saysOK + "Transfer-Encoding: chunked\r\n\r\n"
)

// talks has each page be answered by what do says on the connection. The beacon is right.
func talks(met *atomic.Int64, do func(c net.Conn)) edge.Fault {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/"+site.DefaultBeacon {
				next.ServeHTTP(w, r)
				return
			}
			met.Add(1)
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(patience)) // else a write could wait for ever
			do(c)
		})
	}
}

// says sends a text, and waits for the front to go where it hangs.
func says(text string, hang bool) func(c net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, text) // the front may have gone
		if hang {
			_, _ = io.Copy(io.Discard, c)
		}
	}
}

// repeats sends a text over and over until the front goes.
func repeats(first, text string) func(c net.Conn) {
	return func(c net.Conn) {
		_, err := io.WriteString(c, first)
		for err == nil {
			_, err = io.WriteString(c, text)
		}
	}
}

// hostileAnswers are what an origin sends in place of a page.
func hostileAnswers() map[string]func(c net.Conn) {
	many := strings.Builder{}
	for i := range 10_000 {
		fmt.Fprintf(&many, "X-Header-%d: something\r\n", i)
	}
	return map[string]func(c net.Conn){
		"hung":                       says("", true),
		"hung in its header":         says(saysOK, true),
		"hung in its body":           says(saysOK+"Content-Length: 9\r\n\r\nabc", true),
		"hung in a chunk":            says(chunked+"9\r\nabc", true),
		"closed":                     says("", false),
		"cut in its status":          says("HTTP/1.1 20", false),
		"cut in a header":            says(saysOK+"X-Cut: y", false),
		"cut in a chunk":             says(chunked+"9\r\nabc", false),
		"cut after a chunk":          says(chunked+"3\r\nabc\r\n", false),
		"a length too long":          says(saysOK+"Content-Length: 9999\r\n\r\nabc", false),
		"a length too short":         says(saysOK+"Content-Length: 1\r\n\r\npage", false),
		"a length of 2^60":           says(saysOK+"Content-Length: 1152921504606846976\r\n\r\nabc", false),
		"a length over 2^64":         says(saysOK+"Content-Length: 99999999999999999999\r\n\r\nabc", false),
		"a negative length":          says(saysOK+"Content-Length: -1\r\n\r\nabc", false),
		"two lengths":                says(saysOK+"Content-Length: 1\r\nContent-Length: 3\r\n\r\nabc", false),
		"a second answer behind":     says(saysOK+"Content-Length: 1\r\n\r\nx"+saysOK+"Content-Length: 4\r\n\r\nevil", true),
		"an endless body":            repeats(saysOK+"\r\n", strings.Repeat("x", 1<<16)),
		"an endless body of chunks":  repeats(chunked, strings.Repeat("1\r\nx\r\n", 1000)),
		"an endless header":          repeats(saysOK+"X-Endless: ", strings.Repeat("x", 1<<10)),
		"an endless status":          repeats("HTTP/1.1 200 ", strings.Repeat("x", 1<<10)),
		"a header of 1 MB":           says(saysOK+"X-Long: "+strings.Repeat("x", 1<<20)+"\r\n\r\nabc", false),
		"10,000 headers":             says(saysOK+many.String()+"\r\nabc", false),
		"endless 100s":               repeats("", "HTTP/1.1 100 Continue\r\n\r\n"),
		"endless 103s":               repeats("", "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"),
		"101 and then hung":          says("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", true),
		"a chunk's size of none":     says(chunked+"zz\r\nabc\r\n0\r\n\r\n", false),
		"a chunk's size over 2^64":   says(chunked+"fffffffffffffffff\r\nabc\r\n0\r\n\r\n", false),
		"an endless extension":       repeats(chunked+"3;", strings.Repeat("x", 1<<10)),
		"an endless trailer":         repeats(chunked+"0\r\n", "X-Trailer: x\r\n"),
		"no HTTP":                    says("SSH-2.0-OpenSSH_9.9\r\n", false),
		"status 000":                 says("HTTP/1.1 000 OK\r\n\r\n", false),
		"status 999":                 says("HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n", false),
		"206 to no range":            says("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-3/99\r\nContent-Length: 4\r\n\r\npage", false),
		"304 to no condition":        says("HTTP/1.1 304 Not Modified\r\n\r\n", false),
		"404":                        says("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nlost", false),
		"gzip that is none":          says(saysOK+"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\npage", false),
		"an empty body of gzip":      says(saysOK+"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", false),
		"an unknown coding":          says(saysOK+"Content-Encoding: sdch\r\nContent-Length: 4\r\n\r\npage", false),
		"a redirect to itself":       says("HTTP/1.1 302 Found\r\nLocation: ?\r\nContent-Length: 0\r\n\r\n", false),
		"a redirect to another host": says("HTTP/1.1 301 Moved\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n", false),
		"a redirect, hung":           says("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 9\r\n\r\n", true),
	}
}

// TestHostileOrigins has one of two origins send each of these in place of its pages. Visitors get the right bytes all
// the same, with headers of the front's own, and nothing hangs.
func TestHostileOrigins(t *testing.T) {
	t.Parallel()
	for name, answer := range hostileAnswers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 2, front.Options{Quorum: 1, Poll: time.Hour, Hurry: time.Hour})
			files := v1()
			for i := range 40 {
				files[fmt.Sprintf("p%d.html", i)] = fmt.Sprintf("page %d", i)
			}
			rel := release(t, 1, files)
			w.publish(rel, 0)
			w.start()
			w.await("/", "home 1")
			w.publish(rel, 1) // the front has looked at it before, and prefers the other one
			var met atomic.Int64
			w.origins[0].breakBy(talks(&met, answer))
			for i := 0; i < 40 && met.Load() < 1; i++ { // those of the sample are in memory
				got := w.get(fmt.Sprintf("/p%d.html", i))
				if got.status != http.StatusOK || got.body != files[fmt.Sprintf("p%d.html", i)] || got.header.Get("Location")+got.header.Get("Content-Encoding") != "" {
					t.Errorf("page %d answers %+v", i, got)
				}
			}
			if met.Load() == 0 {
				t.Error("the hostile origin was not asked")
			}
		})
	}
}
