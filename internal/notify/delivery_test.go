package notify

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mirror/internal/longtest"
)

const key = "a-key-that-both-sides-know"

// call is a request that a server got.
type call struct {
	header http.Header
	body   string
	path   string
	came   time.Time
}

// receiver is a real server. answer writes the answer to each request, counted from 1.
func receiver(t *testing.T, answer func(n int, w http.ResponseWriter)) (address string, calls chan call) {
	t.Helper()
	calls = make(chan call, 1000)
	var count atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		calls <- call{r.Header.Clone(), string(body), r.URL.Path, time.Now()}
		answer(int(count.Add(1)), w)
	}))
	t.Cleanup(server.Close)
	return server.URL, calls
}

func takes(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) }

// wait returns the next request.
func wait(t *testing.T, calls chan call) call {
	t.Helper()
	select {
	case c := <-calls:
		return c
	case <-time.After(time.Minute):
		t.Fatal("nothing arrived within a minute")
		panic("unreachable")
	}
}

func quick() Options { return Options{Group: time.Millisecond, Timeout: time.Minute} }

func TestAWebhookIsSigned(t *testing.T) {
	address, calls := receiver(t, takes)
	n := start(t, Recipient{URL: Secret(address + "/hook?token=x"), Key: key}, quick())
	e := Event{Kind: Drift, Episode: "7", Origin: "bucket", Opened: time.Now().Add(-time.Minute), Counts: map[string]int{"stale": 3},
		Paths: []string{"<b>@everyone</b>"}, Lines: []string{"line"}, URL: "https://status.example.com/7"}
	n.Send(e)
	got := wait(t, calls)
	e.Closed = time.Now()
	n.Send(e)
	end := wait(t, calls)
	stop(t, n)
	signature := got.header.Get(SignatureHeader)
	if err := Verify(key, signature, []byte(got.body), time.Now(), time.Minute); err != nil {
		t.Error(err)
	}
	var d Document
	decoder := json.NewDecoder(strings.NewReader(got.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		t.Fatal(err)
	}
	if d.Schema != "mirror.event/v1" || d.ID == "" || d.ID != got.header.Get("X-Mirror-Delivery") || len(d.Events) != 1 {
		t.Errorf("got %s", got.body)
	}
	first := d.Events[0]
	if !first.Open || first.Change != Opened || first.Kind != Drift || first.Severity != Warning || first.Closed != nil ||
		first.LastedMS < 60_000 || !slices.Equal(first.Paths, e.Paths) || first.Counts["stale"] != 3 {
		t.Errorf("got %+v", first)
	}
	if !strings.Contains(end.body, `"open":false`) || !strings.Contains(end.body, `"change":"closed"`) {
		t.Errorf("the end is told as %s", end.body)
	}
}

func TestSignaturesThatAreNotValid(t *testing.T) {
	body, now := []byte(`{"a":1}`), time.Unix(1_800_000_000, 0)
	good := Sign(key, body, now)
	if err := Verify(key, good, body, now.Add(time.Minute), 5*time.Minute); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"other key":     Verify("other", good, body, now, time.Minute),
		"other body":    Verify(key, good, []byte(`{"a":2}`), now, time.Minute),
		"other time":    Verify(key, strings.Replace(good, "t=18", "t=17", 1), body, now, time.Minute),
		"old":           Verify(key, good, body, now.Add(time.Hour), time.Minute),
		"of the future": Verify(key, good, body, now.Add(-time.Hour), time.Minute),
		"nothing":       Verify(key, "", body, now, time.Minute),
		"cut":           Verify(key, good[:len(good)-2], body, now, time.Minute),
		"no hex":        Verify(key, good[:len(good)-2]+"zz", body, now, time.Minute),
		"no time":       Verify(key, "t=x,v1=00", body, now, time.Minute),
	} {
		if !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAnErrorInTheBodyIsNoSuccess has messengers that answer 200 to what they refuse.
func TestAnErrorInTheBodyIsNoSuccess(t *testing.T) {
	for body, want := range map[string]string{
		`{"errcode":310000,"errmsg":"sign not match"}`: "errcode 310000: sign not match",
		`{"code":19024,"msg":"Key Words Not Found"}`:   "code 19024: Key Words Not Found",
		`{"ok":false,"error":"channel_not_found"}`:     "ok: false: channel_not_found",
		`{"success":false}`:                            "no reason was given",
		`{"errcode":0,"errmsg":"ok"}`:                  "",
		`{"code":0,"msg":"success","StatusCode":0}`:    "",
		`{"code":200,"message":"queued"}`:              "",
		`{"ok":true}`:                                  "", `ok`: "", ``: "", `[1]`: "", `{"code":"200"}`: "",
	} {
		address, _ := receiver(t, func(_ int, w http.ResponseWriter) { _, _ = io.WriteString(w, body) })
		err := newWebhook(address, "").Send(t.Context(), Message{ID: "1", Title: "title", News: []News{{Change: Opened, Event: opened("1", "bucket")}}})
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: got %v", body, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got %v, want %q", body, err, want)
		}
	}
}

