package watch_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/origin"
	"mirror/internal/watch"
)

// hosts is a network on which each host has an answer of its own.
type hosts map[string]func(path string) (status int, header http.Header, body string, err error)

// RoundTrip answers after a while.
func (a hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-time.After(10 * time.Millisecond):
	}
	status, header, body, err := a[r.URL.Host](strings.TrimPrefix(r.URL.Path, "/"))
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// An origin that fails for good is not waited for, and the reason is told; one that is not
// deployed yet is waited for all the same.
func TestAPermanentFailureEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		slow := func(path string) (int, http.Header, string, error) {
			if time.Since(began) < 20*time.Second {
				return http.StatusNotFound, nil, "", nil
			}
			return http.StatusOK, nil, string(edition(2)[path]), nil
		}
		network := hosts{
			"slow": slow,
			"moved": func(path string) (int, http.Header, string, error) {
				return http.StatusMovedPermanently, http.Header{"Location": {"https://blog.example.com/" + path}}, "", nil
			},
			"nowhere": func(string) (int, http.Header, string, error) {
				return 0, nil, "", &net.DNSError{Err: "no such host", IsNotFound: true}
			},
			"down":   func(string) (int, http.Header, string, error) { return 0, nil, "", errors.New("connection refused") },
			"begins": slow,
		}
		network["begins"] = func(path string) (int, http.Header, string, error) { // its name is made 2 s later
			if time.Since(began) < 2*time.Second {
				return 0, nil, "", &net.DNSError{Err: "no such host", IsNotFound: true}
			}
			return slow(path)
		}
		var origins []origin.Endpoint
		for name := range network {
			origins = append(origins, origin.Endpoint{
				Name: name, URL: &url.URL{Scheme: "http", Host: name, Path: "/"},
				Options: origin.Options{Concurrency: 2, Rate: 50, Timeout: time.Second, Transport: network},
			})
		}
		w := watch.Start(t.Context(), origins, watch.Options{Began: began, Changes: changes(), GiveUp: true})
		defer w.Stop()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if late := w.Await(ctx, []string{"moved", "nowhere"}); !slices.Equal(late, []string{"moved", "nowhere"}) || time.Since(began) > 10*time.Second {
			t.Errorf("late %v after %s; want both, soon", late, time.Since(began))
		}
		if late := w.Settle(ctx, []string{"moved", "slow", "nowhere", "begins"}); !slices.Equal(late, []string{"moved", "nowhere"}) || ctx.Err() != nil {
			t.Errorf("late %v after %s; want those that fail for good, and the others to be waited for", late, time.Since(began))
		}
		for _, p := range w.Progress() {
			want := map[string]watch.Progress{
				"moved":   {Trouble: "answers 301, away to https://blog.example.com", Hopeless: true},
				"nowhere": {Trouble: "DNS: no such host", Hopeless: true},
				"down":    {Trouble: "no answer: connection refused"},
			}[p.Name]
			if want.Trouble != "" && (p.Trouble != want.Trouble || p.Hopeless != want.Hopeless) {
				t.Errorf("%s: got %q, %v; want %q, %v", p.Name, p.Trouble, p.Hopeless, want.Trouble, want.Hopeless)
			}
		}
		patient := watch.Start(t.Context(), origins, watch.Options{Began: began, Changes: changes()})
		defer patient.Stop()
		short, done := context.WithTimeout(t.Context(), 15*time.Second)
		defer done()
		if w.Settle(short, []string{"down"}); short.Err() == nil {
			t.Error("an origin that is down may come up, and is not waited for")
		}
		long, end := context.WithTimeout(t.Context(), 15*time.Second)
		defer end()
		if patient.Settle(long, []string{"moved"}); long.Err() == nil {
			t.Error("a watch that is not to give up does so")
		}
	})
}

