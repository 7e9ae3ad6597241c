package git

import (
	"net/url"
	"regexp"
	"strings"

	"mirror/targets"
)

// Kind is a branch that a git host serves.
func Kind() targets.Kind {
	return targets.Kind{
		Name:   "git",
		Config: Config{},
		Open:   New,
		Traits: targets.Traits{CompareAndSwap: true, Atomic: true, Deploys: true},
		Place: func(decode targets.Decode) (targets.Place, error) {
			var c Config
			err := decode(&c)
			return targets.Place{ID: c.URL + " " + c.Branch}, err
		},
		OwnFiles: []string{noJekyll, cnameTxt},
		Sample: targets.Sample{
			Name:  "pages",
			About: "A branch that a git host serves: GitHub Pages, GitLab Pages and the like.",
			Keys:  []targets.SampleKey{{Name: "url", Value: "git@github.com:OWNER/REPO.git"}, {Name: "branch", Value: defaultBranch}},
			Options: `    # cname: blog.example.com
    # The environment variable with an access token, where the URL is https.
    # token_env: GITHUB_TOKEN
`,
			Origin: "https://OWNER.github.io/REPO/",
			Usual:  true,
			FromRemote: func(remote string) (map[string]string, string) {
				return map[string]string{"url": remote}, pagesURL(remote)
			},
		},
	}
}

// hostedRemote takes a remote's URL on GitHub or GitLab apart: host, owner, repository.
var hostedRemote = regexp.MustCompile(`^(?:https?://|ssh://)?(?:[^@/]*@)?(github|gitlab)\.com[:/]+([\w-]+)/([\w.-]+?)(?:\.git)?/?$`)

// pagesURL returns the site that GitHub or GitLab serves for a repository, "" for other hosts.
func pagesURL(remote string) string {
	m := hostedRemote.FindStringSubmatch(remote)
	if m == nil {
		return ""
	}
	host := strings.ToLower(m[2]) + "." + m[1] + ".io"
	u := url.URL{Scheme: "https", Host: host, Path: "/" + m[3] + "/"}
	if strings.EqualFold(m[3], host) {
		u.Path = "/"
	}
	return u.String()
}
