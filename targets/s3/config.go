// Package s3 publishes a site to a bucket of an S3-compatible service, in the layout
// `live`: the bucket's keys are the site's paths, as any website endpoint serves them.
//
// Beside the site the target keeps a folder of its own, .mirror/:
//
//	.mirror/live            the state document: what is live, or which commit is under way
//	.mirror/objects/<sha>   staged content by its SHA-256
//	.mirror/releases/<id>   what a release consists of: a list of parts
//	.mirror/parts/<sha>     some files of a release: path, digest, size, headers
//	.mirror/changes/<id>    what one commit copies and deletes, and how to undo it
//	.mirror/before/…        content of others that a commit replaces
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
	// Region is the bucket's region; where it is "", that of the environment or of the AWS config file.
	Region string `yaml:"region" example:"us-east-1"`
	// Endpoint is the URL of the S3-compatible service; "" for AWS.
	Endpoint string `yaml:"endpoint" example:"https://s3.example.com"`
	// PathStyle is whether the bucket's name is in the path of a request and not in its host name.
	PathStyle bool `yaml:"path_style" jsonschema:"default=false" example:"true"`
	// Layout is how a release is stored in the bucket. live: the keys are the paths of the site.
	Layout string `yaml:"layout" jsonschema:"default=live,enum=live,unsupported=pointer" example:"live"`
	// Headers are rules for response headers; the last match wins, header by header.
	Headers []HeaderRule `yaml:"headers"`
	// DeleteGrace is how long the files that the new release does not have stay after the rest is live.
	DeleteGrace time.Duration `yaml:"delete_grace" jsonschema:"default=0s" example:"10m"`
	// Concurrency is how many requests run at once.
	Concurrency int `yaml:"concurrency" jsonschema:"default=16,minimum=1,maximum=256" example:"16"`
	// AccessKeyEnv names the environment variable that holds the access key. Without it
	// the keys come from where the AWS tools look.
	AccessKeyEnv string `yaml:"access_key_env" example:"BLOG_ACCESS_KEY"`
	// SecretKeyEnv names the environment variable that holds the secret key.
	SecretKeyEnv string `yaml:"secret_key_env" example:"BLOG_SECRET_KEY"`
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
}

const (
	layoutLive         = "live"
	defaultConcurrency = 16
	maxConcurrency     = 256
)
