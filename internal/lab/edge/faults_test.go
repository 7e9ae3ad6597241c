package edge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mirror/internal/lab"
	"mirror/internal/lab/edge"
)

// fresh asks an origin on a fresh connection and reads all of the answer.
func fresh(ctx context.Context, o *edge.Origin) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", o.URL, nil)
	if err != nil {
		return nil, nil, err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, body, err
}

func TestFaults(t *testing.T) {
	const home = "<p>home"
	l := start(t, lab.Options{ContentType: func(string, []byte) string { return "text/html" }})
	for i, place := range places(l) {
		o := l.Origins()[i]
		if err := place.Edit(t.Context(), map[string][]byte{"index.html": []byte(home)}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name  string
			fault edge.Fault
			want  func(*http.Response, []byte, error) bool
		}{
			{"reset", edge.Reset, func(_ *http.Response, _ []byte, err error) bool { return errors.Is(err, syscall.ECONNRESET) }},
			{"garbage", edge.Garbage, func(_ *http.Response, _ []byte, err error) bool {
				return err != nil && strings.Contains(err.Error(), "malformed HTTP")
			}},
			{"noise", edge.Noise, func(res *http.Response, body []byte, err error) bool {
				_, again, _ := fresh(t.Context(), o)
				return err == nil && res.StatusCode == 200 && len(body) > 0 && !bytes.Equal(body, again)
			}},
			{"304", edge.NotModified, func(res *http.Response, _ []byte, err error) bool { return err == nil && res.StatusCode == 304 }},
			{"empty", edge.Empty, func(res *http.Response, body []byte, err error) bool {
				return err == nil && res.StatusCode == 200 && len(body) == 0 && res.ContentLength == 0
			}},
			{"a day ahead", edge.WrongDate(24 * time.Hour), func(res *http.Response, body []byte, err error) bool {
				return err == nil && string(body) == home && dateIs(res, 24*time.Hour)
			}},
			{"a day behind", edge.WrongDate(-24 * time.Hour), func(res *http.Response, body []byte, err error) bool {
				return err == nil && string(body) == home && dateIs(res, -24*time.Hour)
			}},
			{"always sometimes", edge.Sometimes(1, edge.Empty), func(_ *http.Response, body []byte, err error) bool {
				return err == nil && len(body) == 0
			}},
			{"never sometimes", edge.Sometimes(0, edge.Empty), func(_ *http.Response, body []byte, err error) bool {
				return err == nil && string(body) == home
			}},
		} {
			o.SetFault(c.fault)
			if res, body, err := fresh(t.Context(), o); !c.want(res, body, err) {
				t.Errorf("%s: %s: %v, %q, %v", o.Name, c.name, res, body, err)
			}
			o.SetFault(nil)
			if _, body, err := fresh(t.Context(), o); err != nil || string(body) != home {
				t.Errorf("%s after %s: %q, %v", o.Name, c.name, body, err)
			}
		}
	}
}

func dateIs(res *http.Response, ahead time.Duration) bool {
	date, err := http.ParseTime(res.Header.Get("Date"))
	return err == nil && time.Until(date.Add(-ahead)).Abs() < time.Hour
}

// A fault that does not answer lets go of a visitor who gives up, and of a lab that closes.
func TestFaultsThatHang(t *testing.T) {
	l := start(t, lab.Options{})
	for name, c := range map[string]struct {
		fault   edge.Fault
		answers bool
	}{"hang": {edge.Hang, false}, "stall": {edge.Stall, true}} {
		var began atomic.Int32
		ended := make(chan struct{}, 100)
		l.Git.Override("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			began.Add(1)
			defer func() { ended <- struct{}{} }()
			c.fault(nil).ServeHTTP(w, r)
		}))
		res, body, err := hurried(t, l.Git.Origin, func(got int) bool { return began.Load() > 0 && (got > 0) == c.answers })
		if !errors.Is(err, context.DeadlineExceeded) || (res != nil) != c.answers {
			t.Errorf("%s: %v, %q, %v", name, res, body, err)
		}
		await(t, ended)
		go fresh(t.Context(), l.Git.Origin)
	}
}

// hurried asks with little time, and with more until the answer came as far as it should, in
// bytes of its body.
func hurried(t *testing.T, o *edge.Origin, far func(got int) bool) (res *http.Response, body []byte, err error) {
	t.Helper()
	for patience := 50 * time.Millisecond; patience < time.Minute; patience *= 4 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		res, body, err = fresh(ctx, o)
		cancel()
		if far(len(body)) {
			break
		}
	}
	return res, body, err
}

func await(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("it hangs")
	}
}

func TestDrip(t *testing.T) {
	const page, pause = "<p>a page of some bytes", 5 * time.Millisecond
	l := start(t, lab.Options{})
	if err := l.S3.Edit(t.Context(), map[string][]byte{"index.html": []byte(page)}); err != nil {
		t.Fatal(err)
	}
	l.S3.SetFault(edge.Drip(pause))
	asked := time.Now()
	if _, body, err := fresh(t.Context(), l.S3.Origin); err != nil || string(body) != page {
		t.Errorf("dripped %q, %v", body, err)
	}
	if took, want := time.Since(asked), pause*time.Duration(len(page)-1); took < want {
		t.Errorf("took %s, want %s or more", took, want)
	}
	l.S3.SetFault(edge.Drip(time.Hour))
	if _, body, err := hurried(t, l.S3.Origin, func(got int) bool { return got > 0 }); !errors.Is(err, context.DeadlineExceeded) || string(body) != page[:1] {
		t.Errorf("an hour a byte: %q, %v", body, err)
	}
}

// TestAbsent has an origin answer 403 for what it does not have, and all else as ever.
func TestAbsent(t *testing.T) {
	site := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Of", "the site")
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, "home")
	})
	refused := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	for path, want := range map[string]string{"/": "200 home the site", "/old.html": "403  "} {
		rec := httptest.NewRecorder()
		edge.Absent(refused)(site).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		if got := fmt.Sprintf("%d %s %s", rec.Code, rec.Body, rec.Header().Get("X-Of")); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}
