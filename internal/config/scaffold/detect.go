// Package scaffold writes the first mirror.yaml of a site: it finds the generator that
// makes the site, and renders a commented config for the targets that were asked for.
package scaffold

import (
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// maxRead bounds what is read of a file in search of a setting.
const maxRead = 1 << 20

// Site is a site's folder as its generator makes it.
type Site struct {
	Generator string // hexo, hugo, …, plain for files without one, "" where nothing was found
	Dir       string // the generated files, relative to the project
	Build     string // the command that generates them, "" for none
}

// generator is a program that makes sites, and how to tell that a project uses it.
type generator struct {
	name   string
	marked func(p project) bool
	dir    func(p project) string
	build  func(p project) string
}

// project is a folder with the sources of a site.
type project struct{ fs.FS }

// Detect finds out which generator a project uses. It reads the few files that tell, and
// runs nothing.
func Detect(fsys fs.FS) Site {
	p := project{fsys}
	for _, g := range generators() {
		if g.marked(p) {
			return Site{g.name, g.dir(p), g.build(p)}
		}
	}
	for _, dir := range []string{".", "public", "dist", "_site", "build", "out", "output", "www", "html"} {
		if p.has(path.Join(dir, "index.html")) {
			return Site{"plain", dir, ""}
		}
	}
	return Site{"", "public", ""}
}

// generators lists those that Detect knows. One whose marks are also another's comes after it.
func generators() []generator {
	script := func(p project) string { return p.runner() + " run build" }
	return []generator{
		{"docusaurus", scripted("docusaurus.config"), fixed("build"), script},
		{"gatsby", scripted("gatsby-config"), fixed("public"), fixed("npx gatsby build")},
		{"astro", scripted("astro.config"), setting("dist", `outDir`, "astro.config.mjs", "astro.config.ts", "astro.config.js"), script},
		{"vitepress", inDocs(".vitepress"), docsDist(".vitepress"), docsBuild("vitepress")},
		{"vuepress", inDocs(".vuepress"), docsDist(".vuepress"), docsBuild("vuepress")},
		{"eleventy", isEleventy, fixed("_site"), fixed("npx @11ty/eleventy")},
		{"next", isNextExport, fixed("out"), script},
		{"hexo", isHexo, setting("public", `public_dir`, "_config.yml"), fixed("npx hexo generate")},
		{"jekyll", isJekyll, setting("_site", `destination`, "_config.yml"), jekyllBuild},
		{"mkdocs", files("mkdocs.yml", "mkdocs.yaml"), setting("site", `site_dir`, "mkdocs.yml", "mkdocs.yaml"), fixed("mkdocs build")},
		{"pelican", files("pelicanconf.py"), setting("output", `OUTPUT_PATH`, "publishconf.py", "pelicanconf.py"), pelicanBuild},
		{"zola", isZola, setting("public", `output_dir`, "config.toml"), fixed("zola build")},
		{"hugo", isHugo, setting("public", `publishDir`, hugoConfigs()...), fixed("hugo")},
	}
}

func fixed(text string) func(project) string { return func(project) string { return text } }

func files(names ...string) func(project) bool {
	return func(p project) bool { return p.has(names...) }
}

// scripted is marked by a JavaScript config of any flavour.
func scripted(base string) func(project) bool {
	return files(base+".js", base+".ts", base+".mjs", base+".cjs", base+".mts")
}

// setting is a folder that a config file may name.
func setting(usual, key string, names ...string) func(project) string {
	return func(p project) string {
		for _, name := range names {
			if value := p.value(name, key); value != "" {
				return value
			}
		}
		return usual
	}
}

// docsRoots are the folders that VitePress and VuePress projects keep their pages in.
func docsRoots() []string { return []string{"docs", ".", "src", "website"} }

func (p project) docsRoot(folder string) (string, bool) {
	for _, root := range docsRoots() {
		if info, err := fs.Stat(p, path.Join(root, folder)); err == nil && info.IsDir() {
			return root, true
		}
	}
	return "", false
}

func inDocs(folder string) func(project) bool {
	return func(p project) bool { _, ok := p.docsRoot(folder); return ok }
}

func docsDist(folder string) func(project) string {
	return func(p project) string {
		root, _ := p.docsRoot(folder)
		return path.Join(root, folder, "dist")
	}
}

func docsBuild(program string) func(project) string {
	return func(p project) string {
		root, _ := p.docsRoot("." + program)
		return strings.TrimSuffix("npx "+program+" build "+root, " .")
	}
}

func isEleventy(p project) bool {
	return p.has(".eleventy.js", ".eleventy.cjs") || scripted("eleventy.config")(p) || p.mentions("package.json", `"@11ty/eleventy"`)
}

func isNextExport(p project) bool {
	for _, name := range []string{"next.config.js", "next.config.ts", "next.config.mjs", "next.config.cjs"} {
		if p.mentions(name, `output['"]?\s*:\s*['"]export['"]`) {
			return true
		}
	}
	return false
}

func isHexo(p project) bool {
	return p.has("_config.yml") && p.mentions("package.json", `"hexo"`)
}

func isJekyll(p project) bool {
	return p.mentions("Gemfile", `(?m)^\s*gem\s+["'](jekyll|github-pages)["']`) || p.has("_config.yml") && p.has("_posts", "_layouts", "_includes")
}

func jekyllBuild(p project) string {
	if p.has("Gemfile") {
		return "bundle exec jekyll build"
	}
	return "jekyll build"
}

func pelicanBuild(p project) string {
	if p.has("publishconf.py") {
		return "pelican content -s publishconf.py"
	}
	return "pelican content"
}

func isZola(p project) bool {
	return p.mentions("config.toml", `(?m)^\s*base_url\s*=`) && p.has("templates", "content", "themes", "sass")
}

func hugoConfigs() []string {
	return []string{"hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json", "config.toml", "config.yaml", "config.yml", "config.json",
		"config/_default/hugo.toml", "config/_default/hugo.yaml", "config/_default/config.toml", "config/_default/config.yaml"}
}

func isHugo(p project) bool {
	return p.has(hugoConfigs()[:4]...) || p.has(hugoConfigs()[4:]...) && p.has("archetypes", "layouts", "themes", "content")
}

// runner is the package manager that a JavaScript project's lock file belongs to.
func (p project) runner() string {
	switch {
	case p.has("pnpm-lock.yaml"):
		return "pnpm"
	case p.has("yarn.lock"):
		return "yarn"
	case p.has("bun.lockb", "bun.lock"):
		return "bun"
	}
	return "npm"
}

// has reports whether one of the names is there.
func (p project) has(names ...string) bool {
	for _, name := range names {
		if _, err := fs.Stat(p, name); err == nil {
			return true
		}
	}
	return false
}

// read returns the beginning of a file, "" where it cannot be read: it is only asked for hints.
func (p project) read(name string) string {
	file, err := p.Open(name)
	if err != nil {
		return ""
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	text, err := io.ReadAll(io.LimitReader(file, maxRead))
	if err != nil {
		return ""
	}
	return string(text)
}

func (p project) mentions(name, pattern string) bool {
	return regexp.MustCompile(pattern).MatchString(p.read(name))
}

// value returns what a line of a YAML, TOML, JSON, Python or JavaScript file sets a key to.
func (p project) value(name, key string) string {
	line := regexp.MustCompile(`(?m)^\s*["']?` + key + `["']?\s*[:=]\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s"',#]+))`)
	if m := line.FindStringSubmatch(p.read(name)); m != nil {
		return m[1] + m[2] + m[3]
	}
	return ""
}
