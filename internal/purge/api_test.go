package purge

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mirror/internal/notify"
)

// wire answers requests by a handler, without sockets: time in it is that of a bubble.
type wire struct {
	http.HandlerFunc
	mu    sync.Mutex
	hosts []string
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.hosts = append(w.hosts, r.URL.Host)
	w.mu.Unlock()
	answer := httptest.NewRecorder()
	w.ServeHTTP(answer, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return answer.Result(), nil
}

var values = map[string]string{"TOKEN": "very-secret-token", "KEY": "AKIDEXAMPLE", "SECRET": "very-secret-key"}

// purgeWith sends URLs to a cache with a config, whose server is h.
func purgeWith(t *testing.T, c Config, h http.HandlerFunc, urls ...string) (requests int, hosts []string, err error) {
	t.Helper()
	c.Validate(func(key, why string) { t.Errorf("%s %s", key, why) })
	w := &wire{HandlerFunc: h}
	cache, err := New(c, Env{Getenv: func(name string) string { return values[name] }, Transport: w})
	if err != nil {
		t.Fatal(err)
	}
	requests, err = cache.Purge(t.Context(), Batch{Origin: "blog", Site: &url.URL{Scheme: "https", Host: "blog.example.com", Path: "/"}, Release: "id", URLs: urls})
	return requests, w.hosts, err
}

// manyURLs are n URLs of the site.
func manyURLs(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("https://blog.example.com/%d.html", i))
	}
	return all
}

func TestCloudflare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Config{Type: typeCloudflare, Zone: "abc123", TokenEnv: "TOKEN", Batch: 30}
		var got []string
		limited := false
		began := time.Now()
		n, hosts, err := purgeWith(t, c, func(w http.ResponseWriter, r *http.Request) {
			var body struct{ Files []string }
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Method != http.MethodPost || r.URL.Path != "/client/v4/zones/abc123/purge_cache" ||
				r.Header.Get("Authorization") != "Bearer very-secret-token" || len(body.Files) > 30 {
				t.Errorf("got %s %s with %d files, %v", r.Method, r.URL, len(body.Files), err)
			}
			if len(got) == 30 && !limited {
				limited = true
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			got = append(got, body.Files...)
			fmt.Fprint(w, `{"success":true,"errors":[],"result":{"id":"abc123"}}`)
		}, manyURLs(65)...)
		if err != nil || n != 4 || !slices.Equal(got, manyURLs(65)) || hosts[0] != "api.cloudflare.com" {
			t.Errorf("got %d requests to %s for %d URLs, %v", n, hosts[0], len(got), err)
		}
		if waited := time.Since(began); waited != 7*time.Second {
			t.Errorf("waited %s, want what Retry-After says", waited)
		}
	})
}

// TestRefusals has each service say no, or something that is not an answer of its API.
func TestRefusals(t *testing.T) {
	all := []Config{
		{Type: typeCloudflare, Zone: "abc123", TokenEnv: "TOKEN", Batch: 30},
		{Type: typeCloudFront, Distribution: "E123", AccessKeyEnv: "KEY", SecretKeyEnv: "SECRET"},
		{Type: typeFastly, TokenEnv: "TOKEN"},
		{Type: typeFastly, TokenEnv: "TOKEN", Service: "S1", SurrogateKeys: []string{"blog"}},
		{Type: typeVarnish, URL: "http://127.0.0.1:6081", Method: "PURGE"},
		{Type: typeVarnish, URL: "http://127.0.0.1:6081", Method: "GET", Header: "X-Refresh"},
		{Type: typeWebhook, URL: "https://hooks.example.com/secret-part", TokenEnv: "TOKEN"},
	}
	answers := map[string]struct {
		status  int
		body    string
		header  http.Header
		most    int // requests for a hundred URLs
		in, not []string
	}{
		"forbidden": {status: 403, body: `{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}`, most: atOnce, in: []string{"403"}},
		"redirect":  {status: 302, header: http.Header{"Location": {"https://evil.example.com/"}}, most: atOnce},
		"down":      {status: 503, body: "<html>sorry</html>", most: attempts * atOnce, in: []string{"503"}, not: []string{"<html"}},
		"endless":   {status: 403, body: strings.Repeat("x", 1<<22), most: atOnce},
	}
	for name, answer := range answers {
		for _, c := range all {
			if c.Method == "GET" && name == "redirect" {
				continue // the page leads elsewhere, and was fetched
			}
			t.Run(name+" "+c.Type, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n, hosts, err := purgeWith(t, c, func(w http.ResponseWriter, _ *http.Request) {
						for key, value := range answer.header {
							w.Header()[key] = value
						}
						w.WriteHeader(answer.status)
						_, _ = io.WriteString(w, answer.body) // to a recorder
					}, manyURLs(100)...)
					if err == nil || n > answer.most || slices.Contains(hosts, "evil.example.com") {
						t.Fatalf("got %v after %d requests to %v", err, n, hosts)
					}
					for _, text := range answer.in {
						if !strings.Contains(err.Error(), text) {
							t.Errorf("got %v, without %q", err, text)
						}
					}
					for _, text := range append(answer.not, "very-secret", "secret-part") {
						if strings.Contains(err.Error(), text) {
							t.Errorf("got %v, with %q", err, text)
						}
					}
					if len(err.Error()) > 1000 {
						t.Errorf("the error has %d bytes", len(err.Error()))
					}
				})
			})
		}
	}
}

