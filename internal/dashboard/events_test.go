package dashboard_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// follow opens an event stream; next returns its next event that is no comment.
func (w *world) follow(last string) (next func() map[string]string, status int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	w.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL+"/events", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { answer.Body.Close() })
	lines := bufio.NewScanner(answer.Body)
	return func() map[string]string {
		event := map[string]string{}
		for lines.Scan() {
			if key, value, ok := strings.Cut(lines.Text(), ": "); ok && key != "" {
				event[key] = value
			}
			if lines.Text() == "" && event["event"] != "" {
				return event
			}
		}
		return nil
	}, answer.StatusCode
}

func TestEventsTellOfChanges(t *testing.T) {
	w := newWorld(t, nil)
	next, status := w.follow("")
	hello := next()
	if status != 200 || hello["event"] != "hello" || hello["retry"] == "" {
		t.Fatalf("got %d %v", status, hello)
	}
	w.dashboard.Changed()
	change := next()
	if change["event"] != "change" || change["id"] == hello["id"] {
		t.Fatalf("got %v after %v", change, hello)
	}
	for last, want := range map[string]string{hello["id"]: "change", "of another process": "change", change["id"]: "hello"} {
		again, _ := w.follow(last)
		if got := again(); got["event"] != want || got["id"] != change["id"] {
			t.Errorf("after %s: got %v, want %s", last, got, want)
		}
	}
	w.dashboard.Close()
	if got := next(); got != nil {
		t.Errorf("after the end: %v", got)
	}
	if _, status := w.follow(""); status != 503 {
		t.Errorf("after the end: %d", status)
	}
}

func TestListenersAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	for range 64 {
		next, status := w.follow("")
		if status != 200 || next()["event"] != "hello" {
			t.Fatalf("got %d", status)
		}
	}
	if _, status := w.follow(""); status != 503 {
		t.Errorf("the 65th: got %d", status)
	}
}
