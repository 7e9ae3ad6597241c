package git

import (
	"testing"

	"mirror/targets"
)

var (
	_ targets.Pruner    = (*Target)(nil)
	_ targets.Historian = (*Target)(nil)
)

func TestPagesURL(t *testing.T) {
	for remote, want := range map[string]string{
		"git@github.com:Me/blog.git":             "https://me.github.io/blog/",
		"https://github.com/me/Me.github.io":     "https://me.github.io/",
		"ssh://git@gitlab.com/group/site.v2.git": "https://group.gitlab.io/site.v2/",
		"https://token@github.com/me/blog.git":   "https://me.github.io/blog/",
		"git@example.com:me/blog.git":            "",
		"/srv/git/github.com:me/blog":            "",
	} {
		if got := pagesURL(remote); got != want {
			t.Errorf("%s: got %q, want %q", remote, got, want)
		}
	}
}
