package origin_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"mirror/internal/origin"
	"mirror/internal/survey"
	"mirror/site"
)

func silent() *log.Logger { return log.New(io.Discard, "", 0) }

// talk serves by hand: what do writes and when it returns is all that the client sees.
func talk(t *testing.T, do func(c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go accept(t.Context(), l, do)
	return "http://" + l.Addr().String()
}

// accept serves until the listener is closed. A connection ends with its handler, and at
// the latest with the test.
func accept(ctx context.Context, l net.Listener, do func(c net.Conn)) {
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

// answer reads each request of a connection and lets do answer it.
func answer(do func(c net.Conn)) func(c net.Conn) {
	return func(c net.Conn) {
		for r := bufio.NewReader(c); ; {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			do(c)
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
		if hangs {
			io.Copy(io.Discard, c) // until the client goes
			return
		}
		c.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, c)
	}
}

// repeats answers with a text and then with another for as long as the client takes it.
func repeats(first, again string) func(c net.Conn) {
	return answer(func(c net.Conn) {
		_, err := io.WriteString(c, first)
		for err == nil {
			_, err = io.WriteString(c, again)
		}
	})
}

// drips answers with a text and then a byte a second.
func drips(first string) func(c net.Conn) {
	return answer(func(c net.Conn) {
		_, err := io.WriteString(c, first)
		for tick := time.Tick(time.Second); err == nil; <-tick {
			_, err = io.WriteString(c, "x")
		}
	})
}

// resets answers with a text and then drops the connection.
func resets(text string) func(c net.Conn) {
	return answer(func(c net.Conn) {
		io.WriteString(c, text)
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	})
}

const (
	ok      = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
	chunked = ok + "Transfer-Encoding: chunked\r\n\r\n"
)

// patience is the first timeout of a client whose origin hangs, and generous that of every
// other one: a machine that stands still for a moment is no hostile origin.
const (
	patience = 400 * time.Millisecond
	generous = 2 * time.Minute
)

// ends asks a hostile origin for a page and wants this status and cause. An origin that hangs
// is asked again with more patience where its status did not come in time.
func ends(t *testing.T, base string, p origin.Page, hangs bool, status int, want origin.Cause) {
	t.Helper()
	timeout := generous
	if hangs {
		timeout = patience
	}
	o := survives(t, base, p, timeout)
	for timeout < generous && o.Status != status {
		timeout *= 4
		o = survives(t, base, p, timeout)
	}
	if o.Status != status || !isCause(o.Err, want) {
		t.Errorf("got %d, %v; want %d, %q", o.Status, o.Err, status, want)
	}
}

// survives asks a hostile origin for a page. Of an error it wants that it says nothing raw and
// names no URL. That it ends is seen by the test's own timeout.
func survives(t *testing.T, base string, p origin.Page, timeout time.Duration) site.Observation {
	t.Helper()
	o := client(t, base, origin.Options{Timeout: timeout}).Fetch(t.Context(), p)
	if o.Err == nil {
		return o
	}
	text := o.Err.Error()
	if !o.Digest.IsZero() {
		t.Errorf("a digest in spite of %v", o.Err)
	}
	if strings.ContainsFunc(text, unicode.IsControl) || strings.Contains(text, "127.0.0.1") || len(text) > 300 {
		t.Errorf("the error says %q", text)
	}
	return o
}

// TestHostileOrigins has every origin end in the right cause, or in none where there is an
// answer.
func TestHostileOrigins(t *testing.T) {
	many := strings.Builder{}
	for i := range 10_000 {
		fmt.Fprintf(&many, "X-Header-%d: something\r\n", i)
	}
	tooLong := origin.Cause("the body is too long")
	for name, c := range map[string]struct {
		do     func(c net.Conn)
		status int
		want   origin.Cause // "" for an answer
	}{
		"hung":                          {says("", true), 0, origin.TimedOut},
		"hung in its header":            {says(ok, true), 0, origin.TimedOut},
		"hung in its body":              {says(ok+"Content-Length: 9\r\n\r\nabc", true), 200, origin.TimedOut},
		"hung in a chunk":               {says(chunked+"9\r\nabc", true), 200, origin.TimedOut},
		"drips its header":              {drips(ok + "X-Slow: "), 0, origin.TimedOut},
		"drips its body":                {drips(ok + "\r\n"), 200, origin.TimedOut},
		"reset":                         {resets(""), 0, origin.ConnectionReset},
		"reset in its body":             {resets(ok + "Content-Length: 9\r\n\r\nabc"), 200, origin.ConnectionReset},
		"closed":                        {says("", false), 0, origin.Cut},
		"cut in its status":             {says("HTTP/1.1 20", false), 0, origin.Malformed},
		"cut in a header's name":        {says(ok+"X-Cut", false), 0, origin.Malformed},
		"cut in a header":               {says(ok+"X-Cut: y", false), 0, origin.Cut},
		"cut after a header":            {says(ok, false), 0, origin.Cut},
		"cut in a chunk":                {says(chunked+"9\r\nabc", false), 200, origin.Cut},
		"cut after a chunk":             {says(chunked+"3\r\nabc\r\n", false), 200, origin.Cut},
		"a length too long":             {says(ok+"Content-Length: 9999\r\n\r\nabc", false), 200, origin.Cut},
		"a length too short":            {says(ok+"Content-Length: 1\r\n\r\nabc", false), 200, ""},
		"a length of 2^60":              {says(ok+"Content-Length: 1152921504606846976\r\n\r\nabc", false), 200, origin.Cut},
		"a length over 2^64":            {says(ok+"Content-Length: 99999999999999999999\r\n\r\nabc", false), 0, origin.Malformed},
		"a negative length":             {says(ok+"Content-Length: -1\r\n\r\nabc", false), 0, origin.Malformed},
		"two lengths":                   {says(ok+"Content-Length: 1\r\nContent-Length: 3\r\n\r\nabc", false), 0, origin.Malformed},
		"an endless body":               {repeats(ok+"\r\n", strings.Repeat("x", 1<<16)), 200, tooLong},
		"an endless body of chunks":     {repeats(chunked, strings.Repeat("1\r\nx\r\n", 1000)), 200, tooLong},
		"an endless header":             {repeats(ok+"X-Endless: ", strings.Repeat("x", 1<<10)), 0, origin.LongHeader},
		"an endless status":             {repeats("HTTP/1.1 200 ", strings.Repeat("x", 1<<10)), 0, origin.LongHeader},
		"a header of 1 MB":              {says(ok+"X-Long: "+strings.Repeat("x", 1<<20)+"\r\n\r\nabc", false), 0, origin.LongHeader},
		"10,000 headers":                {says(ok+many.String()+"\r\nabc", false), 0, origin.LongHeader},
		"endless 100s":                  {repeats("", "HTTP/1.1 100 Continue\r\n\r\n"), 0, origin.LongHeader},
		"endless 103s":                  {repeats("", "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"), 0, origin.LongHeader},
		"101 and then hung":             {says("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", true), 101, ""},
		"a chunk of no size":            {says(chunked+"\r\nabc", false), 200, origin.BadChunks},
		"a chunk's size that is none":   {says(chunked+"zz\r\nabc\r\n0\r\n\r\n", false), 200, origin.BadChunks},
		"a chunk's size over 2^64":      {says(chunked+"fffffffffffffffff\r\nabc\r\n0\r\n\r\n", false), 200, origin.BadChunks},
		"a negative chunk's size":       {says(chunked+"-3\r\nabc\r\n0\r\n\r\n", false), 200, origin.BadChunks},
		"a chunk longer than it says":   {says(chunked+"1\r\nabc\r\n0\r\n\r\n", false), 200, origin.BadChunks},
		"an endless chunk's extension":  {repeats(chunked+"3;", strings.Repeat("x", 1<<10)), 200, origin.BadChunks},
		"an endless trailer":            {repeats(chunked+"0\r\n", "X-Trailer: x\r\n"), 200, origin.BadChunks},
		"another transfer encoding":     {says(ok+"Transfer-Encoding: \x1b[31m\r\n\r\nabc", false), 0, origin.Malformed},
		"no HTTP":                       {says("SSH-2.0-OpenSSH_9.9\r\n", false), 0, origin.Malformed},
		"no HTTP, with escapes":         {says("\x1b]0;title\x07\r\n\x1b[2J\r\n\r\n", false), 0, origin.Malformed},
		"a header that is none":         {says("HTTP/1.1 200 OK\r\n\x1b[31m\r\n\r\nabc", false), 0, origin.Malformed},
		"status abc":                    {says("HTTP/1.1 abc OK\r\n\r\n", false), 0, origin.Malformed},
		"status 000":                    {says("HTTP/1.1 000 OK\r\n\r\n", false), 0, origin.Malformed},
		"status 020":                    {says("HTTP/1.1 020 OK\r\n\r\n", false), 0, origin.Malformed},
		"status 1000":                   {says("HTTP/1.1 1000 OK\r\n\r\n", false), 0, origin.Malformed},
		"status -20":                    {says("HTTP/1.1 -20 OK\r\n\r\n", false), 0, origin.Malformed},
		"status 999":                    {says("HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n", false), 999, ""},
		"an empty body":                 {says(ok+"Content-Length: 0\r\n\r\n", false), 200, ""},
		"an empty body of gzip":         {says(ok+"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", false), 200, ""},
		"304 to no condition":           {says("HTTP/1.1 304 Not Modified\r\n\r\n", false), 304, ""},
		"a redirect with a hung body":   {says("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 9\r\n\r\n", true), 302, ""},
		"a redirect to what is no URL":  {says("HTTP/1.1 302 Found\r\nLocation: http://[::1\xc2\x9b31m/\x80\r\nContent-Length: 0\r\n\r\n", false), 302, ""},
		"a redirect with an escape":     {says("HTTP/1.1 302 Found\r\nLocation: /\x1b[31m\r\nContent-Length: 0\r\n\r\n", false), 0, origin.Malformed},
		"a redirect without a location": {says("HTTP/1.1 301 Gone\r\nContent-Length: 0\r\n\r\n", false), 301, ""},
	} {
		for _, size := range []int64{0, 1 << 30} {
			if size > 0 && c.want != origin.TimedOut {
				continue // the size that is expected changes nothing
			}
			t.Run(fmt.Sprintf("%s, of %d", name, size), func(t *testing.T) {
				t.Parallel()
				ends(t, talk(t, c.do), origin.Page{Path: "p", URL: "p", Size: size}, c.want == origin.TimedOut || strings.Contains(name, "hung"), c.status, c.want)
			})
		}
	}
}

func isCause(err error, want origin.Cause) bool {
	switch want {
	case "":
		return err == nil
	case origin.Cause(site.ErrTooLong.Error()):
		return errors.Is(err, site.ErrTooLong)
	}
	return errors.Is(err, want)
}

// TestEveryStatus has an origin answer with each status there is.
func TestEveryStatus(t *testing.T) {
	t.Parallel()
	base := talk(t, func(c net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err == nil {
			fmt.Fprintf(c, "HTTP/1.1 %s \x1b[31m\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", req.URL.Path[1:])
		}
	})
	c := client(t, base, origin.Options{Timeout: generous, Concurrency: 8})
	const first, last = 100, 599
	page := func(i int) origin.Page { return origin.Page{URL: fmt.Sprint(first + i)} }
	if err := survey.Pages(t.Context(), c, last-first+1, page, agreeAll, func(i int, o site.Observation) {
		status, want := first+i, origin.Cause("")
		if status < 200 && status != 101 { // an answer is to follow, and none does
			status, want = 0, origin.Cut
		}
		if o.Status != status || !isCause(o.Err, want) {
			t.Errorf("%d: got %d, %v", first+i, o.Status, o.Err)
		}
	}); err != nil {
		t.Error(err)
	}
}

// TestObserveEndsInTime has a run end at its deadline, and not with the hour that a request may
// take, however its origin hangs.
func TestObserveEndsInTime(t *testing.T) {
	hung := func(c net.Conn) { io.Copy(io.Discard, c) }
	for name, base := range map[string]string{
		"a connection": talk(t, hung),
		"a handshake":  "https" + talk(t, hung)[len("http"):],
		"a stream":     talkHTTP2(t, func(*stream) {}),
		"a body":       talk(t, says(ok+"Content-Length: 9\r\n\r\nabc", true)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endsInTime(t, base)
		})
	}
}

func endsInTime(t *testing.T, base string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := client(t, base, origin.Options{Timeout: time.Hour, Concurrency: 4, Confirm: 1})
	err := survey.Pages(ctx, c, 100, noPage, agreeAll, func(int, site.Observation) {})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
