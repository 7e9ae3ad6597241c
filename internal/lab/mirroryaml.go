package lab

import (
	"fmt"
	"os"
	"path/filepath"
)

// The environment variables that a lab's config takes its secrets from.
const (
	AccessKeyEnv = "MIRROR_LAB_ACCESS_KEY"
	SecretKeyEnv = "MIRROR_LAB_SECRET_KEY"
)

// Config is the mirror.yaml for the lab and the site in dir.
func (l *Lab) Config(dir string) []byte {
	text := fmt.Appendf(nil, `# The embedded origins of mirror lab. The keys of the bucket are in the file env beside this one.
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
	if l.Agents != "" {
		text = fmt.Appendf(text, "vantages: {listen: %q, timeout: 1m}\n", l.Agents)
	}
	return text
}

// WriteConfig writes the config for the lab and the site into a folder, which it
// makes where it is missing, and beside it the file env with the keys of the bucket, for a shell.
func (l *Lab) WriteConfig(dir, name, site string) (config, env string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", "", err
	}
	if site, err = filepath.Abs(site); err != nil {
		return "", "", err
	}
	config, env = filepath.Join(dir, name), filepath.Join(dir, "env")
	if err := os.WriteFile(config, l.Config(site), 0o644); err != nil {
		return "", "", err
	}
	keys := fmt.Sprintf("export %s=%s\nexport %s=%s\n", AccessKeyEnv, l.S3.AccessKey, SecretKeyEnv, l.S3.SecretKey)
	return config, env, os.WriteFile(env, []byte(keys), 0o600)
}

// Getenv is the environment of a user of the lab: the keys of the bucket, and what else getenv has.
func (l *Lab) Getenv(getenv func(name string) string) func(name string) string {
	return func(name string) string {
		switch name {
		case AccessKeyEnv:
			return l.S3.AccessKey
		case SecretKeyEnv:
			return l.S3.SecretKey
		}
		return getenv(name)
	}
}
