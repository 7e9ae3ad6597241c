package check_test

import (
	"net/http"
	"testing"
	"time"

	"mirror/diff"
	"mirror/internal/check"
	"mirror/internal/origin"
)

// An origin that fails for good is waited for as long as GiveUp says, and one that is not deployed
// yet for as long as the patience lasts.
func TestAwaitGivesUpWhatFailsForGood(t *testing.T) {
	moved := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://blog.example.com"+r.URL.EscapedPath(), code)
		}
	}
	o := options()
	o.BeaconPath, o.GiveUp = "", 50*time.Millisecond
	for name, c := range map[string]struct {
		answers http.HandlerFunc
		ends    bool
	}{
		"away for ever": {moved(http.StatusMovedPermanently), true},
		"away for now":  {moved(http.StatusFound), false},
		"not found":     {status(http.StatusNotFound), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patience := 300 * time.Millisecond
			if c.ends {
				patience = time.Hour
			}
			began := time.Now()
			v, err := check.Await(t.Context(), []origin.Endpoint{serveAs(t, "a", c.answers)}, o, patience)
			if err != nil || v.State() != diff.Drifts {
				t.Errorf("got %v, %v", v.State(), err)
			}
			if took := time.Since(began); !c.ends && took < patience {
				t.Errorf("it was given up after %s", took)
			}
		})
	}
}
