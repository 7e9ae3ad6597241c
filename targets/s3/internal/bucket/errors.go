package bucket

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

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
	text := e.Err.Error()
	if stalled := (*stall.Error)(nil); errors.As(e.Err, &stalled) {
		text = stalled.Error() // what the SDK says around it tells no more
	}
	if api := (smithy.APIError)(nil); errors.As(e.Err, &api) {
		text = api.ErrorCode()
		if m := api.ErrorMessage(); m != "" {
			text += ": " + m
		}
	}
	text = fmt.Sprintf("%s %q: %s", e.Op, e.Path, text)
	if hint := hints(code(e.Err)); hint != "" {
		text += " (hint: " + hint + ")"
	}
	return text
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
