package static

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkServe answers requests on kept connections: with a folder's file, and with the same bytes from
// memory by Go's own server, which is as fast as it can be.
func BenchmarkServe(b *testing.B) {
	for _, size := range []int{1 << 10, 100 << 10} {
		dir, content := b.TempDir(), strings.Repeat("0123456789abcdef", size/16)
		file, old := filepath.Join(dir, "f.html"), time.Now().Add(-time.Hour)
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			b.Fatal(err)
		}
		if err := os.Chtimes(file, old, old); err != nil {
			b.Fatal(err)
		}
		folder := newKeeping(Dir(dir)) // the change time cannot be set back
		memory := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Length", fmt.Sprint(size))
			_, _ = io.WriteString(w, content)
		})
		for name, h := range map[string]http.Handler{"folder": folder, "memory": memory} {
			b.Run(fmt.Sprintf("%s/%dKB", name, size>>10), func(b *testing.B) {
				s := httptest.NewServer(h)
				defer s.Close()
				b.SetBytes(int64(size))
				b.RunParallel(func(pb *testing.PB) { requestAll(b, pb, s.Listener.Addr().String()) })
			})
		}
	}
}

// requestAll sends requests on one connection, and reads the answers without a client of HTTP that would take
// longer than the server.
func requestAll(b *testing.B, pb *testing.PB, address string) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Error(err)
		return
	}
	defer conn.Close()
	answers := bufio.NewReaderSize(conn, 64<<10)
	for pb.Next() {
		if _, err := io.WriteString(conn, "GET /f.html HTTP/1.1\r\nHost: bench\r\n\r\n"); err != nil {
			b.Error(err)
			return
		}
		length := 0
		for {
			line, err := answers.ReadSlice('\n')
			if err != nil {
				b.Error(err)
				return
			}
			if len(line) == 2 {
				break
			}
			if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
				length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
			}
		}
		if n, err := answers.Discard(length); err != nil || n == 0 {
			b.Errorf("%d bytes: %v", n, err)
			return
		}
	}
}
