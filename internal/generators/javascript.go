package generators

import (
	"path"
	"strings"
)

// viteRoot is the folder that Vite takes for the project, "" where an expression sets it.
func viteRoot(p project) string {
	for _, c := range p.commands("vite") {
		if root := c.operand(1, "--outDir", "-c", "--config", "-m", "--mode", "--base", "-l", "--logLevel", "--assetsDir", "--minify", "--ssr"); c.operand(0) == "build" && root != "" {
			return path.Clean(root)
		}
	}
	return rootOption("root", "vite.config")(p)
}

func viteUsual(p project) string {
	root := viteRoot(p)
	if root == "" {
		return ""
	}
	return path.Join(root, "dist")
}

// viteServes names the frameworks on Vite whose folder is not known.
func viteServes(p project) string {
	for _, name := range []string{"@remix-run/dev", "@react-router/dev", "@solidjs/start", "@builder.io/qwik-city", "vinxi", "laravel-vite-plugin", "@tanstack/react-start"} {
		if p.uses(name) {
			return "the project uses " + name + ", whose output folder is not known here"
		}
	}
	return ""
}

// buildPath is the folder that Create React App takes from the environment.
func buildPath(_ project, c command) (string, bool) {
	dir, ok := c.env["BUILD_PATH"]
	return dir, ok
}

// nextServes says that a Next project has no static export.
func nextServes(p project) string {
	output, _, found := p.look(flavours("next.config"), "output")
	exports := found && strings.Contains(output.text, "export")
	for _, c := range p.commands("next") {
		exports = exports || c.operand(0) == "export"
	}
	if exports {
		return ""
	}
	return "Next writes no folder of static files without output: 'export' in its config"
}

// nextExport is the folder of the command that exported a site before Next 14.
func nextExport(_ project, c command) (string, bool) {
	if c.operand(0) != "export" {
		return "", false
	}
	if dir, ok := c.flag("-o", "--outdir"); ok {
		return dir, true
	}
	return "out", true
}

// nextFolder is where the export is: in distDir, unless that is the usual one.
func nextFolder(_ project, dir string) string {
	if dir == ".next" {
		return "out"
	}
	return dir
}

// nuxtUsual is the folder of Nuxt 3 and later, or of Nuxt 2.
func nuxtUsual(p project) string {
	if version := strings.TrimLeft(p.versionOf("nuxt"), "^~>=v "); strings.HasPrefix(version, "2") {
		return "dist"
	}
	return ".output/public"
}

func nuxtBuild(project) string { return "npx nuxt generate" }

// svelteServes says that a SvelteKit project has no static adapter.
func svelteServes(p project) string {
	if p.uses("@sveltejs/adapter-static") || p.mentions(p.first(flavours("svelte.config")...), `@sveltejs/adapter-static`) {
		return ""
	}
	return "SvelteKit writes no folder of static files without @sveltejs/adapter-static"
}

func isHexo(p project) bool {
	return p.has("_config.yml", "_config.yaml") && (p.uses("hexo") || p.npm.Hexo != nil)
}

// hexoDeploy is the git repository that hexo deploy pushes to.
func (p project) hexoDeploy() Deploy {
	var d Deploy
	for _, s := range p.settings(p.first("_config.yml", "_config.yaml")) {
		switch {
		case !s.literal || s.text == "":
		case d.Repository == "" && (strings.HasPrefix(s.path, "deploy.repo") || strings.HasPrefix(s.path, "deploy.repository")):
			repository, branch, _ := strings.Cut(s.text, ",")
			d.Repository, d.Branch = repository, branch
		case d.Branch == "" && s.path == "deploy.branch":
			d.Branch = s.text
		}
	}
	if d.Repository == "" {
		return Deploy{}
	}
	return d
}

func isGitBook(p project) bool {
	return p.uses("honkit", "gitbook", "gitbook-cli") || !p.has("book.toml") && p.has("book.json", "book.js", "SUMMARY.md") && p.has("SUMMARY.md", "README.md", "docs/SUMMARY.md")
}

// secondOperand reads honkit build BOOK FOLDER.
func secondOperand(_ project, c command) (string, bool) {
	if dir := c.operand(2); dir != "" {
		return dir, true
	}
	if book := c.operand(1); book != "" {
		return path.Join(book, "_book"), true
	}
	return "", false
}

func gitBookBuild(p project) string {
	if p.uses("gitbook", "gitbook-cli") {
		return "npx gitbook build"
	}
	return "npx honkit build"
}

// docsRoot is the folder in which a VitePress or VuePress project keeps its pages, "" for none.
func (p project) docsRoot(folder string) string {
	roots := []string{"docs", ".", "src", "website", "doc", "site", "documentation"}
	for _, c := range p.commands("vitepress", "vuepress", "vuepress-vite", "vuepress-webpack") {
		if root := c.operand(1, "--outDir", "-d", "--dest", "-c", "--config", "--base", "-t", "--temp", "--cache"); root != "" && !variable(root) {
			roots = append([]string{path.Clean(root)}, roots...)
		}
	}
	for _, root := range roots {
		if p.has(path.Join(root, folder)) {
			return root
		}
	}
	return ""
}

func inDocs(folder string) func(project) bool {
	return func(p project) bool { return p.docsRoot(folder) != "" }
}

func docsDist(folder string) func(project) string {
	return func(p project) string { return path.Join(p.docsRoot(folder), folder, "dist") }
}

func docsConfig(folder string) func(project) []string {
	return func(p project) []string {
		root := path.Join(p.docsRoot(folder), folder)
		return append(flavours(path.Join(root, "config")), flavours(path.Join(root, "config/index"))...)
	}
}

func docsBuild(program string) func(project) string {
	return func(p project) string {
		return strings.TrimSuffix("npx "+program+" build "+p.docsRoot("."+program), " .")
	}
}

// rootOption returns the folder that a setting of the root names, "." without it and "" for an expression.
func rootOption(key, base string) func(project) string {
	return func(p project) string {
		value, _, found := p.look(flavours(base), key)
		switch {
		case !found:
			return "."
		case !value.literal:
			return ""
		}
		return path.Clean(strings.TrimPrefix(value.text, "/"))
	}
}
