// Package s3gateway starts a real S3 service, versitygw, for tests. It is apart from realserver, so that only tests of
// buckets are linked with the S3 client.
package s3gateway

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"mirror/internal/realserver"
)

// Gateway is a running versitygw with one bucket, which anyone may read
// and which its website endpoint serves.
type Gateway struct {
	Endpoint  string // of the S3 API
	Website   string // base URL of the site, ending in a slash
	Region    string
	Bucket    string
	AccessKey string
	SecretKey string
	Folder    string // where the bucket's objects lie as files
}

// websiteBucket is named as the host at which the website endpoint is met, which is how
// versitygw finds a bucket without a domain.
const websiteBucket = "localhost"

// Start starts versitygw on a folder of the test's own.
func Start(t testing.TB) *Gateway {
	t.Helper()
	program := realserver.Need(t, "versitygw")
	root := filepath.Join(t.TempDir(), "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	api, website := realserver.FreePort(t), realserver.FreePort(t)
	g := &Gateway{
		Endpoint: "http://" + realserver.Loopback(api), Website: fmt.Sprintf("http://%s:%d/", websiteBucket, website),
		Region: "us-east-1", Bucket: websiteBucket, AccessKey: "mirror-test", SecretKey: "mirror-test-secret",
		Folder: filepath.Join(root, websiteBucket),
	}
	cmd := exec.Command(program, "--port", realserver.Loopback(api), "--website", realserver.Loopback(website),
		"--region", g.Region, "--keep-alive", "--quiet", "posix", root)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+g.AccessKey, "ROOT_SECRET_KEY="+g.SecretKey)
	cmd.Dir = root
	realserver.Start(t, cmd, realserver.Loopback(api))
	g.makeBucket(t)
	return g
}

// Client returns a client with the gateway's keys, for what a test does behind a
// target's back.
func (g *Gateway) Client() *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(g.Endpoint), Region: g.Region, UsePathStyle: true,
		Credentials:                credentials.NewStaticCredentialsProvider(g.AccessKey, g.SecretKey, ""),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	})
}

func (g *Gateway) makeBucket(t testing.TB) {
	t.Helper()
	api, ctx := g.Client(), t.Context()
	if _, err := api.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &g.Bucket}); err != nil {
		t.Fatal(err)
	}
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",`+
		`"Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}]}`, g.Bucket)
	if _, err := api.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &g.Bucket, Policy: &policy}); err != nil {
		t.Fatal(err)
	}
	_, err := api.PutBucketWebsite(ctx, &s3.PutBucketWebsiteInput{
		Bucket: &g.Bucket,
		WebsiteConfiguration: &types.WebsiteConfiguration{
			IndexDocument: &types.IndexDocument{Suffix: aws.String("index.html")},
			ErrorDocument: &types.ErrorDocument{Key: aws.String("404.html")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}
