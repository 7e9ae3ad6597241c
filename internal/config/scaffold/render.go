package scaffold

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Target is one that the config is to have. Values and Origin that are "" get a
// placeholder, which is plain to see and parses.
type Target struct {
	Name   string            // the kind's usual name where ""
	Type   string            // git, s3, oci or dir
	Values map[string]string // by key: url, branch, bucket, endpoint, region, image, path, … (no lists)
	Origin string            // the base URL of the live site
}

// Render writes a commented mirror.yaml. It refuses a type of target that it does not know.
func Render(site Site, targets []Target) ([]byte, error) {
	var out strings.Builder
	out.WriteString(head)
	writeSite(&out, site)
	out.WriteString("\ntargets:\n")
	taken := map[string]bool{}
	for _, t := range targets {
		k, ok := kindOf(t.Type)
		if !ok {
			return nil, fmt.Errorf("no kind of target is called %q (hint: git, s3, oci or dir)", t.Type)
		}
		writeTarget(&out, k, named(t, k, taken))
	}
	out.WriteString(tail)
	return []byte(out.String()), nil
}

const head = `# What is published, where to, and how the live origins are checked.
# "mirror plan" shows what a publish would do; "mirror help" lists the commands.
version: 1

`

func writeSite(out *strings.Builder, site Site) {
	fmt.Fprintf(out, "site:\n  dir: %s\n", scalar(dotted(site.Dir)))
	out.WriteString("  # Run by \"mirror publish --build\" and by the daemon, never silently.\n")
	if site.Build == "" {
		out.WriteString("  # build: make site\n")
	} else {
		fmt.Fprintf(out, "  build: %s\n", scalar(site.Build))
	}
	exclude := `["**/.DS_Store"]`
	if path.Clean(site.Dir) == "." {
		exclude = `["**/.DS_Store", mirror.yaml, ".mirror/**"]`
	}
	fmt.Fprintf(out, "  # Files that stay at home (globs). .git always does.\n  exclude: %s\n", exclude)
	out.WriteString("  not_found: 404.html\n")
}

// dotted makes it plain that a folder is relative.
func dotted(dir string) string {
	if dir == "." || path.IsAbs(dir) || strings.HasPrefix(dir, "./") || strings.HasPrefix(dir, "../") {
		return dir
	}
	return "./" + dir
}

// kind is how the config of a kind of target is written.
type kind struct {
	name    string // usual name
	about   string
	keys    []key
	options string // commented out
	origin  string // placeholder
}

type key struct{ name, usual string }

func kindOf(name string) (kind, bool) {
	switch name {
	case "git":
		return kind{"pages", "A branch that a git host serves: GitHub Pages, GitLab Pages and the like.",
			[]key{{"url", "git@github.com:OWNER/REPO.git"}, {"branch", "gh-pages"}}, gitOptions, "https://OWNER.github.io/REPO/"}, true
	case "s3":
		return kind{"bucket", "A bucket of any S3-compatible service that serves it as a website.",
			[]key{{"bucket", "BUCKET"}, {"prefix", ""}, {"region", "us-east-1"}}, s3Options, "https://BUCKET.s3-website.us-east-1.example.com/"}, true
	case "oci":
		return kind{"image", "A container image with the site and a web server in it.",
			[]key{{"image", "registry.example.com/OWNER/SITE:latest"}, {"base", "self"}}, ociOptions, "https://SITE.example.com/"}, true
	case "dir":
		return kind{"disk", "A folder: the web server serves the link \"current\" in it.",
			[]key{{"path", "/srv/www/SITE"}}, "", "http://127.0.0.1:8080/"}, true
	}
	return kind{}, false
}

const gitOptions = `    # cname: blog.example.com
    # The environment variable with an access token, where the URL is https.
    # token_env: GITHUB_TOKEN
`

const s3Options = `    # endpoint: https://s3.example.com
    # path_style: true
    # headers: [{match: "assets/**", cache_control: "public, max-age=31536000, immutable"}]
`

