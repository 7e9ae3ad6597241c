// Package accesslog writes a line for each request that a server has answered.
package accesslog

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Format is how a line is written.
type Format string

// The formats: that of the Common Log Format, which nginx and Apache write too, and JSON.
const (
	Common Format = "common"
	JSON   Format = "json"
)

// Handler logs what next answers. out gets whole lines, one at a time.
func Handler(next http.Handler, out io.Writer, format Format) http.Handler {
	l := &logger{next: next, out: out, format: format}
	return l
}

type logger struct {
	next   http.Handler
	format Format

	mu  sync.Mutex // guards out
	out io.Writer
}

// ServeHTTP answers, and writes the line when the answer has ended.
func (l *logger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	seen := &recorder{ResponseWriter: w}
	defer func() {
		line := l.line(r, seen, began)
		l.mu.Lock()
		defer l.mu.Unlock()
		_, _ = l.out.Write(line) // a log that cannot be written keeps no visitor from the site
	}()
	l.next.ServeHTTP(seen, r)
}

// entry is a line of JSON.
type entry struct {
	Time    time.Time `json:"time"`
	Remote  string    `json:"remote"`
	Method  string    `json:"method"`
	Host    string    `json:"host"`
	URI     string    `json:"uri"`
	Proto   string    `json:"proto"`
	Status  int       `json:"status"`
	Bytes   int64     `json:"bytes"`
	Took    float64   `json:"duration_ms"`
	Referer string    `json:"referer"`
	Agent   string    `json:"user_agent"`
}

func (l *logger) line(r *http.Request, seen *recorder, began time.Time) []byte {
	remote, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		remote = r.RemoteAddr
	}
	if l.format == JSON {
		text, err := json.Marshal(entry{
			Time: began.UTC(), Remote: remote, Method: short(r.Method), Host: short(r.Host), URI: short(r.RequestURI), Proto: r.Proto,
			Status: seen.status, Bytes: seen.bytes, Took: float64(time.Since(began).Microseconds()) / 1000,
			Referer: short(r.Referer()), Agent: short(r.UserAgent()),
		})
		if err != nil {
			return nil // the fields are plain
		}
		return append(text, '\n')
	}
	return fmt.Appendf(nil, "%s - - [%s] \"%s %s %s\" %d %s\n", remote, began.Format("02/Jan/2006:15:04:05 -0700"),
		plain(r.Method), plain(r.RequestURI), plain(r.Proto), seen.status, strconv.FormatInt(seen.bytes, 10))
}

// longest is how much of a text that a visitor sends is logged, in bytes.
const longest = 2 << 10

func short(text string) string { return text[:min(len(text), longest)] }

// plain escapes what could end a line or a field.
func plain(text string) string {
	quoted := strconv.QuoteToASCII(short(text))
	return strings.TrimSuffix(strings.TrimPrefix(quoted, `"`), `"`)
}

// recorder counts what is sent.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write counts bytes.
func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
