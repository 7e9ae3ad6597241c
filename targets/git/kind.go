package git

import (
	"cmp"
	_ "embed" // config.go
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"mirror/internal/netname"
	"mirror/targets"
	"mirror/targets/git/internal/objects"
)

// configSource has the descriptions of the keys.
//
//go:embed config.go
var configSource string

// Kind is a branch that a git host serves.
func Kind() targets.Kind {
	return targets.Kind{
		Name:   "git",
		Config: Config{},
		Source: configSource,
		Open:   fromConfig,
		Traits: targets.Traits{LateGrace: true, CompareAndSwap: true, Atomic: true, Deploys: true},
		Place: func(decode targets.Decode) (targets.Place, error) {
			var c Config
			err := decode(&c)
			return targets.Place{ID: c.URL + " " + c.Branch, Key: "url"}, err
		},
		WrongKeep:  objects.WrongKeep,
		OwnFiles:   []string{noJekyll, cnameTxt},
		OriginHint: originHint,
		Sample: targets.Sample{
			Name:  "pages",
			About: "A branch that a git host serves: GitHub Pages, GitLab Pages and the like.",
			Keys:  []targets.SampleKey{{Name: "url", Value: "git@github.com:OWNER/REPO.git", Placeholder: true}, {Name: "branch", Value: defaultBranch}},
			Options: `    # cname: blog.example.com
    # The environment variable with an access token, where the URL is https.
    # token_env: GITHUB_TOKEN
`,
			Origin:     "https://OWNER.github.io/REPO/",
			Usual:      true,
			FromRemote: fromRemote,
		},
	}
}

// originHint knows how hosts of pages answer for a custom domain, and for a branch that they do not serve.
func originHint(decode targets.Decode, a targets.OriginAnswer) string {
	var c Config
	if decode(&c) != nil {
		return ""
	}
	switch {
	case a.Location != nil && c.CNAME != "" && netname.Same(a.Location.Hostname(), c.CNAME):
		return fmt.Sprintf("%s is this target's cname: set origin.url to %s://%s/", a.Location.Host, a.Location.Scheme, a.Location.Host)
	case a.Location == nil && (a.Status == http.StatusNotFound || a.Other):
		return fmt.Sprintf("is %s the branch that the host serves? On GitHub see Settings, Pages.", cmp.Or(c.Branch, defaultBranch))
	}
	return ""
}

// fromRemote suggests values for a remote, without the secret that its URL may hold: the
// config names the variable for it.
func fromRemote(remote string) (values map[string]string, origin string) {
	bare, secret := withoutSecret(remote)
	values = map[string]string{"url": bare}
	if secret && strings.HasPrefix(bare, "http") {
		values["token_env"] = tokenVariable(bare)
	}
	return values, pagesURL(bare)
}

// withoutSecret returns a remote's URL without what may be a secret in it: of http the user
// name, the password and the query; of others the password. It reports whether there was any.
func withoutSecret(remote string) (bare string, secret bool) {
	scheme, rest, found := strings.Cut(remote, "://")
	if !found {
		return remote, false // user@host:path, or a path
	}
	isHTTP := strings.HasPrefix(strings.ToLower(scheme), "http")
	authority, path, hasPath := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, _, password := strings.Cut(authority[:at], ":")
		switch {
		case isHTTP:
			authority, secret = authority[at+1:], true
		case password:
			authority, secret = user+authority[at:], true
		}
	}
	if isHTTP {
		var query bool
		path, _, query = strings.Cut(path, "?")
		secret = secret || query
	}
	if hasPath {
		authority += "/" + path
	}
	return scheme + "://" + authority, secret
}

// tokenVariable is the name that a host's own tools give the variable with a token.
func tokenVariable(remote string) string {
	switch {
	case strings.Contains(remote, "github"):
		return "GITHUB_TOKEN"
	case strings.Contains(remote, "gitlab"):
		return "GITLAB_TOKEN"
	}
	return "GIT_TOKEN"
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
