package bucket

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"mirror/targets/s3/internal/provider"
)

// endless answers every listing with an empty page that is not the last.
type endless struct{ pages int }

func (e *endless) RoundTrip(r *http.Request) (*http.Response, error) {
	e.pages++
	body := fmt.Sprintf(`<?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t%d</NextContinuationToken></ListBucketResult>`, e.pages)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// TestAListingWithoutEndIsGivenUp lists pages that hold nothing. A test that hangs has failed.
func TestAListingWithoutEndIsGivenUp(t *testing.T) {
	service := &endless{}
	api := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://s3.test"), UsePathStyle: true,
		HTTPClient: &http.Client{Transport: service}, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	})
	all, err := New(api, NewService(provider.Provider{}, nil, slog.New(slog.DiscardHandler)), Options{Name: "site", Limit: 1}).List(t.Context(), "")
	if err == nil || len(all) > 0 || service.pages != maxEmptyPages {
		t.Errorf("got %d objects, %v, after %d pages", len(all), err, service.pages)
	}
}

func TestAListingIsBounded(t *testing.T) {
	for name, c := range map[string]struct{ objects, bytes, pages int }{
		"objects": {1000, 60_000, maxListed / 1000},
		"paths":   {1000, 1000 * 1000, maxListedBytes / 1000_000},
	} {
		var b bound
		pages := 0
		for b.page(c.objects, c.bytes) == nil {
			pages++
		}
		if pages != c.pages {
			t.Errorf("%s: given up after %d pages, want %d", name, pages, c.pages)
		}
	}
}
