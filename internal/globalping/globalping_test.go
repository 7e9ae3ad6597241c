package globalping_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"mirror/internal/globalping"
)

// api is a fake of the API: the first polls find the measurement under way, and the first refusals requests are refused.
type api struct {
	t        *testing.T
	polls    atomic.Int64
	refusals atomic.Int64
	after    string // Retry-After
	results  string
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.refusals.Add(-1) >= 0 {
		w.Header().Set("Retry-After", a.after)
		w.Header().Set("X-Credits-Remaining", "0")
		http.Error(w, `{"error":{"type":"rate_limit_exceeded"}}`, http.StatusTooManyRequests)
		return
	}
	if got := r.Header.Get("Authorization"); got != "Bearer secret" {
		a.t.Errorf("got authorization %q", got)
	}
	if r.Method == http.MethodPost {
		a.create(w, r)
		return
	}
	if r.URL.Path != "/v1/measurements/m1" {
		a.t.Errorf("got %s", r.URL)
	}
	if a.polls.Add(-1) >= 0 {
		fmt.Fprint(w, `{"id":"m1","status":"in-progress","results":[]}`)
		return
	}
	fmt.Fprintf(w, `{"id":"m1","status":"finished","results":[%s]}`, a.results)
}

// create takes a measurement of the kind that the API's schema allows.
func (a *api) create(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Type, Target string
		Locations    []struct {
			Magic string
			Limit int
		}
		MeasurementOptions struct {
			Protocol string
			Port     int
			Request  struct{ Method, Path, Query string }
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil || r.Header.Get("Content-Type") != "application/json" {
		a.t.Errorf("got %+v, %v", m, err)
	}
	o := m.MeasurementOptions
	if m.Type != "http" || m.Target != "blog.example.com" || len(m.Locations) != 2 || m.Locations[0].Magic != "Frankfurt" || m.Locations[1].Limit != 1 ||
		o.Protocol != "HTTPS" || o.Port != 443 || o.Request.Method != "GET" || o.Request.Path != "/.well-known/mirror.json" {
		a.t.Errorf("got %+v", m)
	}
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprint(w, `{"id":"m1","probesCount":2}`)
}

const twoResults = `{"probe":{"city":"Frankfurt","country":"DE","network":"Example Net"},
	"result":{"status":"finished","statusCode":200,"rawBody":"{}","truncated":false,"headers":{"Age":"7","x-cache":["HIT","MISS"]}}},
	{"probe":{"city":"Tokyo","country":"JP","network":"Other"},"result":{"status":"finished","statusCode":200,"rawBody":"{\"rel","truncated":true,"headers":{}}},
	{"probe":{"city":"Oslo","country":"NO","network":"Third"},"result":{"status":"failed","rawOutput":"connect\nrefused"}}`

func (a *api) get(t *testing.T) ([]globalping.Answer, error) {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	page := &url.URL{Scheme: "https", Host: "blog.example.com", Path: "/.well-known/mirror.json"}
	return globalping.Client{API: base, Token: "secret", HTTP: server.Client()}.Get(t.Context(), page, []string{"Frankfurt", "Tokyo"})
}

// TestGet waits for a measurement, over a limit that ends soon. A body that was cut off is not returned.
func TestGet(t *testing.T) {
	t.Parallel()
	a := &api{t: t, after: "0", results: twoResults}
	a.polls.Store(1)
	a.refusals.Store(2)
	got, err := a.get(t)
	if err != nil || len(got) != 3 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if got[0].Place != "Frankfurt, DE, Example Net" || string(got[0].Body) != "{}" || got[0].Header["age"] != "7" || got[0].Header["x-cache"] != "HIT" {
		t.Errorf("got %+v", got[0])
	}
	if got[1].Body != nil || got[1].Status != 200 || got[2].Err != "the probe is failed: connect refused" {
		t.Errorf("got %+v", got[1:])
	}
}

// TestLimit gives up when the limit lasts, and says how many credits are left.
func TestLimit(t *testing.T) {
	t.Parallel()
	for after, refusals := range map[string]int64{"0": 9, "3600": 1} {
		a := &api{t: t, after: after}
		a.refusals.Store(refusals)
		_, err := a.get(t)
		if !errors.Is(err, globalping.ErrLimited) || !strings.Contains(err.Error(), "0 credits") {
			t.Errorf("Retry-After %s: got %v", after, err)
		}
		if left := a.refusals.Load(); after == "0" && left != 6 {
			t.Errorf("%d requests; want 3", 9-left)
		}
	}
}

// TestHostileAPI answers what cannot be.
func TestHostileAPI(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"no JSON": "<html>", "no measurement": "{}", "an error": ""} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if text == "" {
				http.Error(w, strings.Repeat("no ", 1000), http.StatusInternalServerError)
				return
			}
			fmt.Fprint(w, text)
		}))
		base, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		got, err := globalping.Client{API: base}.Get(t.Context(), base, []string{"x"})
		if err == nil || got != nil || len(err.Error()) > 400 {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
		server.Close()
	}
}
