package bucket

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"mirror/targets/s3/internal/provider"
)

// ACL reads an object's ACL. One that grants nothing beyond its owner is the zero value.
func (b *Bucket) ACL(ctx context.Context, path string) (ACL, error) {
	out, err := b.api.GetObjectAcl(ctx, &s3.GetObjectAclInput{Bucket: &b.name, Key: b.key(path)})
	if err != nil {
		return ACL{}, failed("read the ACL of", path, err)
	}
	if out.Owner == nil && len(out.Grants) == 0 { // a service that does not know the request answers with the object
		return ACL{}, failed("read the ACL of", path, errNoACL)
	}
	owner := ""
	if out.Owner != nil {
		owner = aws.ToString(out.Owner.ID)
	}
	return aclOf(owner, out.Grants), nil
}

var errNoACL = errors.New("the answer holds no access control list")

// HidesACLs reports whether an error of ACL says that the service does not tell ACLs, or not to
// these keys.
func HidesACLs(err error) bool {
	broken := (*smithy.DeserializationError)(nil)
	status := Status(err)
	return errors.Is(err, errNoACL) || errors.As(err, &broken) || IsRefusal(err) || status >= http.StatusBadRequest && status < http.StatusInternalServerError
}

// IsPublic reports whether a visitor without keys may read an object.
func (b *Bucket) IsPublic(ctx context.Context, path string) (bool, error) {
	in := &s3.GetObjectInput{Bucket: &b.name, Key: b.key(path), Range: aws.String("bytes=0-0")}
	out, err := b.api.GetObject(ctx, in, func(o *s3.Options) { o.Credentials = nil })
	switch {
	case err == nil:
		return true, out.Body.Close()
	case Status(err) == http.StatusRequestedRangeNotSatisfiable: // it is empty
		return true, nil
	case Status(err) >= http.StatusBadRequest:
		return false, nil
	}
	return false, failed("read without keys", path, err)
}

// TakesACLs says whether the objects of the bucket may have ACLs of their own: false where its
// owner has turned them off (S3 Object Ownership). An error says nothing.
func (b *Bucket) TakesACLs(ctx context.Context) (bool, error) {
	out, err := b.api.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: &b.name})
	if err != nil {
		return true, failed("read the object ownership of", b.name, err)
	}
	if out.OwnershipControls == nil {
		return true, nil
	}
	return !slices.ContainsFunc(out.OwnershipControls.Rules, func(r types.OwnershipControlsRule) bool {
		return r.ObjectOwnership == types.ObjectOwnershipBucketOwnerEnforced
	}), nil
}

// withACL makes a request with an ACL and, where the service takes none and none is demanded, without.
func (b *Bucket) withACL(a Attributes, request func(ACL) error) error {
	if a.ACL == (ACL{}) || a.Demanded {
		return request(a.ACL)
	}
	return b.Service.try(provider.ObjectACLs, func(with bool) error {
		if with {
			return request(a.ACL)
		}
		return request(ACL{})
	})
}
