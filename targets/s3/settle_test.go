package s3_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mirror/internal/longtest"
	"mirror/site"
	"mirror/targets"
	"mirror/targets/targettest"
)

// later has a service's clock be ahead in what it answers, so that objects count as settled at
// once and a commit has something to record.
func later(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		resp.Header.Set("Date", time.Now().Add(10*time.Second).UTC().Format(http.TimeFormat))
	}
	return resp, err
}

func isState(r *http.Request) bool {
	return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/.mirror/live")
}

func refusal(r *http.Request, status int) *http.Response {
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: r}
}

// TestRecordsAreOptional refuses every write of a record: the commit is done all the same.
func TestRecordsAreOptional(t *testing.T) {
	longtest.Skip(t, "waits for requests that hang")
	for name, answer := range map[string]func(r *http.Request) (*http.Response, error){
		"403":  func(r *http.Request) (*http.Response, error) { return refusal(r, http.StatusForbidden), nil },
		"500":  func(r *http.Request) (*http.Response, error) { return refusal(r, http.StatusInternalServerError), nil },
		"hang": func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
		"cut":  func(*http.Request) (*http.Response, error) { return nil, errors.New("the connection was reset") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := fake(t)
			rec := p.recorder()
			var refused atomic.Int64
			rec.before = func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/.mirror/records/") {
					refused.Add(1)
					return answer(r)
				}
				return later(r)
			}
			for _, files := range []targettest.Files{old, next} {
				tgt := p.open(t, rec)
				tgt.SetRecording(3 * time.Second)
				publish(t, tgt, targettest.Release(files))
				p.wantExactly(t, files)
			}
			if refused.Load() == 0 {
				t.Error("no record was written, so none was refused")
			}
		})
	}
}

// TestLeaseIsRenewedUntilTheEnd holds the commit up where it records what it stored, after all is in
// place, until its state was renewed several times.
func TestLeaseIsRenewedUntilTheEnd(t *testing.T) {
	t.Parallel()
	p := fake(t)
	publish(t, p.open(t, nil), targettest.Release(old))
	rec := p.recorder()
	var beacon, renewals atomic.Int64
	rec.before = func(r *http.Request) (*http.Response, error) {
		switch {
		case r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, site.DefaultBeacon):
			beacon.Add(1)
		case isState(r) && beacon.Load() > 0:
			renewals.Add(1)
		case r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/.mirror/records/") && beacon.Load() > 0:
			for deadline := time.Now().Add(2 * time.Minute); renewals.Load() < 6 && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			if renewals.Load() < 6 {
				t.Error("the lease was not renewed while the commit settled")
			}
		}
		return nil, nil
	}
	tgt := p.open(t, rec)
	tgt.SetLease(400 * time.Millisecond)
	publish(t, tgt, targettest.Release(next))
	p.wantExactly(t, next)
}

// TestRenewalsMayFail has renewals refused, and done with their answers lost, while a commit
// copies: neither ends it.
func TestRenewalsMayFail(t *testing.T) {
	longtest.Skip(t, "waits for leases to end")
	for name, answer := range map[string]func(r *http.Request) (*http.Response, error){
		"refused": func(r *http.Request) (*http.Response, error) { return refusal(r, http.StatusForbidden), nil },
		"lost": func(r *http.Request) (*http.Response, error) {
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err == nil {
				resp.Body.Close()
			}
			return nil, errors.Join(errors.New("the answer is lost"), context.Canceled)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := fake(t)
			publish(t, p.open(t, nil), targettest.Release(old))
			rec := p.recorder()
			var states, copies atomic.Int64
			rec.before = func(r *http.Request) (*http.Response, error) {
				goesLive := r.Method == http.MethodPut && !strings.Contains(r.URL.Path, "/.mirror/")
				switch {
				case goesLive && copies.Add(1) == 1: // until renewals have failed, and one has not
					for deadline := time.Now().Add(2 * time.Minute); states.Load() < 5 && time.Now().Before(deadline); {
						time.Sleep(time.Millisecond)
					}
				case isState(r) && copies.Load() > 0 && states.Add(1) <= 2:
					return answer(r)
				}
				return nil, nil
			}
			tgt := p.open(t, rec)
			tgt.SetLease(2 * time.Second)
			publish(t, tgt, targettest.Release(next))
			p.wantExactly(t, next)
		})
	}
}

// TestPausedPastItsLease stops a publisher in the middle of its copies for longer than its
// lease. Another takes over; when the first goes on it writes nothing more, and says that it
// lost.
func TestPausedPastItsLease(t *testing.T) {
	longtest.Skip(t, "waits for leases to end")
	t.Parallel()
	p := fake(t)
	publish(t, p.open(t, nil), targettest.Release(old))
	rec := p.recorder()
	var copies, after atomic.Int64
	paused, goOn := make(chan struct{}), make(chan struct{})
	var resumed atomic.Bool
	rec.before = func(r *http.Request) (*http.Response, error) {
		write := r.Method != http.MethodGet && r.Method != http.MethodHead && !strings.Contains(r.URL.Path, "/.mirror/")
		if resumed.Load() && write {
			after.Add(1)
		}
		if write && copies.Add(1) == 1 {
			close(paused)
			<-goOn
			return nil, errors.New("the connection was reset") // the request never left
		}
		if isState(r) && copies.Load() > 0 {
			<-goOn // the whole process is stopped; then the copies have all the time to go on first
			for deadline := time.Now().Add(time.Second); after.Load() == 0 && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
		}
		return nil, nil
	}
	p.config.Concurrency = 1
	first := p.openAs(t, "first", "", rec)
	p.config.Concurrency = 0
	first.SetLease(2 * time.Second)
	done := make(chan error, 1)
	go func() {
		_, err := targettest.Publish(t.Context(), first, targettest.Release(next))
		done <- err
	}()
	<-paused
	third := targettest.Files{"index.html": "third"}
	second := p.openAs(t, "second", "", nil)
	second.SetLease(2 * time.Second)
	publish(t, second, targettest.Release(third))
	resumed.Store(true)
	close(goOn)
	if err := <-done; !errors.Is(err, targets.ErrConflict) {
		t.Errorf("the first: got %v, want ErrConflict", err)
	}
	if n := after.Load(); n > 0 {
		t.Errorf("the first wrote %d times after the other had taken over", n)
	}
	p.wantExactly(t, third)
}
