package s3

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"mirror/internal/netname"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
	"mirror/targets/s3/internal/documents"
	"mirror/targets/s3/internal/verified"
)

// Target is a bucket, or a folder of one.
type Target struct {
	bucket   *bucket.Bucket
	docs     *documents.Store
	log      *slog.Logger
	rules    []HeaderRule
	grace    time.Duration
	owner    string
	keep     targets.Keep
	verified verified.Set
	lease    time.Duration // how long a commit that was not renewed keeps others out
	reserved sync.Map      // targets.Swap → *reservation: those that this process holds
	// recording is how long a commit may take to record what it found out of the bucket.
	recording time.Duration
}

// recording bounds how long a commit takes to record what the bucket holds: a million objects
// are listed in that time.
const recording = 5 * time.Minute

// New is the factory of this kind of target.
func New(ctx context.Context, env targets.Env, decode func(config any) error) (targets.Target, error) {
	var c Config
	if err := decode(&c); err != nil {
		return nil, err
	}
	return Open(ctx, env, c)
}

// Open gives a handle on a bucket. It sends nothing: the bucket is met by the first call.
func Open(ctx context.Context, env targets.Env, c Config) (*Target, error) {
	c, err := c.checked()
	if err != nil {
		return nil, err
	}
	api, err := client(ctx, env, c)
	if err != nil {
		return nil, err
	}
	log := env.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	b := bucket.New(api, c.Bucket, c.Prefix, c.Concurrency)
	return &Target{
		bucket: b, docs: documents.NewStore(b, log), log: log,
		rules: c.Headers, grace: c.DeleteGrace, owner: env.Owner, keep: env.Keep,
		verified: verified.Load(env.State), lease: documents.Lease, recording: recording,
	}, nil
}

const defaultRegion = "us-east-1"

func client(ctx context.Context, env targets.Env, c Config) (*s3.Client, error) {
	var load []func(*awsconfig.LoadOptions) error
	if c.Region != "" {
		load = append(load, awsconfig.WithRegion(c.Region))
	}
	if c.AccessKeyEnv != "" {
		keys, err := namedKeys(env, c)
		if err != nil {
			return nil, err
		}
		load = append(load, awsconfig.WithCredentialsProvider(keys))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("s3: read the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		cfg.Region = defaultRegion
	}
	if env.Secret != nil && cfg.Credentials != nil {
		cfg.Credentials = tellingProvider{cfg.Credentials, env.Secret}
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		if c.Endpoint != "" {
			o.BaseEndpoint = aws.String(c.Endpoint)
		}
		o.UsePathStyle = c.PathStyle
		o.APIOptions = append(o.APIOptions, bucket.UnderGuard)
		o.HTTPClient = httpClient(env.Transport, c.Concurrency)
		o.Retryer = retryer(cfg.RetryMaxAttempts)
		// Many compatible services refuse or store the checksums that the SDK adds unasked.
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	}), nil
}

func namedKeys(env targets.Env, c Config) (aws.CredentialsProvider, error) {
	getenv := env.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	key, secret := getenv(c.AccessKeyEnv), getenv(c.SecretKeyEnv)
	for name, value := range map[string]string{c.AccessKeyEnv: key, c.SecretKeyEnv: secret} {
		if value == "" {
			return nil, fmt.Errorf("s3: the environment variable %s is not set", name)
		}
	}
	return credentials.NewStaticCredentialsProvider(key, secret, ""), nil
}

// httpClient follows no redirect: a service that answers with one means another region
// or endpoint, which the config has to name.
func httpClient(transport http.RoundTripper, concurrency int) *http.Client {
	if transport == nil {
		tuned := netname.Transport()
		tuned.MaxIdleConnsPerHost = concurrency
		tuned.ResponseHeaderTimeout = 2 * time.Minute
		transport = tuned
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// How often and how patiently a request is sent again.
const (
	attempts     = 4
	firstBackoff = 40 * time.Millisecond
	slowDown     = 500 * time.Millisecond
)

// retryer waits shortly after a broken connection and longer when the service asks for
// it. most, if it is not 0, is the AWS tools' own setting (AWS_MAX_ATTEMPTS, max_attempts).
func retryer(most int) aws.Retryer {
	if most == 0 {
		most = attempts
	}
	throttled := retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = most
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, err error) (time.Duration, error) {
			base := firstBackoff
			if throttled.IsErrorThrottle(err).Bool() {
				base = slowDown
			}
			return base << max(attempt-1, 0), nil
		})
	})
}
