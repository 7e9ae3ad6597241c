// Package s3 publishes a site to a bucket of an S3-compatible service, in the layout
// `live`: the bucket's keys are the site's paths, as any website endpoint serves them; or in the layout `pointer`,
// see Pointed.
//
// Beside the site the target keeps a folder of its own, .mirror/:
//
//	.mirror/live            the state document: what is live, or which commit is under way
//	.mirror/objects/<sha>   staged content by its SHA-256
//	.mirror/releases/<id>   what a release consists of: a list of parts
//	.mirror/parts/<sha>     some files of a release: path, digest, size, headers
//	.mirror/changes/<id>    what one commit copies and deletes, and how to undo it
//	.mirror/before/…        content of others that a commit replaces
//	.mirror/uploads/…       which upload a large file goes to, in parts
//	.mirror/records/<sha>   what listings showed of objects whose bytes are known
//	.mirror/notes           what publishers on different machines tell each other
//
// A commit is not atomic: it copies object by object, on the server, in an order that
// never shows a page before what it needs. The state document is the handle for
// compare-and-swap and the journal from which an interrupted commit is completed or undone.
package s3

import "time"

// Config is the part of a config file that is about one bucket.
type Config struct {
	// Bucket is the bucket's name.
	Bucket string `yaml:"bucket" jsonschema:"required" example:"my-blog"`
	// Prefix is the folder of the site in the bucket; "" for all of the bucket.
	Prefix string `yaml:"prefix" example:"blog/"`
	// Region is the bucket's region; where it is "", the one that the endpoint names, that of the
	// environment or of the AWS config file, or the provider's usual one.
	Region string `yaml:"region" example:"us-east-1"`
	// Endpoint is the URL of the S3-compatible service; "" for AWS, or for what the environment variable
	// AWS_ENDPOINT_URL_S3 names.
	Endpoint string `yaml:"endpoint" example:"https://s3.example.com"`
	// Provider is the service, which decides what of the S3 API is used (docs/s3-services.md). Where it is
	// "", it is detected from the endpoint. A service that is not in the list is other, and is probed.
	Provider string `yaml:"provider" jsonschema:"enum=aws,enum=r2,enum=b2,enum=gcs,enum=digitalocean,enum=linode,enum=wasabi,enum=alibaba,enum=tencent,enum=scaleway,enum=ovh,enum=hetzner,enum=idrive,enum=storj,enum=tigris,enum=minio,enum=ceph,enum=garage,enum=versitygw,enum=other" example:"ceph"`
	// PathStyle is whether the bucket's name is in the path of a request and not in its host name. Where it
	// is not set, the provider decides.
	PathStyle *bool `yaml:"path_style" example:"true"`
	// ACL is the canned ACL of every object of the site; none neither sends nor reads ACLs. Where it is "",
	// an object that is replaced keeps its ACL, and a new one gets that of index.html. Objects below
	// .mirror/ never get it.
	ACL string `yaml:"acl" jsonschema:"enum=none,enum=private,enum=public-read,enum=public-read-write,enum=authenticated-read,enum=aws-exec-read,enum=bucket-owner-read,enum=bucket-owner-full-control" example:"public-read"`
	// SSE is the server-side encryption of all objects that are written; "" for the bucket's default.
	SSE string `yaml:"sse" jsonschema:"enum=AES256,enum=aws:kms,enum=aws:kms:dsse" example:"aws:kms"`
	// SSEKMSKeyID is the key for sse: aws:kms; "" for the account's default key.
	SSEKMSKeyID string `yaml:"sse_kms_key_id" example:"alias/blog"`
	// StorageClass is the storage class of the site's objects; "" for the bucket's default.
	StorageClass string `yaml:"storage_class" example:"STANDARD_IA"`
	// CABundle is a file of certificates in PEM form that the service's certificate is checked against, in
	// place of the system's; "" for the one that the environment variable AWS_CA_BUNDLE names.
	CABundle string `yaml:"ca_bundle" jsonschema:"format=path" example:"/etc/ssl/minio.pem"`
	// Layout is how a release is stored in the bucket. live: the keys are the paths of the site. pointer: each
	// release lies in a folder below .mirror/releases/, and .mirror/pointer names the live one; what serves the
	// site follows it (docs/s3-pointer.md).
	Layout string `yaml:"layout" jsonschema:"default=live,enum=live,enum=pointer" example:"live"`
	// Headers are rules for response headers; the last match wins, header by header.
	Headers []HeaderRule `yaml:"headers"`
	// WebsiteRedirects has the bucket's website endpoint answer 301 for the pages of site.redirects, by the objects'
	// x-amz-website-redirect-location. Other ways to the bucket serve the page.
	WebsiteRedirects bool `yaml:"website_redirects" jsonschema:"default=false" example:"true"`
	// DeleteGrace is how long a commit waits before it deletes the files that the new release does not have.
	// Deprecated: publish.grace keeps files for longer, on every kind of target, and the publish does not wait.
	DeleteGrace time.Duration `yaml:"delete_grace" jsonschema:"default=0s" example:"10m"`
	// Concurrency is how many requests run at once.
	Concurrency int `yaml:"concurrency" jsonschema:"default=16,minimum=1,maximum=256" example:"16"`
	// AccessKeyEnv names the environment variable that holds the access key. Without it
	// the keys come from where the AWS tools look.
	AccessKeyEnv string `yaml:"access_key_env" example:"BLOG_ACCESS_KEY"`
	// SecretKeyEnv names the environment variable that holds the secret key.
	SecretKeyEnv string `yaml:"secret_key_env" example:"BLOG_SECRET_KEY"`
	// InstanceRole has the keys come from the metadata service of the machine where there are none
	// elsewhere. Without it that service is asked only for AWS and only on an EC2 instance.
	InstanceRole bool `yaml:"instance_role" jsonschema:"default=false" example:"true"`
}

// HeaderRule sets response headers of the files that it matches.
type HeaderRule struct {
	// Match is the glob of the files' paths.
	Match string `yaml:"match" jsonschema:"required,format=glob" example:"\"assets/**\""`
	// CacheControl is the Cache-Control header.
	CacheControl string `yaml:"cache_control" example:"\"public, max-age=31536000, immutable\""`
	// ContentType is the Content-Type header, in place of the one by the file's extension.
	ContentType string `yaml:"content_type" example:"text/html; charset=utf-8"`
	// ContentEncoding is the Content-Encoding header, for files that are stored compressed.
	ContentEncoding string `yaml:"content_encoding" example:"gzip"`
	// Compress is the one coding in which text is stored: gzip, br or zstd. A bucket sends it to every client, also to one
	// that does not accept it. Files that do not become smaller, and those with ContentEncoding, are stored as they are.
	Compress []string `yaml:"compress" jsonschema:"enum=gzip,enum=br,enum=zstd" example:"[gzip]"`
}

const (
	layoutLive         = "live"
	layoutPointer      = "pointer"
	defaultConcurrency = 16
	maxConcurrency     = 256
)