// A service that is down before the first release is not waited for, and is watched at the configured
// rate once it is up, whatever it asked for by Retry-After.
func TestAServiceThatIsDownIsNotALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, up := time.Now(), 10*time.Second
		network := hosts{"app": func(path string) (int, http.Header, string, error) {
			if time.Since(began) < up {
				return http.StatusServiceUnavailable, http.Header{"Retry-After": {"1"}}, "", nil
			}
			return http.StatusOK, nil, string(edition(2)[path]), nil
		}}
		at := origin.Endpoint{Name: "app", URL: &url.URL{Scheme: "http", Host: "app", Path: "/"}, Options: origin.Options{
			Concurrency: 4, Rate: 100, Timeout: 10 * time.Second, Transport: network, Pace: origin.NewPace(100),
		}}
		looked, err := watch.Baseline(t.Context(), []origin.Endpoint{at}, watch.Options{Changes: changes(), Release: releaseOf(2)})
		if took := time.Since(began); err != nil || took > time.Second || len(looked.Seen) > 0 {
			t.Errorf("looked for %s, saw %v, %v", took, looked.Seen, err)
		}
		looked.Began = time.Now()
		w := watch.Start(t.Context(), []origin.Endpoint{at}, looked)
		late := w.Settle(t.Context(), []string{"app"})
		w.Stop()
		if took := time.Since(began); len(late) > 0 || took > up+3*time.Second || at.Pace.Rate() < 97 || len(w.Notes()) > 0 {
			t.Errorf("late %v after %s, now %.1f requests a second, notes %q", late, took, at.Pace.Rate(), w.Notes())
		}
	})
}

// An origin that is down is requested a few times a second, and is seen soon after it is up. That it is deployed later,
// and answers 404 until then, is another thing: the bounds of its window rest on how often it is requested.
func TestAnOriginThatIsDownIsRequestedSeldom(t *testing.T) {
	t.Parallel()
	refused := func() (int, http.Header, string, error) { return 0, nil, "", syscall.ECONNREFUSED }
	gateway := func() (int, http.Header, string, error) { return http.StatusBadGateway, nil, "down", nil }
	for name, down := range map[string]func() (int, http.Header, string, error){"refused": refused, "gateway": gateway} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const rest = 60 * time.Second
				began := time.Now()
				var requests atomic.Int64
				network := hosts{"app": func(path string) (int, http.Header, string, error) {
					if time.Since(began) < rest {
						requests.Add(1)
						return down()
					}
					return http.StatusOK, nil, string(edition(2)[path]), nil
				}}
				at := origin.Endpoint{Name: "app", URL: &url.URL{Scheme: "http", Host: "app", Path: "/"}, Options: origin.Options{
					Concurrency: 16, Timeout: 10 * time.Second, Transport: network,
				}}
				w := watch.Start(t.Context(), []origin.Endpoint{at}, watch.Options{
					Began: began, Changes: changes(), BeaconPath: ".well-known/mirror.json", Release: releaseOf(2),
				})
				defer w.Stop()
				w.Await(t.Context(), []string{"app"})
				if took := time.Since(began) - rest; took > time.Second {
					t.Errorf("it was seen %s after it was up, want at most 1s", took)
				}
				if most := int64(rest/time.Second)*6 + 50; requests.Load() > most {
					t.Errorf("%d requests in %s while it was down, want at most %d", requests.Load(), rest, most)
				}
			})
		})
	}
}

// The same for a watch that waits for the next change: of two origins one is down, and the other changes after a minute.
func TestAnIdleWatchRequestsWhatIsDownSeldom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var requests atomic.Int64
		network := hosts{
			"app": func(string) (int, http.Header, string, error) {
				requests.Add(1)
				return 0, nil, "", syscall.ECONNREFUSED
			},
			"site": func(string) (int, http.Header, string, error) {
				return http.StatusOK, nil, strings.Repeat("a", 1+int(time.Since(began)/time.Minute)), nil
			},
		}
		var origins []origin.Endpoint
		for _, name := range []string{"app", "site"} {
			origins = append(origins, origin.Endpoint{Name: name, URL: &url.URL{Scheme: "http", Host: name, Path: "/"}, Options: origin.Options{
				Concurrency: 2, Timeout: time.Second, Transport: network,
			}})
		}
		if _, err := watch.Next(t.Context(), origins, []string{"p0.html"}); err != nil || time.Since(began) > 2*time.Minute {
			t.Fatalf("after %s: %v", time.Since(began), err)
		}
		if requests.Load() > 410 {
			t.Errorf("%d requests in %s to an origin that is down", requests.Load(), time.Since(began))
		}
	})
}
