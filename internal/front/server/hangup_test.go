package server

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mirror/internal/front"
	"mirror/internal/origin"
	"mirror/site"
)

// TestHangup renames the access log as a log rotation does: after a hangup requests are in a new file, and none is lost.
func TestHangup(t *testing.T) {
	f, err := front.New(front.Options{
		Origins: []origin.Endpoint{{Name: "none", URL: &url.URL{Scheme: "http", Host: "127.0.0.1:1", Path: "/"}}}, Beacon: site.DefaultBeacon, Dir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	log := filepath.Join(t.TempDir(), "access.log")
	hangup := make(chan os.Signal)
	ctx, cancel := context.WithCancel(t.Context())
	listening, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- Run(ctx, f, Options{Listen: "127.0.0.1:0", AccessLog: log, Hangup: hangup, Listening: func(at net.Addr) { listening <- at }})
	}()
	at := (<-listening).String()
	asked := 0
	ask := func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		asked++
	}
	ask()
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	ask()
	hangup <- syscall.SIGHUP
	for deadline := time.Now().Add(2 * time.Minute); lines(t, log) == 0; ask() {
		if time.Now().After(deadline) {
			t.Fatal("the access log is not opened again")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if before, after := lines(t, log+".1"), lines(t, log); before+after != asked {
		t.Errorf("%d lines before and %d after, of %d requests", before, after, asked)
	}
}

func lines(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n")
}