// TestNonsenseIsNoSuccess has services with documents answer 200 with something else.
func TestNonsenseIsNoSuccess(t *testing.T) {
	for _, body := range []string{"", "ok", "{}", `{"success":false}`, "<a/>", "<Invalidation><Id>1</Id></Invalidation>", "[" + strings.Repeat("[", 1<<16)} {
		for _, c := range []Config{
			{Type: typeCloudflare, Zone: "abc123", TokenEnv: "TOKEN", Batch: 30},
			{Type: typeCloudFront, Distribution: "E123", AccessKeyEnv: "KEY", SecretKeyEnv: "SECRET"},
		} {
			_, _, err := purgeWith(t, c, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }, manyURLs(1)...)
			if err == nil {
				t.Errorf("%s took %.20q as a success", c.Type, body)
			}
		}
	}
}

// distribution is a CloudFront distribution: an invalidation takes three looks, and one at a time may be in progress.
type distribution struct {
	t       *testing.T
	batches [][]string
	looks   int
	busy    int // how often to say that too many are in progress
}

func (d *distribution) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const base = "/2020-05-31/distribution/E123/invalidation"
	if auth := r.Header.Get("Authorization"); !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") || !strings.Contains(auth, "/us-east-1/cloudfront/aws4_request") {
		d.t.Errorf("signed as %q", auth)
	}
	id := fmt.Sprintf("I%d", len(d.batches))
	switch {
	case r.Method == http.MethodPost && r.URL.Path == base && d.busy > 0:
		d.busy--
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `<ErrorResponse><Error><Type>Sender</Type><Code>TooManyInvalidationsInProgress</Code><Message>wait</Message></Error></ErrorResponse>`)
		return
	case r.Method == http.MethodPost && r.URL.Path == base:
		var b struct {
			XMLName         xml.Name `xml:"http://cloudfront.amazonaws.com/doc/2020-05-31/ InvalidationBatch"`
			CallerReference string
			Quantity        int      `xml:"Paths>Quantity"`
			Paths           []string `xml:"Paths>Items>Path"`
		}
		if err := xml.NewDecoder(r.Body).Decode(&b); err != nil || b.CallerReference == "" || b.Quantity != len(b.Paths) {
			d.t.Errorf("got %+v, %v", b, err)
		}
		d.batches = append(d.batches, b.Paths)
		id = fmt.Sprintf("I%d", len(d.batches))
		w.WriteHeader(http.StatusCreated)
	case r.Method != http.MethodGet || r.URL.Path != base+"/"+id:
		d.t.Errorf("got %s %s", r.Method, r.URL)
	}
	status := "InProgress"
	if d.looks++; d.looks > 3 {
		status = "Completed"
	}
	fmt.Fprintf(w, `<?xml version="1.0"?><Invalidation xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Id>%s</Id><Status>%s</Status></Invalidation>`, id, status)
}

