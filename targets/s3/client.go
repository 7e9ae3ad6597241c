package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"mirror/internal/netname"
	"mirror/internal/regular"
	"mirror/internal/stall"
	"mirror/targets"
	"mirror/targets/s3/internal/bucket"
)

// client speaks with the service at a location.
func client(ctx context.Context, env targets.Env, c Config, where location, log *slog.Logger) (*s3.Client, error) {
	cfg, err := awsSettings(ctx, env, c, where, log)
	if err != nil {
		return nil, err
	}
	transport, err := httpClient(env.Transport, c)
	if err != nil {
		return nil, err
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		if where.endpoint != "" {
			o.BaseEndpoint = aws.String(where.endpoint)
		}
		o.UsePathStyle = where.pathStyle
		o.APIOptions = append(o.APIOptions, bucket.UnderGuard, bucket.PlainRequests)
		o.HTTPClient = transport
		o.Retryer = retryer(cfg.RetryMaxAttempts)
		// Many compatible services refuse or store the checksums that the SDK adds unasked.
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		o.DisableLogOutputChecksumValidationSkipped = true
	}), nil
}

// awsSettings reads what the AWS tools are configured with: the environment and the profile.
func awsSettings(ctx context.Context, env targets.Env, c Config, where location, log *slog.Logger) (aws.Config, error) {
	load := []func(*awsconfig.LoadOptions) error{
		awsconfig.WithLogger(sdkLog{log}), awsconfig.WithLogConfigurationWarnings(false),
		awsconfig.WithDefaultsMode(aws.DefaultsModeLegacy), // auto would ask the metadata service
	}
	if where.region != "" {
		load = append(load, awsconfig.WithRegion(where.region))
	}
	if c.AccessKeyEnv != "" {
		keys, err := namedKeys(env, c)
		if err != nil {
			return aws.Config{}, err
		}
		load = append(load, awsconfig.WithCredentialsProvider(keys))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("s3: read the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		cfg.Region = where.Region
	}
	cfg.Credentials = explained(cfg.Credentials, c, where)
	if env.Secret != nil {
		cfg.Credentials = tellingProvider{cfg.Credentials, env.Secret}
	}
	return cfg, nil
}

// sdkLog keeps the SDK's own lines out of the program's output: they are shown with -v alone.
type sdkLog struct{ *slog.Logger }

// Logf logs a line for debugging.
func (l sdkLog) Logf(class logging.Classification, format string, v ...any) {
	l.Debug("AWS SDK: "+fmt.Sprintf(format, v...), "class", string(class))
}

// maxBundle bounds a file of certificates, in bytes.
const maxBundle = 4 << 20

// certificates reads the authorities that a service's certificate may be from, in place of the
// system's: ca_bundle or, as the AWS tools have it, AWS_CA_BUNDLE. Nil for the system's.
func certificates(file string) (*x509.CertPool, error) {
	key := "ca_bundle"
	if file == "" {
		key, file = "AWS_CA_BUNDLE", os.Getenv("AWS_CA_BUNDLE")
	}
	if file == "" {
		return nil, nil
	}
	text, err := regular.ReadFile(file, maxBundle)
	if err != nil {
		return nil, fmt.Errorf("s3: %s: %w", key, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("s3: %s: %s holds no certificate (hint: a file in PEM form, with BEGIN CERTIFICATE)", key, file)
	}
	return pool, nil
}

// httpClient follows no redirect: a service that answers with one means another region
// or endpoint, which the config has to name.
func httpClient(transport http.RoundTripper, c Config) (*http.Client, error) {
	if transport == nil {
		roots, err := certificates(c.CABundle)
		if err != nil {
			return nil, err
		}
		tuned := netname.Transport()
		tuned.MaxIdleConnsPerHost = c.Concurrency
		if roots != nil {
			tuned.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
		}
		transport = tuned
	}
	return &http.Client{
		Transport:     stall.New(transport, stall.Limit), // its error is not repeated, see stall.Error
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
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
