// Package stalltest has HTTP servers that make no progress, each in another way, for tests in the
// time of testing/synctest.
package stalltest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Peer serves one connection. It may return when it likes: the connection is closed with the
// client's side of it.
type Peer func(c net.Conn)

// Peers are servers that make no progress, by what they do.
func Peers() map[string]Peer {
	return map[string]Peer{
		"takes nothing and says nothing":     func(net.Conn) {},
		"takes the request and says nothing": takes,
		"stops in the header": func(c net.Conn) {
			readRequest(c)
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Le")
			takes(c)
		},
		"stops in the body": func(c net.Conn) {
			readRequest(c)
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n<?xml")
			takes(c)
		},
		"trickles its header": func(c net.Conn) {
			readRequest(c)
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nX: ")
			trickle(c)
		},
		"trickles its body": func(c net.Conn) {
			readRequest(c)
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
			trickle(c)
		},
	}
}

// takes reads what comes until the end.
func takes(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// readRequest reads one request whole. What cannot be read ends the connection for the client too.
func readRequest(c net.Conn) {
	if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
}

// trickle sends one byte every 29 seconds.
func trickle(c net.Conn) {
	for {
		time.Sleep(29 * time.Second)
		if _, err := c.Write([]byte("x")); err != nil {
			return
		}
	}
}

// Transport connects to the peer, whatever the address, without a network. Its connections end with
// the test.
func Transport(t testing.TB, peer Peer) *http.Transport {
	var peers sync.WaitGroup
	dial := func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		peers.Go(func() { peer(server) })
		t.Cleanup(func() { client.Close() })
		return client, nil
	}
	t.Cleanup(peers.Wait)
	return &http.Transport{DialContext: dial, DisableKeepAlives: true}
}
