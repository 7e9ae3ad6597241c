package bucket

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// ACL is the access control list of an object as a request gives it: a canned one, or grants. The
// zero value asks for the service's default.
type ACL struct {
	Canned      string `json:"canned,omitempty"`
	FullControl string `json:"full,omitempty"` // x-amz-grant-full-control, and so on
	Read        string `json:"read,omitempty"`
	ReadACP     string `json:"read_acp,omitempty"`
	WriteACP    string `json:"write_acp,omitempty"`
}

// Groups of grantees (S3 user guide, "Access control list (ACL) overview").
const (
	everyone      = "http://acs.amazonaws.com/groups/global/AllUsers"
	authenticated = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
)

// aclOf is the shortest ACL that has the same effect as the grants.
func aclOf(owner string, grants []types.Grant) ACL {
	others := slices.DeleteFunc(slices.Clone(grants), func(g types.Grant) bool {
		return g.Grantee == nil || g.Permission == types.PermissionFullControl && aws.ToString(g.Grantee.ID) == owner && aws.ToString(g.Grantee.URI) == ""
	})
	var groups []string
	for _, g := range others {
		groups = append(groups, string(g.Permission)+" "+aws.ToString(g.Grantee.URI))
	}
	slices.Sort(groups)
	switch strings.Join(groups, ",") {
	case "":
		return ACL{}
	case "READ " + everyone:
		return ACL{Canned: string(types.ObjectCannedACLPublicRead)}
	case "READ " + everyone + ",WRITE " + everyone:
		return ACL{Canned: string(types.ObjectCannedACLPublicReadWrite)}
	case "READ " + authenticated:
		return ACL{Canned: string(types.ObjectCannedACLAuthenticatedRead)}
	}
	return granted(grants)
}

// granted writes grants as the headers of a request take them.
func granted(grants []types.Grant) ACL {
	to := map[types.Permission][]string{}
	for _, g := range grants {
		switch {
		case g.Grantee == nil:
		case aws.ToString(g.Grantee.URI) != "":
			to[g.Permission] = append(to[g.Permission], `uri="`+*g.Grantee.URI+`"`)
		case aws.ToString(g.Grantee.ID) != "":
			to[g.Permission] = append(to[g.Permission], `id="`+*g.Grantee.ID+`"`)
		}
	}
	list := func(p types.Permission) string { return strings.Join(to[p], ", ") }
	return ACL{
		FullControl: list(types.PermissionFullControl), Read: list(types.PermissionRead),
		ReadACP: list(types.PermissionReadAcp), WriteACP: list(types.PermissionWriteAcp),
	}
}

func (a ACL) applyToPut(in *s3.PutObjectInput) {
	in.ACL = types.ObjectCannedACL(a.Canned)
	in.GrantFullControl, in.GrantRead = optional(a.FullControl), optional(a.Read)
	in.GrantReadACP, in.GrantWriteACP = optional(a.ReadACP), optional(a.WriteACP)
}

func (a ACL) applyToCopy(in *s3.CopyObjectInput) {
	in.ACL = types.ObjectCannedACL(a.Canned)
	in.GrantFullControl, in.GrantRead = optional(a.FullControl), optional(a.Read)
	in.GrantReadACP, in.GrantWriteACP = optional(a.ReadACP), optional(a.WriteACP)
}
