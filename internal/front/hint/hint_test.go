package hint_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/front/hint"
	"mirror/internal/notify"
	"mirror/internal/origin"
)

const key = "0123456789abcdef0123456789abcdef"

// receiver counts the hints that have an effect.
func receiver(t *testing.T) (http.Handler, *int) {
	t.Helper()
	taken := 0
	r, err := hint.NewReceiver(key, func(hint.Hint) { taken++ })
	if err != nil {
		t.Fatal(err)
	}
	return r, &taken
}

// post hands a signed hint over and returns the status.
func post(h http.Handler, with string, told, signed time.Time) int {
	body, _ := json.Marshal(hint.Hint{Sequence: 7, Time: told}) // strings and numbers
	return raw(h, body, notify.Sign(with, body, signed))
}

func raw(h http.Handler, body []byte, signature string) int {
	req := httptest.NewRequest(http.MethodPost, hint.Path, bytes.NewReader(body))
	req.Header.Set(notify.SignatureHeader, signature)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Code
}

// TestForgedAndReplayedHints has only a hint of the key's owner have an effect, once, and one a second at most.
func TestForgedAndReplayedHints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, taken := receiver(t)
		now := time.Now()
		step := func(what string, status, want, effects int) {
			t.Helper()
			if status != want || *taken != effects {
				t.Errorf("%s: status %d and %d effects, want %d and %d", what, status, *taken, want, effects)
			}
		}
		step("signed with another key", post(h, strings.Repeat("x", 32), now, now), http.StatusForbidden, 0)
		step("without a signature", raw(h, []byte(`{}`), ""), http.StatusForbidden, 0)
		step("genuine", post(h, key, now, now), http.StatusNoContent, 1)
		step("at once again", post(h, key, now.Add(time.Millisecond), now), http.StatusNoContent, 1)
		time.Sleep(10 * time.Second) // of the bubble's clock
		step("replayed", post(h, key, now, now), http.StatusNoContent, 1)
		step("with a new signature of an old time", post(h, key, now.Add(-time.Second), time.Now()), http.StatusNoContent, 1)
		step("a later one", post(h, key, time.Now(), time.Now()), http.StatusNoContent, 2)
		time.Sleep(time.Hour)
		step("an hour old", post(h, key, now, now), http.StatusForbidden, 2)
		step("of a clock that is an hour ahead", post(h, key, time.Now().Add(time.Hour), time.Now()), http.StatusForbidden, 2)
		step("too long", raw(h, bytes.Repeat([]byte(" "), 2000), ""), http.StatusRequestEntityTooLarge, 2)
	})
	if _, err := hint.NewReceiver("short", nil); err == nil {
		t.Error("a key of 5 bytes is taken")
	}
}

// TestSend sends a hint to a front that is asked at another address than its URL's, and does not follow a redirect.
func TestSend(t *testing.T) {
	t.Parallel()
	h, taken := receiver(t)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")
	u, err := url.Parse("http://blog.example.com/below/")
	if err != nil {
		t.Fatal(err)
	}
	at := origin.Endpoint{URL: u, Options: origin.Options{Address: address, Timeout: time.Minute}}
	if err := hint.Send(t.Context(), at, key, hint.Hint{Sequence: 7, Time: time.Now()}); err != nil || *taken != 1 {
		t.Errorf("got %v and %d hints, want one", err, *taken)
	}
	asked := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, server.URL+hint.Path, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(elsewhere.Close)
	at.Address = strings.TrimPrefix(elsewhere.URL, "http://")
	if err := hint.Send(t.Context(), at, key, hint.Hint{Time: time.Now().Add(time.Second)}); err == nil || asked != 1 || *taken != 1 {
		t.Errorf("a redirect was followed: %v", err)
	}
}
