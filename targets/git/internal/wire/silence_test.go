package wire

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/command"
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

// steps is how many pieces a slow peer takes or sends, each after most of the time that it may be silent.
const steps = 20

// TestSlowServersAreNot has peers that take longer in all than they may be silent.
func TestSlowServersAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		conn := &boundedConn{near, silence}
		defer slowPeer(far, far, 0)()
		written := make(chan error, 1)
		go func() { // as net/http does: it reads from the beginning
			_, err := io.Copy(writer{conn}, io.NewSectionReader(byByte{}, 0, steps))
			written <- err
		}()
		text, err := io.ReadAll(conn)
		if err != nil || len(text) != steps || <-written != nil {
			t.Errorf("a connection: got %d bytes, %v", len(text), err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s, far := newTestStream(t)
		defer slowPeer(far.in, far.out, 0)()
		answer, err := s.exchange(t.Context(), request{pack: byByte{}, size: steps})
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer)
		if closed := s.Close(); err != nil || len(text) != steps || closed != nil {
			t.Errorf("a program: got %d bytes, %v, %v", len(text), err, closed)
		}
	})
}

// TestSlowClientsAreNot takes longer between two reads than the server may be silent.
func TestSlowClientsAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, far := newTestStream(t)
		defer slowPeer(strings.NewReader(""), far.out, 0)()
		if _, err := io.ReadFull(s.advertisement(), make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * silence)
		text, err := io.ReadAll(s.advertisement())
		if err != nil || len(text) != steps-1 || s.watch.silent() {
			t.Errorf("got %d bytes, %v", len(text), err)
		}
		_ = far.in.Close()
		_ = s.Close()
	})
}

// TestSilentProgramsAreGivenUp has a program that takes half of a request, and one that sends half
// of an answer.
func TestSilentProgramsAreGivenUp(t *testing.T) {
	for _, takes := range []int{steps / 2, steps} {
		synctest.Test(t, func(t *testing.T) {
			s, far := newTestStream(t)
			defer slowPeer(io.LimitReader(far.in, int64(takes)), far.out, time.Hour)()
			start := time.Now()
			answer, err := s.exchange(t.Context(), request{pack: byByte{}, size: steps})
			if err != nil {
				t.Fatal(err)
			}
			_, err = io.ReadAll(answer)
			_ = s.Close()
			if err == nil || s.explain(err).Error() != "the server was silent for 30s" || time.Since(start) > steps*silence {
				t.Errorf("got %v after %s", s.explain(err), time.Since(start))
			}
		})
	}
}

// slowPeer takes and then sends so many pieces, with a pause before each that it sends. The
// returned function waits for its end.
func slowPeer(in io.Reader, out io.WriteCloser, pause time.Duration) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range steps {
			if _, err := io.ReadFull(in, make([]byte, 1)); err != nil {
				break
			}
			time.Sleep(silence * 9 / 10)
		}
		for range steps {
			time.Sleep(max(pause, silence/20))
			if _, err := out.Write([]byte("x")); err != nil {
				break
			}
		}
		_ = out.Close()
	}()
	return func() { <-done }
}

// byByte gives one byte at a time.
type byByte struct{}

func (byByte) ReadAt(p []byte, _ int64) (int, error) { return copy(p, "x"), nil }

type writer struct{ io.Writer }

type farEnd struct {
	in  *io.PipeReader
	out *io.PipeWriter
}

func newTestStream(t *testing.T) (*stream, farEnd) {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	killed := make(chan struct{})
	kill := sync.OnceFunc(func() { close(killed); inW.Close(); outR.CloseWithError(io.ErrUnexpectedEOF) })
	wait := func() error {
		select {
		case <-killed:
			return errors.New("signal: terminated")
		default:
			return nil
		}
	}
	s := newStream(t.Context(), program{in: inW, out: outR, kill: kill, wait: wait}, &command.Words{}, silence)
	return s, farEnd{inR, outW}
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
