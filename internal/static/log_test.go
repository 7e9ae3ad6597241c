package static

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// lines is a log that a test can wait on.
type lines struct{ c chan string }

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *lines) Write(p []byte) (int, error) {
	l.c <- string(p)
	return len(p), nil
}

// await reads on until a line contains what.
func (l *lines) await(t *testing.T, what string) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	for {
		select {
		case line := <-l.c:
			if strings.Contains(line, what) {
				return
			}
		case <-deadline:
			t.Fatalf("nothing was logged about %q", what)
		}
	}
}
