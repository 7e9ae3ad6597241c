package bucket

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"

	"mirror/targets/s3/internal/provider"
)

// counting counts requests, and those of the SDK's own making among them.
type counting struct{ all, sdk atomic.Int64 }

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.all.Add(1)
	if r.Header.Get("Amz-Sdk-Invocation-Id") != "" {
		c.sdk.Add(1)
	}
	return http.DefaultTransport.RoundTrip(r)
}

func signed(t testing.TB, endpoint string, transport http.RoundTripper) *Bucket {
	t.Helper()
	api := s3.New(s3.Options{
		BaseEndpoint: &endpoint, Region: "us-east-1", UsePathStyle: true, HTTPClient: &http.Client{Transport: transport},
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("key", "secret", "")),
		APIOptions:  []func(*middleware.Stack) error{UnderGuard, PlainRequests}, RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
	})
	row, _ := provider.Find("versitygw")
	return New(api, NewService(row, nil, slog.New(slog.DiscardHandler)), Options{Name: "site", Prefix: "a b/", Limit: 4})
}

// TestDirectPutIsSigned puts objects with names of every kind: the service accepts each signature, in one
// request that the SDK has not made.
func TestDirectPutIsSigned(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket(t.Context(), "site"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend, gofakes3.WithV4Auth(map[string]string{"key": "secret"})).Server())
	defer server.Close()
	c := &counting{}
	b := signed(t, server.URL, c)
	names := []string{"index.html", "with space", "a#b", "100%", "what?", "a+b", "文章/你好", "%2b", "-dash", "a&b=c;d,e", "quote'\"`", "a:b@c!$*()", "[x]{y}<z>|^~", "back\\slash"}
	for _, name := range names {
		made, err := b.PutAs(t.Context(), name, []byte(name), Attributes{Headers: &Headers{Type: "text/plain", Cache: "max-age=7"}})
		if err != nil || made.ETag == "" || made.At.IsZero() {
			t.Errorf("%s: got %+v, %v", name, made, err)
		}
	}
	if c.all.Load() != int64(len(names)) || c.sdk.Load() != 0 {
		t.Errorf("%d requests, %d of them the SDK's, for %d objects", c.all.Load(), c.sdk.Load(), len(names))
	}
	for _, name := range names {
		o, data, err := b.Read(t.Context(), name)
		if err != nil || string(data) != name || o.Headers.Type != "text/plain" || o.Headers.Cache != "max-age=7" {
			t.Errorf("%s: read %q, %+v, %v", name, data, o, err)
		}
	}
}

// stub answers every PutObject well.
type stub struct{}

func (stub) RoundTrip(r *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, r.Body)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Etag": {`"x"`}}, Body: http.NoBody, Request: r}, err
}

// TestDirectPutIsCheap bounds what the client does for an object, in allocations: the SDK's way takes about 470.
func TestDirectPutIsCheap(t *testing.T) {
	b := signed(t, "http://localhost", stub{})
	data := bytes.Repeat([]byte("0123456789abcdef"), 512)
	put := func() {
		if _, err := b.PutAs(t.Context(), "part/page.html", data, Attributes{Headers: &Headers{Type: "text/html"}}); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(200, put); n > 150 {
		t.Errorf("%.0f allocations for each object, want at most 150", n)
	}
}

// TestRefusedDirectPutIsTheSDKs has the service refuse what is sent directly: the SDK sends it again and tells
// what the service says.
func TestRefusedDirectPutIsTheSDKs(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
	}))
	defer server.Close()
	c := &counting{}
	_, err := signed(t, server.URL, c).PutAs(t.Context(), "x", []byte("x"), Attributes{})
	if err == nil || !strings.Contains(err.Error(), "AccessDenied") || c.sdk.Load() != 1 {
		t.Errorf("got %v after %d requests of the SDK's", err, c.sdk.Load())
	}
}
