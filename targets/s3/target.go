package s3

import (
	"cmp"
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"mirror/targets"
	"mirror/targets/grace"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
	"mirror/targets/s3/internal/multipart"
	"mirror/targets/s3/internal/verified"
)

// Target is a bucket, or a folder of one.
type Target struct {
	bucket    *bucket.Bucket
	docs      *documents.Store
	uploads   *multipart.Uploader // of large files
	log       *slog.Logger
	rules     []HeaderRule
	redirects bool // the website endpoint redirects
	grace     time.Duration
	owner     string
	keep      targets.Keep
	stays     *grace.Policy // of earlier releases
	verified  verified.Set
	lease     time.Duration // how long a commit that was not renewed keeps others out
	reserved  sync.Map      // targets.Swap → *reservation: those that this process holds
	acl       string        // as the config names it
	class     string        // the storage class of the site's objects
	where     location
	place     string // bucket and prefix
	state     string // the folder for what was learnt; "" for none
	seen      sighting
	bounds    *boundaries
	variants  *variants
	staged    sync.Map     // targets.Swap → *staged: what this process has prepared
	filler    atomic.Value // string: the Holder of the reservation that the last Stage has left, see putInPlace
	sums      atomic.Bool  // whether manifests of releases lie in the bucket
	made      sync.Map     // targets.Swap → bool: whether the service has confirmed every write of the commit
	// recording is how long a commit may take to record what it found out of the bucket.
	recording time.Duration
}

// recording bounds how long a commit takes to record what the bucket holds: a million objects
// are listed in that time.
const recording = 5 * time.Minute

// Open gives a handle on a bucket. It sends nothing: the bucket is met by the first call.
func Open(ctx context.Context, env targets.Env, c Config) (*Target, error) {
	c, err := c.checked()
	if err != nil {
		return nil, err
	}
	log := env.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	where, err := c.service()
	if err != nil {
		return nil, err
	}
	api, err := client(ctx, env, c, where, log)
	if err != nil {
		return nil, err
	}
	known := bucket.NewService(where.Provider, loadLearnt(env.State, where), log)
	b := bucket.New(api, known, bucket.Options{Name: c.Bucket, Prefix: c.Prefix, Limit: c.Concurrency, SSE: c.SSE, SSEKey: c.SSEKMSKeyID})
	uploads := multipart.New(b, documents.UploadsFolder, env.Owner, multipart.PartSize)
	b.InParts = uploads.Put
	docs := documents.NewStore(b, log)
	if env.State != "" {
		docs.Keep(filepath.Join(env.State, "documents"))
	}
	return &Target{
		bucket: b, docs: docs, uploads: uploads, log: log, bounds: loadBoundaries(env.State),
		rules: c.Headers, redirects: c.WebsiteRedirects, grace: c.DeleteGrace, owner: env.Owner, keep: env.Keep, stays: env.Grace,
		acl: c.ACL, class: c.StorageClass, where: where, place: c.Bucket + "/" + c.Prefix, state: env.State, variants: newVariants(env.State),
		verified: verified.Load(env.State), lease: cmp.Or(env.Lease, documents.Lease), recording: recording,
	}, nil
}
