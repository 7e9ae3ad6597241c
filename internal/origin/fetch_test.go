package origin_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"mirror/internal/origin"
	"mirror/internal/realserver"
	"mirror/internal/survey"
	"mirror/site"
)

const page = "<p>a page of the site"

func client(t *testing.T, base string, o origin.Options) *origin.Client {
	t.Helper()
	u, err := url.Parse(base + "/")
	if err != nil {
		t.Fatal(err)
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	c := origin.New(origin.Endpoint{Name: "test", URL: u, Options: o})
	t.Cleanup(c.Close)
	return c
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	s.Config.ErrorLog = nil
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }
}

var ask = origin.Page{Path: "index.html", URL: ""}

func TestFetchHashes(t *testing.T) {
	o := client(t, serve(t, text(page)), origin.Options{}).Fetch(t.Context(), ask)
	want := site.Digest(sha256.Sum256([]byte(page)))
	if o.Err != nil || o.Status != 200 || o.Digest != want || o.Raw != want || o.Size != int64(len(page)) {
		t.Errorf("got %+v", o)
	}
	if !o.Answered.After(o.Asked) {
		t.Errorf("asked %v, answered %v", o.Asked, o.Answered)
	}
}

func packed(t *testing.T, encoding string) []byte { return pack(t, encoding, []byte(page)) }

func pack(t *testing.T, encoding string, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "br":
		w = brotli.NewWriter(&b)
	case "zstd":
		z, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		w = z
	case "deflate":
		w = zlib.NewWriter(&b)
	case "bare deflate":
		f, err := flate.NewWriter(&b, 6)
		if err != nil {
			t.Fatal(err)
		}
		w = f
	}
	w.Write(body)
	w.Close()
	return b.Bytes()
}

func TestFetchDecodes(t *testing.T) {
	for _, encoding := range []string{"gzip", "br", "zstd"} {
		body := packed(t, encoding)
		o := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			if !strings.Contains(r.Header.Get("Accept-Encoding"), encoding) {
				http.Error(w, "not asked for", http.StatusNotAcceptable)
				return
			}
			w.Header().Set("Content-Encoding", encoding)
			w.Write(body)
		}), origin.Options{}).Fetch(t.Context(), ask)
		if o.Err != nil || o.Digest != sha256.Sum256([]byte(page)) || o.Raw != sha256.Sum256(body) {
			t.Errorf("%s: got %+v", encoding, o)
		}
	}
}

// hostile is what an origin may do; each must end in an error in time, none in a digest.
func TestFetchOfHostileOrigins(t *testing.T) {
	zeros := gzipBomb(t)
	bomb := slices.Concat(zeros.start, bytes.Repeat(zeros.more, 63)) // of 64 MiB
	for _, c := range []struct {
		name string
		do   http.HandlerFunc
		want string
	}{
		{"hangs before its answer", hang, "timeout"},
		{"hangs in its body", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "a")
			http.NewResponseController(w).Flush()
			hang(w, r)
		}, "timeout"},
		{"cuts the body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "short")
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "cut"},
		{"closes at once", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		{"says gzip and sends none", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, page)
		}, "gzip"},
		{"sends what is encoded twice", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip, br")
			io.WriteString(w, page)
		}, "more than once: gzip, br"},
		{"never ends its body", func(w http.ResponseWriter, _ *http.Request) {
			for chunk := make([]byte, 64<<10); ; {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}, "too long"},
		{"sends a gzip bomb", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(bomb)
		}, "bomb"},
		{"sends a cut gzip", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			body := packed(t, "gzip")
			w.Write(body[:len(body)-6])
		}, "cut"},
		{"sends endless headers", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
			io.WriteString(w, page)
		}, "header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			timeout := generous
			if c.want == "timeout" {
				timeout = patience
			}
			o := client(t, serve(t, c.do), origin.Options{Timeout: timeout}).Fetch(t.Context(), origin.Page{})
			if o.Err == nil || !strings.Contains(o.Err.Error(), c.want) || !o.Digest.IsZero() {
				t.Errorf("got %+v, want an error with %q", o, c.want)
			}
		})
	}
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func TestFetchFollowsNoRedirect(t *testing.T) {
	var asked atomic.Int32
	o := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
	}), origin.Options{}).Fetch(t.Context(), ask)
	if o.Err != nil || o.Status != 302 || o.Header.Get("Location") != "http://169.254.169.254/latest/meta-data/" || asked.Load() != 1 {
		t.Errorf("got %+v after %d requests", o, asked.Load())
	}
}

