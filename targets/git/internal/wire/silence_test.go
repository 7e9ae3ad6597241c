package wire

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestSilentServersAreGivenUp asks servers that accept and say nothing, or that stop in the middle
// of an answer. Without a bound the test would not end.
func TestSilentServersAreGivenUp(t *testing.T) {
	for name, say := range map[string]string{
		"nothing":          "",
		"half a header":    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n",
		"half of its body": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					defer conn.Close()
					// An answer that is there before the request is an error of its own.
					if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
						_, _ = io.WriteString(conn, say)
					}
				}
			}()
			_, err = get(t, "http://"+l.Addr().String()+"/", 100*time.Millisecond)
			if err == nil || !strings.Contains(err.Error(), "the server was silent for 100ms") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestSlowServersAreNot has a server that takes longer in all than it may be silent.
func TestSlowServersAreNot(t *testing.T) {
	const pieces = 20
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range pieces {
			_, _ = io.WriteString(w, "a piece\n")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-time.After(time.Second / pieces):
			case <-r.Context().Done():
			}
		}
	}))
	defer s.Close()
	text, err := get(t, s.URL, 30*time.Second)
	if err != nil || strings.Count(text, "\n") != pieces {
		t.Errorf("got %q, %v", text, err)
	}
}

func get(t *testing.T, url string, silence time.Duration) (string, error) {
	t.Helper()
	client := &http.Client{Transport: ownTransport(silence)}
	defer client.CloseIdleConnections()
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}
