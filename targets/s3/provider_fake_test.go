package s3_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
	"github.com/rclone/gofakes3/signature"

	"mirror/targets/s3/internal/provider"
)

// providerFake stands in for one service: it refuses what that service refuses, in the way that the
// service does, and serves the bucket to visitors.
type providerFake struct {
	row    provider.Provider
	has    func(provider.Feature) bool
	bucket string
	region string
	host   string // of the endpoint
	store  http.Handler

	again   atomic.Bool  // the first publish is over
	failing atomic.Int64 // writes of the site's objects that still succeed, where it is positive

	hides  bool                        // it tells no ACL, as where the keys have no right to
	saw    func(*http.Request, string) // before a request is carried out
	stored func(*http.Request, string) // after it was, and before it is answered

	mu      sync.Mutex // guards what follows
	acls    map[string]string
	refused map[provider.Feature]int // requests that used what the service lacks
	later   map[provider.Feature]int // those after the first publish
}

const fakeKey, fakeSecret = "FAKEKEY", "fake-secret"

// startProvider starts a fake of a row. open says what the service does where the table says nothing.
func startProvider(t *testing.T, row provider.Provider, endpoint, region string, open bool) (*providerFake, http.RoundTripper) {
	t.Helper()
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	backend := s3mem.New()
	if err := backend.CreateBucket(t.Context(), "site"); err != nil {
		t.Fatal(err)
	}
	f := &providerFake{row: row, bucket: "site", region: region, host: u.Host, store: gofakes3.New(backend).Server(), acls: map[string]string{}, refused: map[provider.Feature]int{}, later: map[provider.Feature]int{}}
	f.has = func(feature provider.Feature) bool {
		a := row.Has(feature)
		return a == provider.Yes || a == provider.Ask && open
	}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return f, transport
}

