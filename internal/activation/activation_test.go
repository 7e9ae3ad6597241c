package activation_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"mirror/internal/activation"
)

// socket is a listening socket with a name, as systemd passes it.
func socket(t *testing.T, name string) (*os.File, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	named := os.NewFile(f.Fd(), name)
	t.Cleanup(func() { _ = f.Close() })
	return named, l.Addr().String()
}

func TestSocketsAreTakenByName(t *testing.T) {
	redirect, redirectAt := socket(t, activation.Redirect)
	visitors, visitorsAt := socket(t, "mirror-front.socket")
	s := activation.Of(redirect, visitors)
	l, passed, err := s.Listen(t.Context(), "127.0.0.1:0")
	if err != nil || !passed || l.Addr().String() != visitorsAt {
		t.Fatal(l, passed, err)
	}
	defer l.Close()
	r, passed, err := s.ListenRedirect(t.Context(), "127.0.0.1:0")
	if err != nil || !passed || r.Addr().String() != redirectAt {
		t.Fatal(r, passed, err)
	}
	defer r.Close()
	own, passed, err := s.Listen(t.Context(), "127.0.0.1:0")
	if err != nil || passed {
		t.Fatal(passed, err)
	}
	_ = own.Close()
}

func TestEnvironmentsOfOthers(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"none": {}, "another process": {"LISTEN_FDS": "1", "LISTEN_PID": "1"}, "no number": {"LISTEN_FDS": "x", "LISTEN_PID": strconv.Itoa(os.Getpid())},
		"too many": {"LISTEN_FDS": "9999999", "LISTEN_PID": strconv.Itoa(os.Getpid())},
	} {
		l, passed, err := activation.Passed(func(name string) string { return env[name] }).Listen(t.Context(), "127.0.0.1:0")
		if err != nil || passed {
			t.Errorf("%s: %v, %v", name, passed, err)
			continue
		}
		_ = l.Close()
	}
}

func TestReady(t *testing.T) {
	dir, err := os.MkdirTemp("", "notify") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	at := filepath.Join(dir, "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: at, Net: "unixgram"})
	if err != nil {
		t.Skip(err) // a system without them
	}
	defer conn.Close()
	if err := activation.Ready(func(string) string { return at }); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 100)
	if n, err := conn.Read(text); err != nil || string(text[:n]) != "READY=1" {
		t.Errorf("got %q, %v", text[:n], err)
	}
	if err := activation.Ready(func(string) string { return "" }); err != nil {
		t.Error(err)
	}
}
