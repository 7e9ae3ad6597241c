package git

import "testing"

func TestRemotesLoseTheirSecrets(t *testing.T) {
	for remote, want := range map[string]string{
		"https://ghp_abcdef@github.com/me/site.git":        "https://github.com/me/site.git",
		"https://me:pw@git.example.com:8443/me/site.git":   "https://git.example.com:8443/me/site.git",
		"https://me:p@ss@git.example.com/me/site.git":      "https://git.example.com/me/site.git",
		"https://me:%zz@git.example.com/me/site.git":       "https://git.example.com/me/site.git",
		"https://git.example.com/site.git?private_token=x": "https://git.example.com/site.git",
		"ssh://git:pw@git.example.com/me/site.git":         "ssh://git@git.example.com/me/site.git",
		"ssh://git@git.example.com/me/site.git":            "",
		"git@github.com:me/site.git":                       "",
		"https://github.com/me/site.git":                   "",
		"/srv/git/site.git":                                "",
	} {
		bare, secret := withoutSecret(remote)
		if secret != (want != "") || secret && bare != want || !secret && bare != remote {
			t.Errorf("%s: got %s, %v; want %s", remote, bare, secret, want)
		}
	}
}
