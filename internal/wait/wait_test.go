package wait_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/wait"
)

func TestOutlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct{ ends, want time.Duration }{ // 0: it does not end
			"never": {0, time.Minute}, "late": {time.Minute - time.Second/2, time.Minute}, "early": {time.Second, 2 * time.Second}, "before": {-1, time.Second},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			if c.ends > 0 {
				time.AfterFunc(c.ends, cancel)
			} else if c.ends < 0 {
				cancel()
			}
			began := time.Now()
			within, done := wait.Outlive(ctx, time.Minute)
			hurried, stop := wait.Hurried(within, time.Second)
			<-hurried.Done()
			if got := time.Since(began); got != c.want {
				t.Errorf("%s: what hurries ended after %v, want %v", name, got, c.want)
			}
			<-within.Done()
			if got := time.Since(began); got != time.Minute {
				t.Errorf("%s: it lasted %v, want a minute", name, got)
			}
			stop()
			done()
			cancel()
		}
		plain, stop := wait.Hurried(t.Context(), time.Second)
		if plain.Err() != nil {
			t.Error("a context that outlives none has ended")
		}
		stop()
		if plain.Err() == nil {
			t.Error("it goes on after it was cancelled")
		}
	})
}

func TestReaderEndsWithItsContext(t *testing.T) {
	over := errors.New("over")
	ctx, cancel := context.WithCancelCause(t.Context())
	read := 0
	n, err := io.Copy(io.Discard, wait.Reader(ctx, zeros(func() {
		if read++; read == 3 {
			cancel(over)
		}
	})))
	if !errors.Is(err, over) || read != 3 || n == 0 {
		t.Errorf("got %d bytes in %d reads, %v", n, read, err)
	}
}

// zeros is a file without end that calls back at each read.
type zeros func()

func (z zeros) Read(p []byte) (int, error) { z(); return len(p), nil }

func TestSleepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, over := time.Now(), errors.New("over")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, over)
		defer cancel()
		if err := wait.Sleep(ctx, time.Millisecond); err != nil || time.Since(began) != time.Millisecond {
			t.Errorf("got %v after %s", err, time.Since(began))
		}
		if err := wait.Sleep(ctx, time.Hour); !errors.Is(err, over) || time.Since(began) != time.Second {
			t.Errorf("got %v after %s", err, time.Since(began))
		}
		for _, d := range []time.Duration{-1, 0, time.Hour} {
			if err := wait.Sleep(ctx, d); !errors.Is(err, over) {
				t.Errorf("%s in a context that is over: got %v", d, err)
			}
		}
	})
}
