package s3

import (
	"fmt"
	"os"
	"strings"

	"mirror/targets"
	"mirror/targets/s3/internal/provider"
)

// location is a service and how its bucket is addressed.
type location struct {
	provider.Provider
	endpoint  string // "" for AWS's own
	region    string // "" for what the environment says, or else the provider's usual one
	pathStyle bool
}

// service finds out which service the config means.
func (c Config) service() (location, error) {
	endpoint := provider.WithoutBucket(c.address(), c.Bucket)
	p, region := provider.Detect(endpoint)
	if c.Provider != "" && c.Provider != p.Name {
		named, ok := provider.Find(c.Provider)
		if !ok {
			return location{}, fmt.Errorf("s3: provider %q is not known (hint: one of %s)", c.Provider, strings.Join(provider.Names(), ", "))
		}
		if endpoint == "" {
			return location{}, fmt.Errorf("s3: provider %s needs an endpoint beside it (hint: the URL that the service's console shows)", c.Provider)
		}
		p, region = named, named.RegionOf(endpoint)
	}
	w := location{Provider: p, endpoint: endpoint, region: c.Region, pathStyle: p.PathStyle}
	if w.region == "" {
		w.region = region
	}
	if w.region == "" && p.Name != "aws" && p.Name != provider.Other {
		w.region = p.Region // AWS_REGION is that of AWS
	}
	if c.PathStyle != nil {
		w.pathStyle = *c.PathStyle
	}
	return w, nil
}

// described names the service.
func (l location) described() string {
	if l.Name == provider.Other {
		return "the service at " + l.endpoint
	}
	return l.Title
}

// address is the endpoint: the config's or, as the AWS tools have it, the environment's.
func (c Config) address() string {
	if c.Endpoint != "" || os.Getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == "true" {
		return c.Endpoint
	}
	if endpoint := os.Getenv("AWS_ENDPOINT_URL_S3"); endpoint != "" {
		return endpoint
	}
	return os.Getenv("AWS_ENDPOINT_URL")
}

// noACL is the value of acl that neither reads nor sends ACLs.
const noACL = "none"

// lacking reports what the config asks of a service that is known not to have it.
func (c Config) lacking(wrong targets.Wrong) {
	p, _ := provider.Detect(provider.WithoutBucket(c.Endpoint, c.Bucket))
	if named, ok := provider.Find(c.Provider); ok {
		p = named
	}
	if c.ACL != "" && c.ACL != noACL && p.Has(provider.ObjectACLs) == provider.No {
		wrong("acl", "is not supported: "+p.Title+" has no ACLs of objects (hint: remove acl. "+p.Note+")")
	}
	if c.SSE == sseS3 && p.Has(provider.SSES3) == provider.No || c.SSE == sseKMS && p.Has(provider.SSEKMS) == provider.No {
		wrong("sse", "is not supported by "+p.Title+" (hint: remove sse)")
	}
	for i, r := range c.Headers {
		if len(r.Compress) > 0 && p.Transcodes {
			wrong(fmt.Sprintf("headers[%d].compress", i), "is not possible on "+p.Title+", which decodes what it serves (hint: Cloud CDN compresses)")
		}
	}
	if c.SSEKMSKeyID != "" && !strings.HasPrefix(c.SSE, sseKMS) {
		wrong("sse_kms_key_id", "needs sse: "+sseKMS+" beside it")
	}
	if c.StorageClass == "GLACIER" || c.StorageClass == "DEEP_ARCHIVE" {
		wrong("storage_class", "is not a class whose objects can be served (hint: STANDARD_IA or GLACIER_IR)")
	}
}

const (
	sseS3  = "AES256"
	sseKMS = "aws:kms"
)