func TestAWebhookIsTriedAgain(t *testing.T) {
	longtest.Skip(t, "waits as a service asks")
	address, calls := receiver(t, func(n int, w http.ResponseWriter) {
		switch n {
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
		case 2:
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	n := start(t, Recipient{URL: Secret(address)}, quick())
	n.Send(opened("1", "bucket"))
	first, second := wait(t, calls), wait(t, calls)
	third := wait(t, calls)
	if waited := third.came.Sub(second.came); waited < 3*time.Second {
		t.Errorf("it asked for 3 s and was left alone for %s", waited)
	}
	stop(t, n)
	for _, again := range []call{second, third} {
		if again.header.Get("X-Mirror-Delivery") != first.header.Get("X-Mirror-Delivery") {
			t.Error("the same is told under another id")
		}
	}
	if got := n.Stats()[0]; got.Failed != 2 || got.Delivered != 1 {
		t.Errorf("counted %+v", got)
	}
}

func TestRetryAfterIsHonouredWithinBounds(t *testing.T) {
	now := time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "99999999999": maxRetryAfter,
		"999999999999999999999999": 0, "Sun, 22 Nov 2026 13:01:00 GMT": time.Minute, "Sun, 22 Nov 2026 12:00:00 GMT": 0} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	c := newCourier(Recipient{Name: "ops"}, nil, Options{}.filled())
	c.failed(&scrubbedError{"it answered 429", 300 * time.Hour}, now)
	if got := c.retry.Sub(now); got != maxRetryAfter {
		t.Errorf("waits %s, want %s", got, maxRetryAfter)
	}
}

func TestAServerThatHangsIsLeft(t *testing.T) {
	longtest.Skip(t, "waits for a server to be given up")
	release := make(chan struct{})
	address, calls := receiver(t, func(n int, _ http.ResponseWriter) {
		if n == 1 {
			<-release
		}
	})
	t.Cleanup(func() { close(release) })
	n := start(t, Recipient{URL: Secret(address)}, Options{Group: time.Millisecond, Timeout: 200 * time.Millisecond})
	n.Send(opened("1", "bucket"))
	wait(t, calls)
	wait(t, calls)
	if got := n.Stats()[0].Failed; got < 1 {
		t.Errorf("%d failed", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = n.Close(ctx) // what is told by now is not the question
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere, strays := receiver(t, takes)
	address, _ := receiver(t, func(_ int, w http.ResponseWriter) {
		w.Header().Set("Location", elsewhere)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	got := Test(t.Context(), []Recipient{{URL: Secret(address + "/secretpath")}})
	if err := got[0].Err; err == nil || err.Error() != "it answered 307, and redirects are not followed" {
		t.Errorf("got %v", err)
	}
	if len(strays) != 0 {
		t.Error("the message went elsewhere")
	}
}

// flood answers without end.
func flood(_ int, w http.ResponseWriter) {
	w.Header().Set("X-Long", "x")
	chunk := make([]byte, 64<<10)
	for {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func TestAnAnswerWithoutEndIsBounded(t *testing.T) {
	address, _ := receiver(t, flood)
	got := Test(t.Context(), []Recipient{{URL: Secret(address)}})
	if got[0].Err != nil {
		t.Error(got[0].Err)
	}
}

func TestAServiceOfShoutrrrIsTold(t *testing.T) {
	address, calls := receiver(t, func(n int, w http.ResponseWriter) {
		if n == 1 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	n := start(t, Recipient{URL: Secret(strings.Replace(address, "http://", "generic://", 1) + "/hook?disabletls=yes")}, quick())
	n.Send(opened("1", "bucket"))
	wait(t, calls)
	got := wait(t, calls)
	stop(t, n)
	if !strings.HasPrefix(got.body, "bucket: 3 pages are stale\nSince ") || got.path != "/hook" {
		t.Errorf("%s got %q", got.path, got.body)
	}
}

func TestAServiceThatHangsIsNotAskedTwiceAtOnce(t *testing.T) {
	release := make(chan struct{})
	address, calls := receiver(t, func(int, http.ResponseWriter) { <-release })
	s := newService(strings.Replace(address, "http://", "generic://", 1) + "/?disabletls=yes")
	m := composeOne(Opened, opened("1", "bucket"), time.Now())
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if err := s.Send(ctx, m); err == nil {
			t.Error("it hangs and took the message")
		}
		cancel()
	}
	close(release)
	if err := s.Send(t.Context(), m); err != nil {
		t.Error(err)
	}
	if len(calls) != 1 {
		t.Errorf("asked %d times, want once", len(calls))
	}
}

const telegramURL = "telegram://123456789:AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDD@telegram?chats=@blog,-1001234:77&notification=no"

func telegramAt(t *testing.T, address string) *telegram {
	t.Helper()
	u, err := url.Parse(telegramURL)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newTelegram(u)
	if err != nil {
		t.Fatal(err)
	}
	s.api = address
	return s
}

func TestTelegramIsToldInEachChatOnce(t *testing.T) {
	address, calls := receiver(t, func(n int, w http.ResponseWriter) {
		if n == 2 {
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"ok":false,"description":"Too Many Requests","parameters":{"retry_after":5}}`)
			return
		}
		_, _ = io.WriteString(w, `{"ok":true,"result":{}}`)
	})
	s := telegramAt(t, address)
	m := composeOne(Opened, opened("1", "bucket"), time.Now())
	err := s.Send(t.Context(), m)
	var r *refusal
	if !errors.As(err, &r) || r.after != 5*time.Second {
		t.Errorf("got %v", err)
	}
	if err := s.Send(t.Context(), m); err != nil {
		t.Error(err)
	}
	first, second, third := wait(t, calls), wait(t, calls), wait(t, calls)
	if !strings.Contains(first.body, `"chat_id":"@blog"`) || !strings.Contains(first.body, `"disable_notification":true`) {
		t.Errorf("got %s", first.body)
	}
	if second.body != third.body || !strings.Contains(third.body, `"chat_id":"-1001234","message_thread_id":77`) || len(calls) != 0 {
		t.Errorf("got %s", third.body)
	}
	if first.path != "/bot123456789:AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDD/sendMessage" {
		t.Errorf("asked for %s", first.path)
	}
}

func TestTelegramThatCannotBeReachedIsNoSuccess(t *testing.T) {
	address, _ := receiver(t, takes)
	m := composeOne(Opened, opened("1", "bucket"), time.Now())
	if err := telegramAt(t, address).Send(t.Context(), m); err == nil {
		t.Error("an empty answer is a success")
	}
	if err := telegramAt(t, "http://127.0.0.1:1").Send(t.Context(), m); err == nil {
		t.Error("no answer is a success")
	}
}

func TestATestMessageSaysWhoTookIt(t *testing.T) {
	good, calls := receiver(t, takes)
	bad, _ := receiver(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) })
	got := Test(t.Context(), []Recipient{
		{Name: "good", URL: Secret(good + "/secretpath"), Quiet: Quiet{0, 24 * 60, time.UTC}, On: []Kind{Drift}},
		{Name: "bad", URL: Secret(bad)}, {Name: "none", URL: "nowhere"},
	})
	if got[0].Err != nil || got[0].To != good+"/***" {
		t.Errorf("got %+v", got[0])
	}
	if !strings.Contains(wait(t, calls).body, `"kind":"test"`) {
		t.Error("it is no test message")
	}
	if got[1].Err == nil || got[1].Err.Error() != "it answered 403 Forbidden" || got[2].Err == nil {
		t.Errorf("got %v and %v", got[1].Err, got[2].Err)
	}
}
