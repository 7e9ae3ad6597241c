package s3

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"mirror/targets"
	"mirror/targets/s3/internal/documents"
)

// checked returns the config with its defaults set.
func (c Config) checked() (Config, error) {
	if c.Bucket == "" {
		return c, errors.New("bucket: missing")
	}
	if c.Layout == "" {
		c.Layout = layoutLive
	}
	if c.Concurrency == 0 {
		c.Concurrency = defaultConcurrency
	}
	if err := targets.Validate(c); err != nil {
		return c, err
	}
	c.Prefix, _ = normalPrefix(c.Prefix)
	return c, nil
}

// Validate refuses what no S3-compatible service can take.
func (c Config) Validate(wrong targets.Wrong) {
	report := func(key, why string) {
		if why != "" {
			wrong(key, why)
		}
	}
	report("bucket", wrongBucket(c.Bucket))
	report("endpoint", wrongEndpoint(c.Endpoint))
	_, why := normalPrefix(c.Prefix)
	report("prefix", why)
	if strings.ContainsAny(c.Region, " /:") {
		wrong("region", "is not a region (hint: us-east-1)")
	}
	if c.Layout != layoutLive && c.Layout != layoutPointer {
		wrong("layout", "is not supported (hint: live or pointer)")
	}
	switch {
	case c.AccessKeyEnv == "" && c.SecretKeyEnv != "":
		wrong("secret_key_env", "needs access_key_env beside it")
	case c.AccessKeyEnv != "" && c.SecretKeyEnv == "":
		wrong("access_key_env", "needs secret_key_env beside it")
	}
	c.lacking(wrong)
	if c.DeleteGrace < 0 {
		wrong("delete_grace", "is negative")
	}
	if c.Concurrency < 1 || c.Concurrency > maxConcurrency {
		wrong("concurrency", fmt.Sprintf("is not between 1 and %d", maxConcurrency))
	}
	for i, r := range c.Headers {
		r.validate(fmt.Sprintf("headers[%d]", i), wrong)
		if len(r.Compress) > 0 && c.Layout == layoutPointer {
			wrong(fmt.Sprintf("headers[%d].compress", i), "is for layout: live (hint: what follows the pointer compresses, such as mirror serve --compress)")
		}
	}
}

func (r HeaderRule) validate(key string, wrong targets.Wrong) {
	if !doublestar.ValidatePattern(r.Match) {
		wrong(key+".match", "is not a glob")
	}
	if len(r.Compress) > 1 {
		wrong(key+".compress", "names several codings, and a bucket has one object for each file (hint: [gzip], which every browser reads)")
	}
	for _, header := range []struct{ name, value string }{
		{"cache_control", r.CacheControl}, {"content_type", r.ContentType}, {"content_encoding", r.ContentEncoding},
	} {
		if strings.ContainsFunc(header.value, func(c rune) bool { return c < ' ' || c > '~' }) {
			wrong(key+"."+header.name, "is not the value of a header: it has characters other than printable ASCII")
		}
	}
}

// wrongBucket says why a text cannot be a bucket's name, "" where it can. Services differ in the
// characters that they allow, so that only what no service allows is refused.
func wrongBucket(name string) string {
	switch {
	case strings.Contains(name, "://"):
		return "is a URL (hint: write the name of the bucket alone, and the address of its service under endpoint)"
	case strings.HasPrefix(name, "arn:"): // of an access point
		return ""
	case strings.Contains(name, "/"):
		return "is not the name of a bucket (hint: write the folder in it under prefix)"
	case strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`?#%\"'`, c) }) || len(name) > 255:
		return "is not the name of a bucket (hint: letters, digits, - and .)"
	}
	return ""
}

// wrongEndpoint says what is wrong with the address of a service, "" for nothing.
func wrongEndpoint(address string) string {
	const hint = "(hint: https://s3.example.com)"
	if address == "" {
		return ""
	}
	u, err := url.Parse(address)
	switch {
	case !strings.Contains(address, "://"):
		return "has no scheme (hint: write https:// before it)"
	case err != nil || u.Hostname() == "":
		return "is not the URL of a service " + hint
	case u.Scheme != "http" && u.Scheme != "https":
		return "begins with a scheme that S3 does not use " + hint
	case u.User != nil:
		return "holds a user name or password (hint: access_key_env and secret_key_env)"
	case u.RawQuery != "" || u.Fragment != "":
		return "has a query or a fragment " + hint
	}
	return ""
}

// normalPrefix gives a prefix its slash at the end, and none at the start. It says why a text cannot be
// a prefix.
func normalPrefix(prefix string) (normal, why string) {
	prefix = strings.Trim(prefix, "/")
	if prefix == "" {
		return "", ""
	}
	for part := range strings.SplitSeq(prefix, "/") {
		switch part {
		case documents.OwnFolder:
			return "", "has the part " + documents.OwnFolder + ", which mirror keeps for itself"
		case "", ".", "..":
			return "", "has an empty part, a . or a .., which are not names of folders"
		}
	}
	return prefix + "/", ""
}
