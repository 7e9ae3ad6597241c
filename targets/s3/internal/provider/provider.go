// Package provider is the table of S3-compatible services: what each of them has and lacks of the
// S3 API, as data with the source of each statement. It sends no request.
package provider

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// Feature is a part of the S3 API that some services lack.
type Feature string

// The features.
const (
	// Checksums is the header x-amz-checksum-sha256. Without it the body is sent with Content-MD5.
	Checksums Feature = "checksums"
	// SignedEncoding is a signature that covers Accept-Encoding. No request relies on it: the header
	// is sent and never signed.
	SignedEncoding Feature = "signed Accept-Encoding"
	// ObjectACLs are access control lists of single objects: x-amz-acl, GetObjectAcl.
	ObjectACLs Feature = "object ACLs"
	// Conditions are If-Match and If-None-Match on PutObject. Without them the state document is
	// compared before and after it is written.
	Conditions Feature = "conditional writes"
	// Copy is CopyObject with headers that replace those of the source. Without it an object is read
	// and written again.
	Copy Feature = "copies"
	// ListV2 is ListObjectsV2. Without it ListObjects is used.
	ListV2 Feature = "ListObjectsV2"
	// URLEncoding is encoding-type=url in listings, which shows names that XML cannot hold.
	URLEncoding Feature = "encoding-type"
	// BulkDelete is DeleteObjects. Without it objects are deleted one by one.
	BulkDelete Feature = "bulk delete"
	// SSES3 is sse: AES256.
	SSES3 Feature = "SSE-S3"
	// SSEKMS is sse: aws:kms.
	SSEKMS Feature = "SSE-KMS"
)

// Features lists all features in the order of the documentation.
func Features() []Feature {
	return []Feature{Checksums, SignedEncoding, ObjectACLs, Conditions, Copy, ListV2, URLEncoding, BulkDelete, SSES3, SSEKMS}
}

// Answer says whether a service has a feature.
type Answer int

// The answers. The zero value is Ask: the first request that uses the feature shows it.
const (
	Ask Answer = iota
	Yes
	No
)

// String is the answer as the documentation writes it.
func (a Answer) String() string {
	switch a {
	case Yes:
		return "yes"
	case No:
		return "no"
	}
	return "probed"
}

// Cell is what is known of one feature of one service.
type Cell struct {
	Has    Answer
	Source string // the page or the public issue that says so; "" for Ask
}

// Provider is a service: one row of the table.
type Provider struct {
	Name  string // as the config writes it
	Title string
	// Hosts are the endpoints' hosts; {region} stands for one label or a part of it, a first label * for
	// any labels, and a * in another for a part of it. Empty for a service that runs under any host.
	Hosts []string
	// Region is the region of a signature where neither the config nor the endpoint names one.
	Region string
	// PathStyle is whether the bucket is named in the path; else it is a part of the host.
	PathStyle   bool
	StyleSource string
	Cells       map[Feature]Cell
	// Classes are the storage classes that can be read without a delay; nil where they are not known.
	Classes []string
	// Transcodes is whether an object with Content-Encoding: gzip is decoded for a client that does not accept that,
	// mirror's own reading among them (https://cloud.google.com/storage/docs/transcoding).
	Transcodes bool
	// Note is one sentence for people.
	Note string
}

// Has says whether the service has a feature.
func (p Provider) Has(f Feature) Answer { return p.Cells[f].Has }

// Other is the name of a service that is not in the table.
const Other = "other"

// Find returns the provider of that name.
func Find(name string) (Provider, bool) {
	all := Table()
	i := slices.IndexFunc(all, func(p Provider) bool { return p.Name == name })
	if i < 0 {
		return Provider{}, false
	}
	return all[i], true
}

// Names lists the names of all providers.
func Names() []string {
	var names []string
	for _, p := range Table() {
		names = append(names, p.Name)
	}
	return names
}

// Detect returns the provider that an endpoint belongs to, and the region that the endpoint names;
// "" is AWS's own endpoint. A host that no row knows is that of Other.
func Detect(endpoint string) (Provider, string) {
	if endpoint == "" {
		p, _ := Find("aws")
		return p, ""
	}
	host := hostOf(endpoint)
	for _, p := range Table() {
		for _, pattern := range p.Hosts {
			if region, ok := match(pattern, host); ok {
				return p, region
			}
		}
	}
	p, _ := Find(Other)
	return p, ""
}

// RegionOf returns the region that an endpoint of the provider names, "" where it names none.
func (p Provider) RegionOf(endpoint string) string {
	for _, pattern := range p.Hosts {
		if region, ok := match(pattern, hostOf(endpoint)); ok {
			return region
		}
	}
	return ""
}

// WithoutBucket removes the bucket's name from an endpoint of a known service that has it in the host,
// or as the only part of the path: the address that consoles show for a bucket.
func WithoutBucket(endpoint, bucket string) string {
	u, err := url.Parse(endpoint)
	if err != nil || bucket == "" {
		return endpoint
	}
	if strings.Trim(u.Path, "/") == bucket {
		u.Path = ""
	}
	rest, named := strings.CutPrefix(u.Host, bucket+".")
	if p, _ := Detect(u.Scheme + "://" + rest); named && p.Name != Other && net.ParseIP(rest) == nil {
		u.Host = rest
	}
	return u.String()
}

func hostOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// match compares a host with a pattern, label by label from the end.
func match(pattern, host string) (region string, ok bool) {
	want, have := strings.Split(pattern, "."), strings.Split(host, ".")
	if want[0] == "*" && len(have) >= len(want) {
		want, have = want[1:], have[len(have)-len(want)+1:]
	}
	if len(want) != len(have) {
		return "", false
	}
	for i, label := range want {
		part, ok := matchLabel(label, have[i])
		if !ok {
			return "", false
		}
		if strings.Contains(label, anyRegion) {
			region = part
		}
	}
	return region, true
}

const anyRegion = "{region}"

// matchLabel compares one label, and returns the part that the pattern leaves open.
func matchLabel(pattern, label string) (part string, ok bool) {
	before, after, open := strings.Cut(strings.Replace(pattern, anyRegion, "*", 1), "*")
	if !open {
		return "", pattern == label
	}
	rest, begins := strings.CutPrefix(label, before)
	rest, ends := strings.CutSuffix(rest, after)
	return rest, begins && ends && rest != ""
}
