// Package hint has a publish tell fronts that beacons change about now. A hint is signed with a key that both sides
// share. It makes a front look at its origins often for a while, and nothing else: what it says is never believed.
package hint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"mirror/internal/notify"
	"mirror/internal/origin"
	"mirror/site"
)

// Path is where a front takes hints.
const Path = "/-/front/hint"

// MinKey is the length of the shortest key, in bytes.
const MinKey = 16

// Bounds of a hint.
const (
	maxBody   = 1 << 10
	tolerance = 2 * time.Minute  // between the clocks of both machines
	apart     = time.Second      // between two hints that have an effect
	patience  = 10 * time.Second // that a front has to answer
)

// Hint says which release is about to go live.
type Hint struct {
	Release  site.ID   `json:"release"`
	Sequence int64     `json:"sequence"`
	Time     time.Time `json:"time"` // no two hints of a publisher have the same
}

// Send tells a front. It takes 10 s at most.
func Send(ctx context.Context, to origin.Endpoint, key string, h Hint) error {
	body, err := json.Marshal(h)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	u := *to.URL
	u.Path, u.RawPath, u.RawQuery = Path, "", ""
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(notify.SignatureHeader, notify.Sign(key, body, h.Time))
	transport := to.Dialer()
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req) // a redirect is not followed
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 200)) // for people
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("it answered %d: %q", resp.StatusCode, strings.TrimSpace(string(said)))
	}
	return nil
}

// Receiver takes hints. It is safe for concurrent use.
type Receiver struct {
	key    string
	accept func(Hint)

	mu    sync.Mutex // guards what follows
	last  time.Time  // that the last hint with an effect tells
	taken time.Time  // when that came
}

// NewReceiver returns the handler of Path, which calls accept for each hint that is signed with the key and that is
// neither a replay nor one of too many.
func NewReceiver(key string, accept func(Hint)) (*Receiver, error) {
	if len(key) < MinKey {
		return nil, fmt.Errorf("the key of hints has %d bytes, and %d are the least (hint: openssl rand -hex 32)", len(key), MinKey)
	}
	return &Receiver{key: key, accept: accept}, nil
}

// ServeHTTP answers 204 for a hint that is signed with the key, whether it has an effect or not.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if err != nil {
		http.Error(w, "a hint has 1 KiB at most", http.StatusRequestEntityTooLarge)
		return
	}
	h, err := r.verify(body, req.Header.Get(notify.SignatureHeader))
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	if r.fresh(h) {
		r.accept(h)
	}
	w.WriteHeader(http.StatusNoContent)
}

// verify reads a hint that is signed with the key.
func (r *Receiver) verify(body []byte, signature string) (h Hint, err error) {
	now := time.Now()
	if err := notify.Verify(r.key, signature, body, now, tolerance); err != nil {
		return h, err
	}
	if err := json.Unmarshal(body, &h); err != nil {
		return h, errors.New("it is not a hint")
	}
	if now.Sub(h.Time).Abs() > tolerance {
		return h, errors.New("the hint is of another time (hint: do the clocks of both machines agree?)")
	}
	return h, nil
}

// fresh reports whether a hint is no replay, and comes a second after the one before at least.
func (r *Receiver) fresh(h Hint) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if !h.Time.After(r.last) || !r.taken.IsZero() && now.Sub(r.taken) < apart {
		return false
	}
	r.last, r.taken = h.Time, now
	return true
}
