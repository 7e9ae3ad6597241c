package bench

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/benchsite"
	"mirror/internal/longtest"
)

// small is a site for tests.
var small = benchsite.Shape{Folders: 5, Pages: 20, Bytes: 3000}

// TestShortContest plays one round of git on a small site, with mirror and with git itself: `make bench` in small.
func TestShortContest(t *testing.T) {
	longtest.Skip(t, "publishes with git, and with mirror, many times")
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "site")
	if err := small.Write(dir); err != nil {
		t.Fatal(err)
	}
	c := &Contest{Site: dir, Steps: steps(small, stepFresh), Rounds: 1, Tools: append(gitTools(), peer("other", "program-that-nobody-has", "", nil))}
	c.Run(t)
	var table strings.Builder
	c.Write(&table, "git")
	for _, want := range []string{"| cold | mirror |", "| 1 % changed | git add, commit, push |", "- other: program-that-nobody-has is not installed."} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table has no %q:\n%s", want, table.String())
		}
	}
	for at, traffic := range c.traffic {
		if traffic.Requests == 0 || at.step == stepCold && traffic.Sent < 10_000 {
			t.Errorf("%s, %s: counted %+v", at.tool, at.step, traffic)
		}
	}
	if n := c.traffic[cell{"mirror", stepUntouched}].Requests; n > 2 {
		t.Errorf("mirror made %d requests where nothing had changed, want 2 at most", n)
	}
}

func TestStoredFileThatDiffersIsFound(t *testing.T) {
	t.Parallel()
	dir, stored := filepath.Join(t.TempDir(), "site"), filepath.Join(t.TempDir(), "stored")
	for _, to := range []string{dir, stored} {
		if err := small.Write(to); err != nil {
			t.Fatal(err)
		}
	}
	place := Place{Stored: func() (Tree, error) { return ReadFolder(stored) }, Own: func(path string) bool { return path == "own" }}
	c := &Contest{Site: dir}
	for _, step := range []struct {
		file, text string // "" removes it
		want       string
	}{
		{"own", "of the tool", ""},
		{"part-001/page-003.html", "<p>other", "part-001/page-003.html differs"},
		{"part-001/page-003.html", "", "part-001/page-003.html is missing"},
		{"part-001/page-003.html", small.Page(1, 3, 0), ""},
		{"part-009/page-003.html", "<p>more", "part-009/page-003.html is not of the site"},
	} {
		file := filepath.Join(stored, step.file)
		var err error
		if step.text == "" {
			err = os.Remove(file)
		} else if err = os.MkdirAll(filepath.Dir(file), 0o755); err == nil {
			err = os.WriteFile(file, []byte(step.text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		switch err := c.verify(place); {
		case step.want == "" && err != nil:
			t.Errorf("%s is as it should be: %v", step.file, err)
		case step.want != "" && (err == nil || !strings.Contains(err.Error(), step.want)):
			t.Errorf("got %v, want that %s", err, step.want)
		}
	}
}

func TestHTTPMeterCountsExactly(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a short one is seen by its length
		fmt.Fprintf(w, "%s %05d", r.Host, len(body))
	}))
	defer server.Close()
	meter, err := CountHTTP(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer meter.Close()
	read := 0
	for i := range 3 {
		answer, err := http.Post("http://"+meter.Addr+"/", "text/plain", bytes.NewReader(make([]byte, 1000*i)))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%s %05d", meter.Addr, 1000*i); string(text) != want {
			t.Errorf("the server saw %q, want %q", text, want)
		}
		read += len(text)
	}
	if got, want := meter.Take(), (Traffic{Requests: 3, Sent: 3000, Read: int64(read)}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	if got := meter.Take(); got != (Traffic{}) {
		t.Errorf("counted %+v after the counts were taken", got)
	}
}

func TestByteMeterCountsBothWays(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if _, err := io.Copy(io.Discard, conn); err == nil {
			_, _ = conn.Write(make([]byte, 70)) // counted by the test
		}
	}()
	meter, err := CountBytes(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer meter.Close()
	conn, err := net.Dial("tcp", meter.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(make([]byte, 3000)); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(conn); err != nil || len(answer) != 70 {
		t.Fatalf("read %d bytes, %v", len(answer), err)
	}
	if got, want := meter.Take(), (Traffic{Sent: 3000, Read: 70}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}
