package generators

import (
	"path"
	"regexp"
	"strings"
)

func isJekyll(p project) bool {
	return p.mentions("Gemfile", `(?m)^\s*gem\s+["'](jekyll|github-pages)["']`) || p.has(jekyllConfigs(p)...) && p.has("_posts", "_layouts", "_includes", "_sass")
}

func jekyllConfigs(project) []string { return []string{"_config.yml", "_config.yaml", "_config.toml"} }

func jekyllBuild(p project) string {
	if p.has("Gemfile") {
		return "bundle exec jekyll build"
	}
	return "jekyll build"
}

// mkdocsConfigs lists the config and the one that it inherits from.
func mkdocsConfigs(p project) []string {
	files := []string{"mkdocs.yml", "mkdocs.yaml"}
	if parent, _, ok := p.look(files, "INHERIT"); ok && parent.literal {
		files = append(files, path.Clean(parent.text))
	}
	return files
}

func pelicanBuild(p project) string {
	if p.has("publishconf.py") {
		return "pelican content -s publishconf.py"
	}
	return "pelican content"
}

func isZola(p project) bool {
	return p.has("zola.toml") || p.mentions("config.toml", `(?m)^\s*base_url\s*=`) && p.has("templates", "content", "themes", "sass")
}

var mdbookOutput = regexp.MustCompile(`(?m)^\s*\[\s*output\s*\.\s*([\w-]+)`)

// mdbookFolder is the folder of the HTML: of several outputs each has its own.
func mdbookFolder(p project, dir string) string {
	outputs := map[string]bool{}
	for _, m := range mdbookOutput.FindAllStringSubmatch(p.read("book.toml"), -1) {
		outputs[m[1]] = true
	}
	if len(outputs) > 1 {
		return path.Join(dir, "html")
	}
	return dir
}

// hugoConfigs lists the files of a Hugo config, the one that holds first.
func hugoConfigs(p project) []string {
	environment := "production"
	for _, c := range p.commands("hugo") {
		if name, ok := c.flag("-e", "--environment"); ok && !variable(name) {
			environment = name
		}
	}
	var files []string
	for _, folder := range []string{"config/" + environment, "config/_default", "."} {
		for _, base := range []string{"hugo", "config"} {
			for _, ext := range []string{".toml", ".yaml", ".yml", ".json"} {
				files = append(files, path.Join(folder, base+ext))
			}
		}
	}
	return files
}

func isHugo(p project) bool {
	return p.has("hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json", "config/_default") ||
		p.has("config.toml", "config.yaml", "config.yml", "config.json") && p.has("archetypes", "layouts", "themes", "content")
}

// hugoVariable is the folder that Hugo takes from the environment.
func hugoVariable(_ project, c command) (string, bool) {
	dir, ok := c.env["HUGO_PUBLISHDIR"]
	return dir, ok
}

// sphinxFolder is the folder with conf.py, "" for none.
func sphinxFolder(p project) string {
	for _, folder := range []string{".", "docs", "doc", "source", "docs/source", "doc/source", "docs/src"} {
		if p.mentions(path.Join(folder, "conf.py"), `(?m)^(extensions|html_theme|master_doc|root_doc|project)\s*=`) {
			return folder
		}
	}
	return ""
}

func isSphinx(p project) bool { return sphinxFolder(p) != "" }

func sphinxConfigs(p project) []string { return []string{path.Join(sphinxFolder(p), "conf.py")} }

// sphinxUsual is the folder that the Makefile of sphinx-quickstart builds into, "" where an expression sets it.
func sphinxUsual(p project) string {
	folder, usual := sphinxHome(p)
	build, _, ok := p.look([]string{path.Join(folder, "Makefile")}, "BUILDDIR")
	switch {
	case ok && !build.literal:
		return ""
	case ok && path.IsAbs(build.text):
		return path.Join(build.text, "html")
	case ok:
		return path.Join(folder, build.text, "html")
	}
	return path.Join(folder, usual, "html")
}

// sphinxHome is the folder with the Makefile, and the usual build folder in it.
func sphinxHome(p project) (folder, build string) {
	folder = sphinxFolder(p)
	if path.Base(folder) == "source" {
		return path.Dir(folder), "build"
	}
	return folder, "_build"
}

func sphinxBuild(p project) string {
	folder, _ := sphinxHome(p)
	switch {
	case !p.has(path.Join(folder, "Makefile")):
		return "sphinx-build -b html " + sphinxFolder(p) + " " + sphinxUsual(p)
	case folder == ".":
		return "make html"
	}
	return "make -C " + folder + " html"
}

// sphinxOperand reads sphinx-build -b html SOURCES FOLDER.
func sphinxOperand(_ project, c command) (string, bool) {
	dir := c.operand(1, "-b", "--builder", "-c", "--conf-dir", "-d", "--doctree-dir", "-D", "--define", "-A", "--html-define", "-t", "--tag", "-j", "--jobs", "-w", "--warning-file", "-M")
	if builder, ok := c.flag("-M"); ok && dir != "" {
		return path.Join(dir, builder), true
	}
	return dir, dir != ""
}

func quartoUsual(p project) string {
	kind, _, _ := p.look([]string{"_quarto.yml", "_quarto.yaml"}, "project.type")
	if strings.HasPrefix(kind.text, "book") {
		return "_book"
	}
	return "_site"
}
