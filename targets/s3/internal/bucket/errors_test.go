package bucket

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"testing"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// What the SDK writes around a cause is not shown: a user reads what happened first, and then what to do.
func TestErrorsSayWhatHappened(t *testing.T) {
	t.Parallel()
	sdk := func(err error) error {
		return fmt.Errorf("operation error S3: GetObject, exceeded maximum number of attempts, 4, https response error StatusCode: 0, RequestID: , HostID: , %w",
			&smithyhttp.RequestSendError{Err: err})
	}
	unsent := func(err error) error {
		return sdk(&url.Error{Op: "Get", URL: "https://s3.example.com/b/.mirror/live?x-id=GetObject", Err: err})
	}
	answered := func(status int) error {
		return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: fmt.Errorf("deserialization failed")}
	}
	for _, tc := range []struct {
		op   string
		err  error
		want string
	}{
		{"read", unsent(syscall.ECONNREFUSED), `read "a": no answer from https://s3.example.com: connection refused (hint: is the service up, and are the host and port of endpoint right?)`},
		{"read", unsent(&net.DNSError{Err: "no such host", Name: "s3.example.com", IsNotFound: true}), `read "a": no answer from https://s3.example.com: lookup s3.example.com: no such host (hint: look at endpoint and region; path_style: true if the name begins with that of the bucket)`},
		{"read", unsent(syscall.ECONNRESET), `read "a": no answer from https://s3.example.com: connection reset by peer`},
		{"read", answered(502), `read "a": answered 502 with something else than an answer of S3 (hint: is endpoint the address of the S3 service itself, without the bucket, and no website or console?)`},
		{"list", answered(404), `list "a": answered 404 with something else than an answer of S3 (hint: is endpoint the address of the S3 service itself, without the bucket, and no website or console?)`},
		{"read", sdk(&KeysError{fmt.Errorf("there are no keys for Amazon S3")}), "there are no keys for Amazon S3"},
	} {
		if got := failed(tc.op, "a", tc.err).Error(); got != tc.want {
			t.Errorf("got %s\nwant %s", got, tc.want)
		}
	}
}