// refuseAs answers in the form of the S3 API.
func refuseAs(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s</Message></Error>`, code, message)
}

func (f *providerFake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body) // an answer before the whole request is read would break the connection
	if err != nil {
		return
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	if !f.has(provider.SignedEncoding) {
		r.Header.Set("Accept-Encoding", r.Header.Get("Accept-Encoding")+",gzip(gfe)")
	}
	key, virtual := f.keyOf(r)
	if r.Header.Get("Authorization") == "" {
		f.visit(w, r, key)
		return
	}
	lookup := func(key string) (string, bool) { return fakeSecret, key == fakeKey }
	switch {
	case signature.V4SignVerifyWithLookup(r, lookup) != signature.ErrNone:
		refuseAs(w, 403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
	case !strings.Contains(r.Header.Get("Authorization"), "/"+f.region+"/s3/aws4_request"):
		refuseAs(w, 400, "AuthorizationHeaderMalformed", "the region is wrong; expecting "+f.region)
	case virtual == f.row.PathStyle:
		refuseAs(w, 403, "PathStyleDomainForbidden", "The bucket must be addressed in another way.")
	case f.refuses(w, r):
	case f.row.Name == "aws" && r.URL.Query().Has("ownershipControls"):
		refuseAs(w, 404, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
	case r.URL.Query().Has("acl") && f.hides:
		refuseAs(w, 403, "AccessDenied", "Access Denied")
	case r.URL.Query().Has("acl"):
		f.tellACL(w, key)
	case r.Method == http.MethodPut && !strings.HasPrefix(key, ".mirror/") && f.failing.Add(-1) == 0:
		f.failing.Store(1) // and all that follow
		refuseAs(w, 400, "InjectedFailure", "as the test asks for")
	default:
		if f.saw != nil {
			f.saw(r, key)
		}
		f.serve(w, r, key)
		if f.stored != nil {
			f.stored(r, key)
		}
	}
}

// keyOf is the key that a request is about, and whether the host names the bucket.
func (f *providerFake) keyOf(r *http.Request) (key string, virtual bool) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if r.Host == f.bucket+"."+f.host {
		return path, true
	}
	return strings.TrimPrefix(strings.TrimPrefix(path, f.bucket), "/"), false
}

// refuses answers requests that use what the service lacks, as it does.
func (f *providerFake) refuses(w http.ResponseWriter, r *http.Request) bool {
	const implied = "A header you provided implies functionality that is not implemented."
	h, query := r.Header, r.URL.Query()
	refuse := func(feature provider.Feature, status int, code, message string) bool {
		f.mu.Lock()
		f.refused[feature]++
		if f.again.Load() {
			f.later[feature]++
		}
		f.mu.Unlock()
		refuseAs(w, status, code, message)
		return true
	}
	switch {
	case strings.Contains(h.Get("Content-Encoding"), "aws-chunked") || strings.HasPrefix(h.Get("X-Amz-Content-Sha256"), "STREAMING"):
		return refuse("aws-chunked", 400, "InvalidArgument", "aws-chunked encoding is not supported with the specified x-amz-content-sha256 value.")
	case !f.has(provider.Checksums) && hasChecksum(h):
		return refuse(provider.Checksums, 400, "InvalidArgument", "Unsupported header 'x-amz-checksum-sha256' received for this API call.")
	case !f.has(provider.ObjectACLs) && h.Get("X-Amz-Acl") != "" && f.row.Name != "versitygw":
		return refuse(provider.ObjectACLs, 501, "NotImplemented", "Header 'x-amz-acl' with value '"+h.Get("X-Amz-Acl")+"' not implemented")
	case !f.has(provider.ObjectACLs) && query.Has("acl"):
		return refuse(provider.ObjectACLs, 501, "NotImplemented", implied)
	case !f.has(provider.Conditions) && f.row.Name != "gcs" && (h.Get("If-Match") != "" || h.Get("If-None-Match") != ""):
		return refuse(provider.Conditions, 501, "NotImplemented", implied)
	case !f.has(provider.Copy) && h.Get("X-Amz-Copy-Source") != "":
		return refuse(provider.Copy, 501, "NotImplemented", implied)
	case !f.has(provider.ListV2) && f.row.Name != "ceph" && query.Get("list-type") == "2":
		return refuse(provider.ListV2, 501, "NotImplemented", implied)
	case !f.has(provider.BulkDelete) && r.Method == http.MethodPost && query.Has("delete"):
		return refuse(provider.BulkDelete, 400, "NotImplemented", "A header or query you provided requested a function that is not implemented.")
	case !f.has(provider.SSES3) && h.Get("X-Amz-Server-Side-Encryption") != "":
		return refuse(provider.SSES3, 400, "InvalidArgument", "x-amz-server-side-encryption header is not supported for this operation.")
	}
	return false
}

// wantRefused fails the test for requests that the table says are refused, and for those that a later
// publish sent although their refusal was known.
func (f *providerFake) wantRefused(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for feature, n := range f.refused {
		if f.row.Has(feature) != provider.Ask || feature == "aws-chunked" {
			t.Errorf("%d requests used %s, which the table says the service lacks", n, feature)
		}
	}
	for _, feature := range []provider.Feature{provider.Checksums, provider.Copy, provider.ListV2} {
		if n := f.later[feature]; n > 0 {
			t.Errorf("%d requests after the first publish used %s, which that one had found to be lacking", n, feature)
		}
	}
}

func hasChecksum(h http.Header) bool {
	for name := range h {
		if strings.HasPrefix(name, "X-Amz-Checksum-") || name == "X-Amz-Sdk-Checksum-Algorithm" {
			return true
		}
	}
	return false
}

// serve passes a request on to the store, without what the service ignores.
func (f *providerFake) serve(w http.ResponseWriter, r *http.Request, key string) {
	if !f.has(provider.Conditions) { // Google ignores them
		r.Header.Del("If-Match")
		r.Header.Del("If-None-Match")
	}
	query := r.URL.Query()
	if !f.has(provider.ListV2) { // old Ceph answers as to the first version
		query.Del("list-type")
	}
	if !f.has(provider.URLEncoding) {
		query.Del("encoding-type")
	}
	r.URL.RawQuery = query.Encode()
	r.URL.Path, r.URL.RawPath = "/"+f.bucket+"/"+key, ""
	if r.Method == http.MethodPut && key != "" {
		acl := r.Header.Get("X-Amz-Acl")
		f.mu.Lock()
		f.acls[key] = acl // a copy, too, loses the ACL of what it replaces
		f.mu.Unlock()
	}
	for _, name := range []string{"X-Amz-Acl", "X-Amz-Server-Side-Encryption", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"} {
		r.Header.Del(name) // the store knows none of them
	}
	f.store.ServeHTTP(w, r)
}

// takesACLs is whether the objects have ACLs, without which they are private; a bucket of another
// service is public as a whole.
func (f *providerFake) takesACLs() bool { return f.has(provider.ObjectACLs) }

func (f *providerFake) visit(w http.ResponseWriter, r *http.Request, key string) {
	f.mu.Lock()
	acl := f.acls[key]
	f.mu.Unlock()
	if f.takesACLs() && acl != "public-read" {
		refuseAs(w, 403, "AccessDenied", "Access Denied")
		return
	}
	r.URL.Path, r.URL.RawPath = "/"+f.bucket+"/"+key, ""
	f.store.ServeHTTP(w, r)
}

func (f *providerFake) tellACL(w http.ResponseWriter, key string) {
	f.mu.Lock()
	acl := f.acls[key]
	f.mu.Unlock()
	public := ""
	if acl == "public-read" {
		public = `<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant>`
	}
	w.Header().Set("Content-Type", "application/xml")
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>me</ID></Owner><AccessControlList>`+
		`<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>me</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant>%s</AccessControlList></AccessControlPolicy>`, public)
}
