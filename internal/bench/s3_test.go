package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mirror/internal/realserver/s3gateway"
)

// TestS3 publishes to versitygw.
func TestS3(t *testing.T) {
	fullContest(t, "s3", []string{stepVerified}, s3Tools()...)
}

func s3Tools() []Tool {
	const rclone = "rclone --config /dev/null sync . :s3:%s"
	return []Tool{
		mirrorTool(func(e *Entry) (string, Place) {
			b := openBucket(e)
			return fmt.Sprintf("  - {name: s3, type: s3, endpoint: %q, bucket: %q, path_style: true, access_key_env: TEST_ACCESS, secret_key_env: TEST_SECRET, origin: {url: %q}}\n",
				b.endpoint, b.Bucket, b.Website), b.place()
		}),
		peer("rclone, tuned", "rclone", "rclone version", func(e *Entry) Place {
			return openBucket(e).peer(rclone + " --checksum --fast-list --transfers 32 --s3-no-head")
		}),
		peer("rclone", "rclone", "rclone version", func(e *Entry) Place { return openBucket(e).peer(rclone) }),
		peer("mc mirror", "mc", "mc --version", func(e *Entry) Place {
			return openBucket(e).peer("mc --quiet --config-dir $HOME/mc mirror --overwrite --remove . bench/%s")
		}),
		peer("hugo deploy", "hugo", "hugo version", func(e *Entry) Place {
			b := openBucket(e)
			return b.hugo(e)
		}),
	}
}

// bucket is one on a gateway of its own.
type bucket struct {
	*s3gateway.Gateway
	endpoint, site, home string
}

func openBucket(e *Entry) bucket {
	e.Helper()
	gateway := s3gateway.Start(e)
	return bucket{gateway, "http://" + e.HTTP(strings.TrimPrefix(gateway.Endpoint, "http://")), e.Site, e.TempDir()}
}

// place is the bucket as files, without a way to publish.
func (b bucket) place() Place {
	return Place{
		Stored: func() (Tree, error) { return ReadFolder(b.Folder) },
		Own: func(path string) bool {
			return strings.HasPrefix(path, ".mirror/") || strings.HasPrefix(path, ".sgwtmp/") || path == ".well-known/mirror.json"
		},
	}
}

// peer is the bucket with a line that takes the bucket's name.
func (b bucket) peer(line string) Place {
	p := b.place()
	p.Publish = always(Command{Line: fmt.Sprintf(line, b.Bucket), Dir: b.site, Env: []string{
		"HOME=" + b.home, "XDG_CONFIG_HOME=" + b.home,
		"RCLONE_S3_PROVIDER=Other", "RCLONE_S3_ENDPOINT=" + b.endpoint, "RCLONE_S3_REGION=" + b.Region, "RCLONE_S3_FORCE_PATH_STYLE=true",
		"RCLONE_S3_ACCESS_KEY_ID=" + b.AccessKey, "RCLONE_S3_SECRET_ACCESS_KEY=" + b.SecretKey,
		"MC_HOST_bench=" + strings.Replace(b.endpoint, "://", fmt.Sprintf("://%s:%s@", b.AccessKey, b.SecretKey), 1),
		"AWS_ACCESS_KEY_ID=" + b.AccessKey, "AWS_SECRET_ACCESS_KEY=" + b.SecretKey, "AWS_REGION=" + b.Region,
	}})
	return p
}

// hugo is the bucket with a project whose published folder is the site.
func (b bucket) hugo(e *Entry) Place {
	e.Helper()
	config := fmt.Sprintf(`publishDir = %q
[deployment]
[[deployment.targets]]
name = "bench"
URL = "s3://%s?endpoint=%s&use_path_style=true&region=%s"
`, b.site, b.Bucket, b.endpoint, b.Region)
	project := e.TempDir()
	if err := os.WriteFile(filepath.Join(project, "hugo.toml"), []byte(config), 0o600); err != nil {
		e.Fatal(err)
	}
	return b.peer("hugo deploy --maxDeletes -1 --workers 32 --target bench --source " + project + "; : %s")
}
