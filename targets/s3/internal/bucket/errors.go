package bucket

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"mirror/internal/oserr"
	"mirror/internal/stall"
)

// Error is a request that failed: what it was for, what the service said, and a way out
// where one is known.
type Error struct {
	Op   string // what was being done: read, write, copy to, delete, list
	Path string // of the object
	Err  error
}

// Error gives the service's own code and message where it sent them.
func (e *Error) Error() string {
	if keys, ok := errors.AsType[*KeysError](e.Err); ok {
		return keys.Error() // nothing was sent
	}
	text := fmt.Sprintf("%s %q: %s", e.Op, e.Path, e.said())
	if hint := e.hint(); hint != "" {
		text += " (hint: " + hint + ")"
	}
	return text
}

// KeysError says that there are no keys to sign requests with.
type KeysError struct{ Err error }

// Error is what is missing.
func (e *KeysError) Error() string { return e.Err.Error() }

// Unwrap returns the provider's error.
func (e *KeysError) Unwrap() error { return e.Err }

// said is what happened, without what the SDK writes around it.
func (e *Error) said() string {
	if stalled, ok := errors.AsType[*stall.Error](e.Err); ok {
		return stalled.Error()
	}
	if api, ok := errors.AsType[smithy.APIError](e.Err); ok {
		if api.ErrorMessage() != "" {
			return api.ErrorCode() + ": " + api.ErrorMessage()
		}
		return api.ErrorCode()
	}
	if request, ok := errors.AsType[*url.Error](e.Err); ok {
		return fmt.Sprintf("no answer from %s: %v", host(request.URL), request.Err)
	}
	if status := Status(e.Err); status >= http.StatusMultipleChoices {
		return fmt.Sprintf("answered %d with something else than an answer of S3", status)
	}
	return e.Err.Error()
}

// host is the part of a URL that names a service.
func host(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "the service"
	}
	return u.Scheme + "://" + u.Host
}

func (e *Error) hint() string {
	if hint := hints(code(e.Err)); hint != "" {
		return hint
	}
	if e.Op == "list" && Status(e.Err) == http.StatusNotFound || Status(e.Err) >= http.StatusMultipleChoices && code(e.Err) == "" {
		return "is endpoint the address of the S3 service itself, without the bucket, and no website or console?"
	}
	if _, unanswered := errors.AsType[*url.Error](e.Err); !unanswered {
		return ""
	}
	dns, isDNS := errors.AsType[*net.DNSError](e.Err)
	switch {
	case isDNS && dns.IsNotFound:
		return "look at endpoint and region; path_style: true if the name begins with that of the bucket"
	case oserr.Refused(e.Err):
		return "is the service up, and are the host and port of endpoint right?"
	}
	return ""
}

// Unwrap returns the SDK's error.
func (e *Error) Unwrap() error { return e.Err }

func failed(op, path string, err error) error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return err
	}
	return &Error{Op: op, Path: path, Err: err}
}

func hints(code string) string {
	switch code {
	case "NoSuchBucket":
		return "create the bucket first, or look at bucket, endpoint and region"
	case "AccessDenied", "Forbidden":
		return "the keys need s3:ListBucket, GetObject, PutObject and DeleteObject on the bucket; a policy may ask for encryption (sse) or forbid acl"
	case "AccessControlListNotSupported":
		return "the bucket takes no ACLs: remove acl, and let a bucket policy make it public"
	case "InvalidStorageClass":
		return "look at storage_class"
	case "InvalidObjectState":
		return "the object is archived: restore or delete it"
	case "SecondLevelDomainForbidden", "PathStyleDomainForbidden":
		return "path_style: false"
	case "InvalidAccessKeyId", "SignatureDoesNotMatch":
		return "look at the access key and the secret key"
	case "PermanentRedirect", "AuthorizationHeaderMalformed":
		return "set the bucket's own region and endpoint"
	}
	return ""
}

// code is the service's error code, "" where it sent none.
func code(err error) string {
	if api := (smithy.APIError)(nil); errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// Status is the answer's HTTP status, 0 where there was no answer.
func Status(err error) int {
	if resp := (*smithyhttp.ResponseError)(nil); errors.As(err, &resp) {
		return resp.HTTPStatusCode()
	}
	return 0
}

// IsUnmet reports whether a conditional write was refused for its condition.
func IsUnmet(err error) bool {
	switch Status(err) {
	case http.StatusPreconditionFailed, http.StatusConflict, http.StatusNotFound:
		return code(err) != "NoSuchBucket"
	}
	return false
}