func TestCloudFront(t *testing.T) {
	for name, c := range map[string]struct {
		urls []string
		want []string
		busy int
	}{
		"few":                  {urls: []string{"https://blog.example.com/", "https://blog.example.com/~a%20%28b%29", "https://blog.example.com/~a%20(b)"}, want: []string{"/", "/~a%20(b)", "/%7Ea%20(b)"}},
		"too many in progress": {urls: []string{"https://blog.example.com/"}, want: []string{"/"}, busy: 5},
		"most":                 {urls: manyURLs(maxPaths), want: nil},
		"more than one batch":  {urls: manyURLs(maxPaths + 1), want: []string{"/*"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &distribution{t: t, busy: c.busy}
				config := Config{Type: typeCloudFront, Distribution: "E123", AccessKeyEnv: "KEY", SecretKeyEnv: "SECRET"}
				n, hosts, err := purgeWith(t, config, d.ServeHTTP, c.urls...)
				if err != nil || n != 4+c.busy || len(d.batches) != 1 || hosts[0] != "cloudfront.amazonaws.com" {
					t.Fatalf("got %d requests to %s, %d batches, %v", n, hosts[0], len(d.batches), err)
				}
				if c.want != nil && !slices.Equal(d.batches[0], c.want) || c.want == nil && len(d.batches[0]) != maxPaths {
					t.Errorf("got %.5q", d.batches[0])
				}
			})
		})
	}
}

// TestInvalidationThatNeverEnds ends with the context.
func TestInvalidationThatNeverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &distribution{t: t, looks: -1 << 30}
		cache, err := New(Config{Type: typeCloudFront, Distribution: "E123", AccessKeyEnv: "KEY", SecretKeyEnv: "SECRET"},
			Env{Getenv: func(name string) string { return values[name] }, Transport: &wire{HandlerFunc: d.ServeHTTP}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, errors.New("too late"))
		defer cancel()
		n, err := cache.Purge(ctx, Batch{Site: &url.URL{Scheme: "https", Host: "blog.example.com"}, URLs: manyURLs(1)})
		if err == nil || !strings.Contains(err.Error(), "too late") || n > 400 {
			t.Errorf("got %v after %d requests", err, n)
		}
	})
}

func TestFastly(t *testing.T) {
	var mu sync.Mutex
	var got []string
	_, hosts, err := purgeWith(t, Config{Type: typeFastly, TokenEnv: "TOKEN", Soft: true}, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, r.URL.EscapedPath())
		if r.Method != http.MethodPost || r.Header.Get("Fastly-Key") != "very-secret-token" || r.Header.Get("Fastly-Soft-Purge") != "1" {
			t.Errorf("got %s with %v", r.Method, r.Header)
		}
		fmt.Fprint(w, `{"status":"ok","id":"1"}`)
	}, "https://blog.example.com/", "https://blog.example.com/a%20b/")
	slices.Sort(got)
	if want := []string{"/purge/blog.example.com/", "/purge/blog.example.com/a%20b/"}; err != nil || !slices.Equal(got, want) || hosts[0] != "api.fastly.com" {
		t.Errorf("got %q at %s, %v", got, hosts[0], err)
	}
	var keys []string
	for i := range 300 {
		keys = append(keys, fmt.Sprintf("key%d", i))
	}
	var sent []int
	n, _, err := purgeWith(t, Config{Type: typeFastly, TokenEnv: "TOKEN", Service: "S1", SurrogateKeys: keys}, func(_ http.ResponseWriter, r *http.Request) {
		var body map[string][]string
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.URL.Path != "/service/S1/purge" || r.Header.Get("Fastly-Soft-Purge") != "" {
			t.Errorf("got %s, %v", r.URL, err)
		}
		sent = append(sent, len(body["surrogate_keys"]))
	}, manyURLs(5)...)
	if err != nil || n != 2 || !slices.Equal(sent, []int{256, 44}) {
		t.Errorf("got %d requests with %v keys, %v", n, sent, err)
	}
}

