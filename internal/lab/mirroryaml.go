package lab

import "fmt"

// The environment variables that a lab's config takes its secrets from.
const (
	AccessKeyEnv = "MIRROR_LAB_ACCESS_KEY"
	SecretKeyEnv = "MIRROR_LAB_SECRET_KEY"
)

// Config is the mirror.yaml for the lab and the site in dir.
func (l *Lab) Config(dir string) []byte {
	return fmt.Appendf(nil, `# The embedded origins of mirror lab. The keys of the bucket are in the file env beside this one.
version: 1
site:
  dir: %q
  not_found: 404.html
targets:
  - name: git
    type: git
    url: %q
    branch: %q
    origin: {url: %q}
  - name: s3
    type: s3
    endpoint: %q
    region: %q
    bucket: %q
    path_style: true
    access_key_env: %s
    secret_key_env: %s
    origin: {url: %q}
  - name: registry
    type: oci
    image: %q
    base: none # the runtime of the lab serves the image itself
    origin: {url: %q}
check:
  rate: 0
`, dir, l.Git.Remote, l.Git.Branch, l.Git.URL,
		l.S3.Endpoint, l.S3.Region, l.S3.Bucket, AccessKeyEnv, SecretKeyEnv, l.S3.URL,
		l.Registry.Image, l.Registry.URL)
}