const ociOptions = `    # The base may be any image with a web server, such as nginx:alpine; tell where it reads:
    # web_root: /usr/share/nginx/html
    # platforms: [linux/amd64, linux/arm64]
    # rollout: {exec: ["kubectl", "set", "image", "deploy/blog", "blog={image}@{digest}"]}
`

// named gives a target without a name the usual one of its kind, and tells doubles apart.
func named(t Target, k kind, taken map[string]bool) Target {
	name := t.Name
	if name == "" {
		name = k.name
	}
	t.Name = name
	for n := 2; taken[t.Name]; n++ {
		t.Name = fmt.Sprintf("%s-%d", name, n)
	}
	taken[t.Name] = true
	return t
}

func writeTarget(out *strings.Builder, k kind, t Target) {
	fmt.Fprintf(out, "  # %s\n  - name: %s\n    type: %s\n", k.about, scalar(t.Name), t.Type)
	written := map[string]bool{}
	for _, key := range k.keys {
		value := t.Values[key.name]
		if value == "" {
			value = key.usual
		}
		written[key.name] = true
		fmt.Fprintf(out, "    %s: %s\n", key.name, scalar(value))
	}
	for line := range strings.Lines(k.options) {
		name, _, _ := strings.Cut(strings.TrimLeft(line, " #"), ":")
		value := t.Values[name]
		if value == "" || written[name] {
			out.WriteString(line)
			continue
		}
		fmt.Fprintf(out, "    %s: %s\n", name, plain(value))
	}
	origin := t.Origin
	if origin == "" {
		origin = k.origin
	}
	fmt.Fprintf(out, "    origin: {url: %s}\n", flowScalar(origin))
}

const tail = `
publish:
  # auto commits first where a release shows late, so that it shows everywhere at once.
  order: auto
  # A publish that would delete more of a live site than this is refused.
  max_delete: 50%
  # How long the live origins may take to agree.
  verify_timeout: 5m
  keep_releases: 3

check:
  # Requests at once, and a second, for each origin.
  concurrency: 16
  rate: 200
  timeout: 10s
  # headers: [content-type]
  # normalize: [{match: "**/*.html", remove: ["<!-- rendered at .*? -->"]}]
  # ignore: ["feed.xml"]

# What "mirror daemon" runs by itself.
# schedule: [{name: drift, cron: "*/15 * * * *", run: check}]
# notify: [{url: "ntfy://ntfy.sh/${NTFY_TOPIC}", on: [drift, recovered, unreachable]}]
`

// scalar writes a text as one YAML value that reads back as itself.
func scalar(text string) string {
	out, err := yaml.Dump(strings.ReplaceAll(text, "${", "$${"), yaml.WithV4Defaults(), yaml.WithLineWidth(-1))
	line := strings.TrimSuffix(string(out), "\n")
	if err != nil || strings.ContainsFunc(line, needsEscape) {
		return flowScalar(text)
	}
	return line
}

// plain is scalar for a key that may hold a boolean.
func plain(text string) string {
	if text == "true" || text == "false" {
		return text
	}
	return scalar(text)
}

// flowScalar is scalar for use inside { }: always in double quotes.
func flowScalar(text string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, c := range strings.ReplaceAll(text, "${", "$${") {
		switch {
		case c == '"' || c == '\\':
			out.WriteString(`\` + string(c))
		case needsEscape(c):
			fmt.Fprintf(&out, `\u%04x`, c)
		default:
			out.WriteRune(c)
		}
	}
	return out.String() + `"`
}

// needsEscape reports whether a character cannot stand in the file as it is.
func needsEscape(c rune) bool {
	return c < ' ' || c >= 0x7f && c < 0xa0 || c == 0x2028 || c == 0x2029 || c == 0xfeff
}

// PagesURL returns the site that GitHub or GitLab serves for a repository, "" for other hosts.
func PagesURL(remote string) string {
	m := regexp.MustCompile(`^(?:https?://|ssh://)?(?:[^@/]*@)?(github|gitlab)\.com[:/]+([\w-]+)/([\w.-]+?)(?:\.git)?/?$`).FindStringSubmatch(remote)
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