// TestDirect asks a cache itself, with the host and the path of each URL.
func TestDirect(t *testing.T) {
	for name, c := range map[string]struct {
		config Config
		status int
		want   string
		fails  bool
	}{
		"PURGE":            {Config{URL: "http://127.0.0.1:6081", Method: "PURGE"}, 200, "PURGE blog.example.com /a%20b/ []", false},
		"not cached":       {Config{URL: "http://127.0.0.1:6081", Method: "PURGE"}, 404, "PURGE blog.example.com /a%20b/ []", false},
		"BAN":              {Config{URL: "http://127.0.0.1:6081/", Method: "BAN", Host: "other"}, 200, "BAN other /a%20b/ []", false},
		"BAN is unknown":   {Config{URL: "http://127.0.0.1:6081/", Method: "BAN"}, 404, "BAN blog.example.com /a%20b/ []", true},
		"fetched anew":     {Config{URL: "http://127.0.0.1:6081/x/", Method: "GET", Header: "X-Refresh"}, 404, "GET blog.example.com /x/a%20b/ [1]", false},
		"with a token":     {Config{URL: "https://cache.example.com", Method: "GET", Header: "X-Refresh", TokenEnv: "TOKEN"}, 200, "GET blog.example.com /a%20b/ [very-secret-token]", false},
		"method not known": {Config{URL: "http://127.0.0.1:6081", Method: "PURGE"}, 405, "PURGE blog.example.com /a%20b/ []", true},
	} {
		c.config.Type = typeVarnish
		var got string
		_, _, err := purgeWith(t, c.config, func(w http.ResponseWriter, r *http.Request) {
			got = fmt.Sprintf("%s %s %s %v", r.Method, r.Host, r.URL.EscapedPath(), r.Header["X-Refresh"])
			w.WriteHeader(c.status)
		}, "https://blog.example.com/a%20b/")
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, c.want)
		}
	}
}

// TestWebhook reads what a receiver gets, and verifies its signature.
func TestWebhook(t *testing.T) {
	var urls []string
	n, _, err := purgeWith(t, Config{Type: typeWebhook, URL: "https://hooks.example.com/x", SecretEnv: "SECRET"}, func(_ http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err == nil {
			err = notify.Verify(values["SECRET"], r.Header.Get(notify.SignatureHeader), text, time.Now(), time.Hour)
		}
		var body webhookBody
		if err = errors.Join(err, json.Unmarshal(text, &body)); err != nil || body.Schema != "mirror.purge/v1" || body.Origin != "blog" || body.Release != "id" {
			t.Errorf("got %s, %v", text, err)
		}
		urls = append(urls, body.URLs...)
	}, manyURLs(1500)...)
	if err != nil || n != 2 || !slices.Equal(urls, manyURLs(1500)) {
		t.Errorf("got %d requests for %d URLs, %v", n, len(urls), err)
	}
}

// TestWrongValues names the key of what cannot be used.
func TestWrongValues(t *testing.T) {
	for key, c := range map[string]Config{
		"zone":           {Type: typeCloudflare, Zone: "../x"},
		"distribution":   {Type: typeCloudFront, Distribution: "a/b"},
		"service":        {Type: typeFastly, Service: "a b"},
		"url":            {Type: typeWebhook, URL: "http://hooks.example.com/"},
		"api":            {Type: typeFastly, API: "http://fastly.example.com"},
		"surrogate_keys": {Type: typeFastly, Service: "S1", SurrogateKeys: []string{"a b"}},
		"access_key_env": {Type: typeCloudFront, AccessKeyEnv: "A"},
	} {
		var got []string
		c.Validate(func(key, _ string) { got = append(got, key) })
		if !slices.Equal(got, []string{key}) {
			t.Errorf("%s: got %v", key, got)
		}
	}
	for name, address := range map[string]string{"token": "http://cache.example.com", "user": "http://a:b@127.0.0.1", "scheme": "ftp://127.0.0.1", "fragment": "http://127.0.0.1/#a"} {
		got := 0
		Config{Type: typeVarnish, URL: address, TokenEnv: "TOKEN"}.Validate(func(string, string) { got++ })
		if got != 1 {
			t.Errorf("%s: %s was not refused", name, address)
		}
	}
	if _, err := New(Config{Type: typeFastly, TokenEnv: "MISSING"}, Env{Getenv: func(string) string { return "" }}); err == nil || !strings.Contains(err.Error(), "MISSING (token_env)") {
		t.Errorf("got %v", err)
	}
}