func TestFetchNamesTheCause(t *testing.T) {
	nobody := realserver.Loopback(realserver.FreePort(t))
	tls := httptest.NewTLSServer(text(page))
	t.Cleanup(tls.Close)
	tls.Config.ErrorLog = nil
	for base, want := range map[string]string{
		"http://" + nobody:            "connection refused",
		"http://no-such-host.invalid": "DNS",
		tls.URL:                       "TLS",
		strings.Replace(serve(t, text(page)), "http:", "https:", 1): "TLS",
	} {
		if o := client(t, base, origin.Options{}).Fetch(t.Context(), ask); o.Err == nil || !strings.Contains(o.Err.Error(), want) || o.Status != 0 {
			t.Errorf("%s: got %v, want %q", base, o.Err, want)
		}
	}
}

func TestObserveAsksEachPageOnce(t *testing.T) {
	const pages, atOnce = 200, 4
	var now, most atomic.Int32
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		io.WriteString(w, r.URL.Path)
	})
	c := client(t, base, origin.Options{Concurrency: atOnce})
	var list []origin.Page
	for i := range pages {
		list = append(list, origin.Page{Path: fmt.Sprint(i), URL: fmt.Sprint(i)})
	}
	var seen [pages]atomic.Int32
	err := survey.Pages(t.Context(), c, pages, func(i int) origin.Page { return list[i] }, agreeAll, func(i int, o site.Observation) {
		if o.Digest == sha256.Sum256([]byte("/"+list[i].Path)) {
			seen[i].Add(1)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range seen {
		if n := seen[i].Load(); n != 1 {
			t.Errorf("page %d seen %d times", i, n)
		}
	}
	if most.Load() > atOnce {
		t.Errorf("%d requests at once, want at most %d", most.Load(), atOnce)
	}
}

func noPage(int) origin.Page { return origin.Page{} }

func agreeAll(int, site.Observation) bool { return true }

// TestObserveConfirms has an origin answer wrongly once: the second, fresh look counts.
func TestObserveConfirms(t *testing.T) {
	var n atomic.Int32
	conns := map[string]bool{}
	c := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		conns[r.RemoteAddr] = true
		if n.Add(1) == 1 {
			http.Error(w, "hiccup", 500)
			return
		}
		io.WriteString(w, page)
	}), origin.Options{Concurrency: 1, Confirm: 1})
	var got site.Observation
	agrees := func(_ int, o site.Observation) bool { return o.Status == 200 }
	if err := survey.Pages(t.Context(), c, 1, func(int) origin.Page { return ask }, agrees, func(_ int, o site.Observation) { got = o }); err != nil {
		t.Fatal(err)
	}
	if got.Status != 200 || n.Load() != 2 || len(conns) != 2 {
		t.Errorf("status %d after %d requests on %d connections, want 200 after 2 on 2", got.Status, n.Load(), len(conns))
	}
}

// TestRateIsNeverExceeded counts requests in every window of a second.
func TestRateIsNeverExceeded(t *testing.T) {
	const rate, pages = 50, 120
	synctest.Test(t, func(t *testing.T) {
		arrivals := make(chan time.Time, pages)
		c := client(t, "http://origin.example", origin.Options{Concurrency: 16, Rate: rate, Transport: carrier(func(*http.Request) (int, string) {
			arrivals <- time.Now()
			return http.StatusOK, ""
		})})
		if err := survey.Pages(t.Context(), c, pages, noPage, agreeAll, func(int, site.Observation) {}); err != nil {
			t.Fatal(err)
		}
		close(arrivals)
		var all []time.Time
		for at := range arrivals {
			all = append(all, at)
		}
		for i, first := range all {
			n := 0
			for _, at := range all[i:] {
				if at.Sub(first) < time.Second {
					n++
				}
			}
			if n > rate {
				t.Fatalf("%d requests within a second, want at most %d", n, rate)
			}
		}
	})
}

func TestObserveEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := client(t, serve(t, func(w http.ResponseWriter, r *http.Request) { cancel(); hang(w, r) }), origin.Options{Concurrency: 2})
	err := survey.Pages(ctx, c, 100, noPage, agreeAll, func(int, site.Observation) {
		t.Error("a cancelled request was told as an observation")
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Browsers show a body as it was sent where a coding changes nothing or is unknown.
func TestCodingsThatChangeNothing(t *testing.T) {
	for _, coding := range []string{
		"identity", "aws-chunked", "AWS-Chunked, Identity", "", "utf-8", "UTF-8", "none", "binary", "8bit", "rot13", "\xc2\x9b31m<b>", "gzip, utf-8", "none,br",
	} {
		base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", coding)
			io.WriteString(w, page)
		})
		if o := client(t, base, origin.Options{}).Fetch(t.Context(), ask); o.Err != nil || o.Digest != sha256.Sum256([]byte(page)) {
			t.Errorf("%q: got %v", coding, o.Err)
		}
	}
}
