package wait_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/wait"
)

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
