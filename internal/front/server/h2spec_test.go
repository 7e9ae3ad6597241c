package server

import (
	"context"
	"encoding/xml"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"mirror/internal/front"
	"mirror/internal/origin"
	"mirror/internal/realserver"
	"mirror/site"
)

// TestH2spec compares what h2spec finds at a front with what it finds at the HTTP/2 server of Go: nothing more.
func TestH2spec(t *testing.T) {
	if os.Getenv("MIRROR_EXPERIMENT") != "full" {
		t.Skip("waits for timeouts of h2spec: make experiment-h2spec")
	}
	files, _ := writeCertificate(t, t.TempDir(), 1)
	f, err := front.New(front.Options{
		Origins: []origin.Endpoint{{Name: "none", URL: &url.URL{Scheme: "http", Host: "127.0.0.1:1", Path: "/"}}}, Beacon: site.DefaultBeacon, Dir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithCancel(t.Context())
	listening, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- Run(ctx, f, Options{Listen: "127.0.0.1:0", TLS: files, Listening: func(at net.Addr) { listening <- at }})
	}()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	plain := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "none", http.StatusBadGateway) }))
	plain.EnableHTTP2, plain.Config.ErrorLog = true, log.New(io.Discard, "", 0)
	plain.StartTLS()
	defer plain.Close()
	ofGo := h2spec(t, plain.Listener.Addr())
	for name, said := range h2spec(t, <-listening) {
		switch {
		case said == "":
		case ofGo[name] == "" && name != h2specRace:
			t.Errorf("%s: %s", name, said)
		default:
			t.Logf("as Go's server: %s", name)
		}
	}
}

// h2specRace fails at any server that has answered and closed the stream before the frames come.
const h2specRace = "http2/6.9.1: Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream"

// h2spec returns what h2spec says of each of its tests, "" of those that pass.
func h2spec(t *testing.T, at net.Addr) map[string]string {
	t.Helper()
	host, port, err := net.SplitHostPort(at.String())
	if err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(t.TempDir(), "report.xml")
	out, _ := exec.CommandContext(t.Context(), realserver.Need(t, "h2spec"), "-t", "-k", "-h", host, "-p", port, "-j", report).CombinedOutput() // it fails where a test does
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var doc struct {
		Suites []struct {
			Tests []struct {
				Package string `xml:"package,attr"`
				Name    string `xml:"classname,attr"`
				Error   string `xml:"error"`
				Failure string `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, s := range doc.Suites {
		for _, c := range s.Tests {
			all[c.Package+": "+c.Name] = c.Error + c.Failure
		}
	}
	if len(all) < 100 {
		t.Fatalf("h2spec has made %d tests\n%s", len(all), out)
	}
	return all
}
