package edge

import (
	"crypto/rand"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"time"
)

// Fault is something wrong with an origin: it answers in place of next, or spoils its
// answers. Origin.SetFault has all requests meet it; Origin.Override(path, fault(nil)) those
// to one path, where the fault needs no next.
type Fault func(next http.Handler) http.Handler

// Hang never answers, and ends when the visitor goes.
func Hang(http.Handler) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler) // else net/http answers 200
	})
}

// Stall sends headers that promise a page, and its first byte, and then no more.
func Stall(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("<"))               // an error means that the client has gone
		_ = http.NewResponseController(w).Flush() // the same
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
}

// Reset resets the connection without an answer.
func Reset(http.Handler) http.Handler {
	return onConnection(func(c net.Conn) {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // has Close send a reset; a connection that is gone needs none
		}
	})
}

// Garbage answers random bytes that are no HTTP.
func Garbage(http.Handler) http.Handler {
	return onConnection(func(c net.Conn) { _, _ = c.Write(append([]byte{0}, noise(1<<10)...)) })
}

// onConnection does something to the connection and closes it.
func onConnection(do func(net.Conn)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler) // HTTP/2: the best that can be done
		}
		defer c.Close()
		do(c)
	})
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return b
}

// Noise answers 200 with a page that is other random bytes each time.
func Noise(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(noise(1 << 10)) // an error means that the client has gone
	})
}

// NotModified answers 304 to everything, asked for or not.
func NotModified(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
}

// Empty answers 200 with nothing in it.
func Empty(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusOK)
	})
}

// WrongDate has a clock that is ahead, or behind where ahead is negative. It answers well
// but for the header Date.
func WrongDate(ahead time.Duration) Fault {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
			next.ServeHTTP(w, r)
		})
	}
}

// Drip sends well-formed answers one byte at a time, with a pause after each.
func Drip(pause time.Duration) Fault {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(&dripping{w, r, pause}, r)
		})
	}
}

type dripping struct {
	http.ResponseWriter
	r     *http.Request
	pause time.Duration
}

// Write sends slowly until the visitor goes.
func (d *dripping) Write(p []byte) (int, error) {
	ticker := time.NewTicker(max(d.pause, 1))
	defer ticker.Stop()
	for i := range p {
		if _, err := d.ResponseWriter.Write(p[i : i+1]); err != nil {
			return i, err
		}
		if err := http.NewResponseController(d.ResponseWriter).Flush(); err != nil {
			return i + 1, err
		}
		select {
		case <-ticker.C:
		case <-d.r.Context().Done():
			return i + 1, d.r.Context().Err()
		}
	}
	return len(p), nil
}

// Sometimes has a share of the requests, from 0 to 1, meet a fault.
func Sometimes(share float64, f Fault) Fault {
	return func(next http.Handler) http.Handler {
		spoilt := f(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if mathrand.Float64() < share {
				spoilt.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// Absent has what the origin would answer 404 be answered by h: 403 as of a bucket that may not
// be listed, a redirect to where a page has moved.
func Absent(h http.Handler) Fault {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a := &absence{ResponseWriter: w}
			next.ServeHTTP(a, r)
			if a.absent {
				clear(w.Header())
				h.ServeHTTP(w, r)
			}
		})
	}
}

// absence holds a 404 back.
type absence struct {
	http.ResponseWriter
	absent bool
}

// WriteHeader passes on all but 404.
func (a *absence) WriteHeader(status int) {
	if a.absent = status == http.StatusNotFound; !a.absent {
		a.ResponseWriter.WriteHeader(status)
	}
}

// Write drops the body of a 404.
func (a *absence) Write(p []byte) (int, error) {
	if a.absent {
		return len(p), nil
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (a *absence) Unwrap() http.ResponseWriter { return a.ResponseWriter }
