package dashboard

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipe is an answer whose writes go to a channel.
type pipe struct {
	*httptest.ResponseRecorder
	said chan string
}

func (p pipe) Write(text []byte) (int, error) { p.said <- string(text); return len(text), nil }

func (pipe) SetWriteDeadline(time.Time) error { return nil }

func TestAnIdleStreamSaysThatItLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEvents(time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		p := pipe{httptest.NewRecorder(), make(chan string)}
		go e.ServeHTTP(p, httptest.NewRequestWithContext(ctx, http.MethodGet, "/events", nil))
		if hello := <-p.said; !strings.Contains(hello, "event: hello\n") {
			t.Errorf("got %q", hello)
		}
		began := time.Now()
		for range 3 {
			if beat := <-p.said; !strings.HasPrefix(beat, ":") {
				t.Errorf("got %q", beat)
			}
		}
		if took := time.Since(began); took != 3*heartbeat {
			t.Errorf("three heartbeats took %v", took)
		}
		e.changed()
		if change := <-p.said; !strings.Contains(change, "event: change\n") {
			t.Errorf("got %q", change)
		}
		cancel()
		synctest.Wait()
		if len(e.listeners) != 0 {
			t.Error("a listener that has gone is still told")
		}
	})
}
