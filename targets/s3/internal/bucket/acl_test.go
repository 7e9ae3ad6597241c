package bucket

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestACLOfGrants(t *testing.T) {
	user := func(id string, p types.Permission) types.Grant {
		return types.Grant{Grantee: &types.Grantee{ID: aws.String(id), Type: types.TypeCanonicalUser}, Permission: p}
	}
	group := func(uri string, p types.Permission) types.Grant {
		return types.Grant{Grantee: &types.Grantee{URI: aws.String(uri), Type: types.TypeGroup}, Permission: p}
	}
	me := user("me", types.PermissionFullControl)
	for name, c := range map[string]struct {
		grants []types.Grant
		want   ACL
	}{
		"private":            {[]types.Grant{me}, ACL{}},
		"nothing":            {nil, ACL{}},
		"public-read":        {[]types.Grant{group(everyone, types.PermissionRead), me}, ACL{Canned: "public-read"}},
		"public-read-write":  {[]types.Grant{me, group(everyone, types.PermissionWrite), group(everyone, types.PermissionRead)}, ACL{Canned: "public-read-write"}},
		"authenticated-read": {[]types.Grant{me, group(authenticated, types.PermissionRead)}, ACL{Canned: "authenticated-read"}},
		"another account": {[]types.Grant{me, user("her", types.PermissionRead), group(everyone, types.PermissionRead)},
			ACL{FullControl: `id="me"`, Read: `id="her", uri="` + everyone + `"`}},
		"may read the list": {[]types.Grant{me, user("her", types.PermissionReadAcp), user("him", types.PermissionWriteAcp)},
			ACL{FullControl: `id="me"`, ReadACP: `id="her"`, WriteACP: `id="him"`}},
	} {
		if got := aclOf("me", c.grants); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestContentCoding(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "aws-chunked": "", "gzip": "gzip", "aws-chunked,gzip": "gzip", "GZIP, aws-chunked": "gzip", "utf-8": "", "UTF-8": "", "none": "", "identity": "", "br,gzip": "br,gzip",
	} {
		if got := ContentCoding(value); got != want {
			t.Errorf("%q is the coding %q, want %q", value, got, want)
		}
	}
}
