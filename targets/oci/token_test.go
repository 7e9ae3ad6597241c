package oci

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	embedded "github.com/google/go-containerregistry/pkg/registry"

	"mirror/targets"
	"mirror/targets/oci/internal/image/imagetest"
	"mirror/targets/targettest"
)

// expiring is a registry whose tokens are good for so many requests each. It reads a request whole
// before it refuses it.
type expiring struct {
	registry http.Handler
	uses     int

	mu      sync.Mutex
	left    map[string]int
	refused map[string]int // by method
}

// ServeHTTP answers.
func (e *expiring) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		_ = json.NewEncoder(w).Encode(map[string]string{"token": e.issue()})
		return
	}
	if !e.use(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
		_, _ = io.Copy(io.Discard, r.Body)
		e.mu.Lock()
		e.refused[r.Method]++
		e.mu.Unlock()
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test"`, r.Host))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	e.registry.ServeHTTP(w, r)
}

func (e *expiring) issue() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	token := fmt.Sprint("token-", len(e.left))
	e.left[token] = e.uses
	return token
}

func (e *expiring) use(token string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.left[token]--
	return e.left[token] >= 0
}

// TestTokensThatExpire has the token of a session expire at each request of a publish, uploads
// included.
func TestTokensThatExpire(t *testing.T) {
	for _, uses := range []int{2, 3, 4, 5, 7, 11, 13} {
		t.Run(fmt.Sprint(uses), func(t *testing.T) {
			e := &expiring{registry: embedded.New(embedded.Logger(log.New(io.Discard, "", 0))), uses: uses, left: map[string]int{}, refused: map[string]int{}}
			s := httptest.NewServer(e)
			defer s.Close()
			p := newPlace(t, strings.TrimPrefix(s.URL, "http://"))
			p.config.SelfBinary = heavyServer(t, 300<<10)
			tgt := p.open(t, targets.Env{State: t.TempDir()})
			for _, files := range []targettest.Files{imagetest.Large(300 << 10), imagetest.Large(400 << 10)} {
				swap := publish(t, tgt, files)
				if plan, err := tgt.Plan(t.Context(), targettest.Release(files)); err != nil || plan.Live.Release != swap.To {
					t.Errorf("got %s live, %v; want %s", plan.Live.Release.Short(), err, swap.To.Short())
				}
			}
			e.mu.Lock()
			defer e.mu.Unlock()
			if e.refused[http.MethodGet]+e.refused[http.MethodHead]+e.refused[http.MethodPost]+e.refused[http.MethodPut] < 2 {
				t.Errorf("no token expired: %v", e.refused)
			}
			t.Logf("%d tokens, refused %v", len(e.left), e.refused)
		})
	}
}
