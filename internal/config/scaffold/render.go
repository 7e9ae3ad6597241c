// Package scaffold writes the first mirror.yaml of a site: a commented config for the targets that were asked
// for, with what the generator, the git remote and the answers of a person say.
package scaffold

import (
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v4"

	"mirror/internal/generators"
	"mirror/targets"
)

// Target is one that the config is to have. Values and Origin that are "" get a
// placeholder, which is plain to see and parses.
type Target struct {
	Name   string            // the kind's usual name where ""
	Type   string            // name of its kind
	Values map[string]string // by key: url, branch, bucket, endpoint, region, image, path, … (no lists)
	Origin string            // the base URL of the live site
}

// Render writes a commented mirror.yaml. It refuses a type of target that is not among kinds.
func Render(site generators.Site, all []Target, kinds targets.Kinds) ([]byte, error) {
	var out strings.Builder
	out.WriteString(head)
	writeSite(&out, site)
	out.WriteString("\ntargets:\n")
	taken := map[string]bool{}
	for _, t := range all {
		k, ok := kinds.Find(t.Type)
		if !ok {
			return nil, fmt.Errorf("no kind of target is called %q (hint: %s)", t.Type, strings.Join(kinds.Names(), ", "))
		}
		writeTarget(&out, k.Sample, named(t, k.Sample, taken))
	}
	out.WriteString(tail)
	return []byte(out.String()), nil
}

const head = `# What is published, where to, and how the live origins are checked.
# "mirror plan" shows what a publish would do; "mirror help" lists the commands.
version: 1

`

// unknownDir stands for the folder of the site where it is not known.
const unknownDir = "FILL-IN-THE-OUTPUT-FOLDER"

func writeSite(out *strings.Builder, site generators.Site) {
	out.WriteString("site:\n")
	if site.Dir == "" {
		site.Dir = unknownDir
		fmt.Fprintf(out, "  # FILL IN: the folder with the generated site. %s.\n", strings.Map(printable, site.Unknown))
	}
	fmt.Fprintf(out, "  dir: %s\n", scalar(dotted(site.Dir)))
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

// named gives a target without a name the usual one of its kind, and tells doubles apart.
func named(t Target, s targets.Sample, taken map[string]bool) Target {
	name := t.Name
	if name == "" {
		name = s.Name
	}
	t.Name = name
	for n := 2; taken[t.Name]; n++ {
		t.Name = fmt.Sprintf("%s-%d", name, n)
	}
	taken[t.Name] = true
	return t
}

func writeTarget(out *strings.Builder, s targets.Sample, t Target) {
	fmt.Fprintf(out, "  # %s\n  - name: %s\n    type: %s\n", s.About, scalar(t.Name), t.Type)
	written := map[string]bool{}
	for _, key := range s.Keys {
		value := t.Values[key.Name]
		if value == "" {
			value = key.Value
		}
		written[key.Name] = true
		fmt.Fprintf(out, "    %s: %s\n", key.Name, scalar(value))
	}
	for line := range strings.Lines(s.Options) {
		name, _, _ := strings.Cut(strings.TrimLeft(line, " #"), ":")
		value := t.Values[name]
		if value == "" || written[name] {
			out.WriteString(line)
			continue
		}
		fmt.Fprintf(out, "    %s: %s\n", name, plain(value))
	}
	origin := t.Origin
	if origin == noOrigin {
		fmt.Fprintf(out, "    # origin: {url: %s}\n", flowScalar(s.Origin))
		return
	}
	if origin == "" {
		origin = s.Origin
	}
	fmt.Fprintf(out, "    origin: {url: %s}\n", flowScalar(origin))
}

const tail = `
publish:
  # auto commits first where a release shows late, so that it shows everywhere at once.
  order: auto
  # A publish that would delete more of a live site than this is refused.
  max_delete: 50%
  # Paths that are not the site's, such as [uploads/**]: never deleted.
  keep: []
  # How long the live origins may take to agree.
  verify_timeout: 5m
  keep_releases: 3
  # Scripts and styles of earlier releases stay served for pages that are still open.
  # grace: {releases: 1, for: 24h, match: hashed}

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

// printable makes a space of a character that would end a comment.
func printable(c rune) rune {
	if needsEscape(c) {
		return ' '
	}
	return c
}

// needsEscape reports whether a character cannot stand in the file as it is.
func needsEscape(c rune) bool {
	return c < ' ' || c >= 0x7f && c < 0xa0 || c == 0x2028 || c == 0x2029 || c == 0xfeff
}
