package s3host

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"mirror/internal/lab/edge/edgetest"
)

func TestS3Website(t *testing.T) {
	h := start(t, Options{})
	mustPut(t, h, "index.html", "home", func(in *s3.PutObjectInput) {
		in.ContentType, in.CacheControl = aws.String("text/html; charset=utf-8"), aws.String("max-age=60")
	})
	mustPut(t, h, "404.html", "gone", func(in *s3.PutObjectInput) { in.ContentType = aws.String("text/html") })
	mustPut(t, h, "data.gz", "zipped", func(in *s3.PutObjectInput) { in.ContentEncoding = aws.String("gzip") })
	for _, key := range []string{"a b/+%?#&.html", "页/index.html", ".well-known/x", "about", "about/index.html", "Index.html", "lit%2b"} {
		mustPut(t, h, key, "content of "+key)
		u := url.URL{Path: key}
		edgetest.WantPage(t, h.Origin, strings.TrimPrefix(u.EscapedPath(), "./"), 200, "content of "+key)
	}
	status, body, header := edgetest.Get(t, h.Origin, "")
	if status != 200 || body != "home" || header.Get("Cache-Control") != "max-age=60" || header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("GET / = %d %q %v", status, body, header)
	}
	if _, _, header := edgetest.Get(t, h.Origin, "about/"); header.Get("Content-Type") != "application/octet-stream" && header.Get("Content-Type") != "binary/octet-stream" {
		t.Errorf("an object without a type has %q", header.Get("Content-Type"))
	}
	if status, _, header := edgetest.Get(t, h.Origin, "%E9%A1%B5"); status != 302 || header.Get("Location") != "/%E9%A1%B5/" {
		t.Errorf("a folder gives %d to %q", status, header.Get("Location"))
	}
	status, body, header = edgetest.Get(t, h.Origin, "missing")
	if status != 404 || body != "gone" || header.Get("Content-Type") != "text/html" {
		t.Errorf("a missing page = %d %q %v", status, body, header)
	}
	mustPut(t, h, ".mirror/objects/x", "staged")
	edgetest.WantPage(t, h.Origin, ".mirror/objects/x", 404, "gone")
}

func TestS3Lag(t *testing.T) {
	const lag = 300 * time.Millisecond
	h := start(t, Options{})
	mustPut(t, h, "k", "old")
	h.SetLag(lag, 0)
	asked := time.Now()
	mustPut(t, h, "k", "new")
	edgetest.Settle(t, h.Origin)
	if took := time.Since(asked); took < lag {
		t.Errorf("settled after %s, want %s or more", took, lag)
	}
	edgetest.WantPage(t, h.Origin, "k", 200, "new")

	h.SetLag(time.Hour, 0)
	mustPut(t, h, "k", "slow")
	edgetest.WantPage(t, h.Origin, "k", 200, "new")
	if content, _, _ := h.Object("k"); string(content) != "slow" {
		t.Errorf("stored %q, want slow", content)
	}
	h.SetLag(0, 0)
	mustPut(t, h, "k", "fast")
	edgetest.WantPage(t, h.Origin, "k", 200, "fast")
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := h.Settle(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Settle with a write pending: %v", err)
	}
}

func TestS3EditHeaders(t *testing.T) {
	h := start(t, Options{ContentType: func(string, []byte) string { return "text/guessed" }})
	mustPut(t, h, "k", "1", func(in *s3.PutObjectInput) { in.ContentType = aws.String("text/html") })
	for _, c := range []struct {
		edit func() error
		want string
	}{
		{func() error { return h.Edit(t.Context(), map[string][]byte{"k": []byte("2")}) }, "text/html"},
		{func() error {
			return h.EditHeaders(t.Context(), map[string][]byte{"k": []byte("2")}, http.Header{"Content-Type": {"text/wrong"}})
		}, "text/wrong"},
		{func() error {
			return h.Edit(t.Context(), map[string][]byte{"k": nil, "n": []byte("3")})
		}, "text/guessed"},
	} {
		if err := c.edit(); err != nil {
			t.Fatal(err)
		}
		key := "k"
		if c.want == "text/guessed" {
			key = "n"
		}
		if _, header, _ := h.Object(key); header.Get("Content-Type") != c.want {
			t.Errorf("type %q, want %q", header.Get("Content-Type"), c.want)
		}
	}
}
