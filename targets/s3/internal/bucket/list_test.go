package bucket

import (
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"mirror/targets/s3/internal/provider"
)

// listing is a service that only lists. It answers as an old or an odd one does.
type listing struct {
	keys     []string
	version  int // 1: it answers as to the first version, whatever is asked; 2: as AWS does
	refuses2 bool
	encodes  bool // it knows encoding-type
	loops    bool // each page is the first one
	denies   bool // reading gives 403
}

func (l *listing) RoundTrip(r *http.Request) (*http.Response, error) {
	q := r.URL.Query()
	status, body := http.StatusOK, ""
	switch {
	case strings.TrimPrefix(r.URL.Path, "/site") != "" && l.denies:
		status, body = http.StatusForbidden, "<Error><Code>AccessDenied</Code></Error>"
	case q.Get("list-type") == "2" && l.refuses2:
		status, body = http.StatusNotImplemented, "<Error><Code>NotImplemented</Code></Error>"
	default:
		body = l.page(q)
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (l *listing) page(q url.Values) string {
	second := l.version == 2 && q.Get("list-type") == "2"
	after := q.Get("marker")
	if second {
		after = q.Get("start-after")
		if token := q.Get("continuation-token"); token != "" {
			key, _ := hex.DecodeString(token)
			after = string(key)
		}
	}
	most, _ := strconv.Atoi(q.Get("max-keys"))
	var found []string
	for _, key := range l.keys {
		if strings.HasPrefix(key, q.Get("prefix")) && (key > after || l.loops) {
			found = append(found, key)
		}
	}
	more := len(found) > most
	found = found[:min(most, len(found))]
	var out strings.Builder
	fmt.Fprintf(&out, "<ListBucketResult><IsTruncated>%t</IsTruncated>", more)
	encode := l.encodes && q.Get("encoding-type") == "url"
	if encode {
		out.WriteString("<EncodingType>url</EncodingType>")
	}
	if more && second {
		fmt.Fprintf(&out, "<NextContinuationToken>%x</NextContinuationToken>", found[len(found)-1])
	}
	for _, key := range found {
		if encode {
			key = url.QueryEscape(key)
		}
		out.WriteString("<Contents><Key>")
		if strings.ContainsRune(key, '\x01') {
			out.WriteString(key) // as a service does that does not look
		} else if err := xml.EscapeText(&out, []byte(key)); err != nil {
			return err.Error()
		}
		out.WriteString("</Key><Size>1</Size></Contents>")
	}
	return out.String() + "</ListBucketResult>"
}

func (l *listing) bucket(page int32) *Bucket {
	api := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://s3.test"), UsePathStyle: true,
		HTTPClient: &http.Client{Transport: l}, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	})
	b := New(api, NewService(provider.Provider{}, nil, slog.New(slog.DiscardHandler)), Options{Name: "site", Limit: 1})
	b.Page = page
	return b
}

// TestListOnEveryService lists five keys, two a page, and from a key on.
func TestListOnEveryService(t *testing.T) {
	keys := []string{"a", "b c", "d+e", "z", "é"}
	for name, l := range map[string]*listing{
		"as AWS":                   {keys: keys, version: 2},
		"refuses the second":       {keys: keys, version: 1, refuses2: true},
		"answers as to the first":  {keys: keys, version: 1},
		"a name that XML has not":  {keys: []string{"a", "b\x01", "c c+"}, version: 2, encodes: true},
		"the same, first version":  {keys: []string{"a", "b\x01", "c c+"}, version: 1, encodes: true},
		"empty":                    {version: 2},
		"empty, the first version": {version: 1},
	} {
		t.Run(name, func(t *testing.T) {
			for _, after := range []string{"", "a"} {
				all, stopped, err := l.bucket(2).ListFrom(t.Context(), "", after, func(string) bool { return false })
				var got []string
				for _, o := range all {
					got = append(got, o.Path)
				}
				want := l.keys
				if after != "" {
					want = want[min(1, len(want)):]
				}
				if err != nil || stopped || !slices.Equal(got, want) {
					t.Errorf("after %q: got %q, %v, want %q", after, got, err, want)
				}
			}
		})
	}
}

// TestTheSamePageAgain: a listing that does not go on is an error, and not the whole bucket.
func TestTheSamePageAgain(t *testing.T) {
	for version := 1; version <= 2; version++ {
		l := &listing{keys: []string{"a", "b", "c"}, version: version, loops: true}
		if all, err := l.bucket(2).List(t.Context(), ""); err == nil {
			t.Errorf("version %d: got %d objects", version, len(all))
		}
	}
}

// TestMissingBehind403: keys that may list only a part of the bucket get 403 for what is missing.
func TestMissingBehind403(t *testing.T) {
	b := (&listing{keys: []string{".mirror/live2"}, version: 2, denies: true}).bucket(1000)
	if _, err := b.Open(t.Context(), ".mirror/live"); !IsMissing(err) {
		t.Errorf("a missing object: got %v", err)
	}
	b = (&listing{keys: []string{".mirror/live"}, version: 2, denies: true}).bucket(1000)
	if _, err := b.Open(t.Context(), ".mirror/live"); err == nil || IsMissing(err) {
		t.Errorf("an object that must not be read: got %v", err)
	}
}
