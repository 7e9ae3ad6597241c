package s3_test

import (
	"strings"
	"testing"
	"time"

	"mirror/targets"
	"mirror/targets/s3"
)

func TestConfig(t *testing.T) {
	env := targets.Env{Getenv: func(name string) string {
		if name == "SET" {
			return "x"
		}
		return ""
	}}
	for _, c := range []struct {
		name   string
		config s3.Config
		want   string // in the error; "" for none
	}{
		{"least", s3.Config{Bucket: "b", AccessKeyEnv: "SET", SecretKeyEnv: "SET"}, ""},
		{"no bucket", s3.Config{}, "bucket: missing"},
		{"unknown layout", s3.Config{Bucket: "b", Layout: "flat"}, "layout: is not supported"},
		{"bad glob", s3.Config{Bucket: "b", Headers: []s3.HeaderRule{{Match: "a[", CacheControl: "x"}}}, "headers[0].match: is not a glob"},
		{"one key only", s3.Config{Bucket: "b", AccessKeyEnv: "SET"}, "needs secret_key_env beside it"},
		{"unset key", s3.Config{Bucket: "b", AccessKeyEnv: "SET", SecretKeyEnv: "UNSET"}, "UNSET is not set"},
		{"prefix with dots", s3.Config{Bucket: "b", Prefix: "a/../b"}, "prefix: has an empty part"},
		{"own prefix", s3.Config{Bucket: "b", Prefix: ".mirror"}, "which mirror keeps for itself"},
		{"negative grace", s3.Config{Bucket: "b", DeleteGrace: -time.Second}, "negative"},
		{"too many at once", s3.Config{Bucket: "b", Concurrency: 1000}, "between 1 and"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := s3.Open(t.Context(), env, c.config)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
