package git_test

import (
	"net/url"
	"strings"
	"testing"

	"mirror/targets"
	"mirror/targets/git"
)

// A custom domain and a branch that is not served are what GitHub Pages makes of a wrong config.
func TestOriginHint(t *testing.T) {
	blog, other := &url.URL{Scheme: "https", Host: "Blog.example.com", Path: "/a"}, &url.URL{Scheme: "https", Host: "parked.example.net"}
	decode := func(config any) error {
		*config.(*git.Config) = git.Config{Branch: "gh-pages", CNAME: "blog.example.com"}
		return nil
	}
	for name, c := range map[string]struct {
		answer targets.OriginAnswer
		want   string
	}{
		"to the cname":  {targets.OriginAnswer{Status: 301, Location: blog}, "this target's cname: set origin.url to https://Blog.example.com/"},
		"to elsewhere":  {targets.OriginAnswer{Status: 301, Location: other}, ""},
		"not found":     {targets.OriginAnswer{Status: 404}, "is gh-pages the branch that the host serves?"},
		"another site":  {targets.OriginAnswer{Status: 200, Other: true}, "is gh-pages the branch that the host serves?"},
		"a server down": {targets.OriginAnswer{Status: 503}, ""},
	} {
		if got := git.Kind().OriginHint(decode, c.answer); (got != "") != (c.want != "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
