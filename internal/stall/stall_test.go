package stall_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/stall"
	"mirror/internal/stall/stalltest"
)

// post sends a body to a peer and reads the answer.
func post(t *testing.T, peer stalltest.Peer, body []byte) ([]byte, error) {
	t.Helper()
	base := stalltest.Transport(t, peer)
	client := &http.Client{Transport: stall.New(base, stall.Limit)}
	resp, err := client.Post("http://peer.example/", "text/plain", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// TestPeersWithoutProgressAreGivenUp waits for each as long as it may take: the limit, and for a
// large request a while longer.
func TestPeersWithoutProgressAreGivenUp(t *testing.T) {
	for name, peer := range stalltest.Peers() {
		for _, c := range []struct {
			size int
			most time.Duration
		}{{0, stall.Limit}, {1 << 10, stall.Limit + time.Second}, {8 << 20, stall.Limit + 90*time.Second}} {
			t.Run(fmt.Sprintf("%s, %d bytes", name, c.size), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					began := time.Now()
					_, err := post(t, peer, make([]byte, c.size))
					took := time.Since(began)
					stalled, ok := errors.AsType[*stall.Error](err)
					if !ok || stalled.Host != "peer.example" || took < stall.Limit || took > c.most {
						t.Errorf("got %v after %s, want to wait between %s and %s", err, took, stall.Limit, c.most)
					}
				})
			})
		}
	}
}

// TestPeersThatMoveAreNot has peers that take much longer than the limit, and move all the time.
func TestPeersThatMoveAreNot(t *testing.T) {
	slowly := func(c net.Conn, chunk int, pause time.Duration) {
		r, err := http.ReadRequest(bufio.NewReaderSize(c, 16))
		if err != nil {
			return
		}
		for err == nil { // takes it slowly
			time.Sleep(pause)
			_, err = io.CopyN(io.Discard, r.Body, int64(chunk))
		}
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n")
		for left := 200000; left > 0; left -= chunk {
			time.Sleep(pause)
			c.Write(bytes.Repeat([]byte("x"), min(left, chunk)))
		}
	}
	for name, c := range map[string]struct {
		chunk int
		pause time.Duration
	}{"4 KB each second": {4000, time.Second}, "40 KB each 20 seconds": {40_000, 20 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				answer, err := post(t, func(conn net.Conn) { slowly(conn, c.chunk, c.pause) }, make([]byte, 1<<20))
				if err != nil || len(answer) != 200000 {
					t.Errorf("got %d bytes, %v after %s", len(answer), err, time.Since(began))
				}
			})
		})
	}
}

// TestOnlyReadingCounts has the reader of an answer pause for longer than the limit.
func TestOnlyReadingCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := stalltest.Transport(t, func(c net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
				c.Write(make([]byte, 100_000))
			}
		})
		resp, err := (&http.Client{Transport: stall.New(base, stall.Limit)}).Get("http://peer.example/")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		for buf := make([]byte, 10_000); err == nil; {
			time.Sleep(stall.Limit)
			_, err = io.ReadFull(resp.Body, buf)
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("got %v", err)
		}
	})
}
