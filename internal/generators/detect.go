package generators

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Detect finds out which generator a project uses. Where the project's root has none, the usual folders for
// documentation and sites below it are looked at.
func Detect(fsys fs.FS) Site {
	p := open(fsys, ".")
	if s, ok := p.detect(); ok {
		return s
	}
	return p.elsewhere()
}

// detect finds the generator of the project's own folder.
func (p project) detect() (Site, bool) {
	for _, g := range table() {
		if g.marks(p) {
			return g.site(p), true
		}
	}
	return Site{}, false
}

// subfolders are where projects keep the sources of their site, or many projects.
var subfolders = []string{"docs", "website", "site", "web", "www", "frontend", "client", "app", "doc", "blog", "book", "guide", "documentation",
	"packages/*", "apps/*", "sites/*"}

// maxProjects bounds how many folders below the project are looked at.
const maxProjects = 100

// elsewhere looks for a generator in the folders below the project, then for files without one.
func (p project) elsewhere() Site {
	var found []Site
	var where []string
	for _, folder := range p.folders() {
		sub := open(p.fsys, path.Join(p.folder, folder))
		if s, ok := sub.detect(); ok {
			found = append(found, p.moved(s, folder, sub))
			where = append(where, fmt.Sprintf("%s (%s)", folder, s.Generator))
		}
	}
	switch {
	case len(found) == 1:
		return found[0]
	case len(found) > 1:
		return Site{Generator: found[0].Generator, Unknown: "there are several sites: " + strings.Join(where, ", ")}
	}
	if s, ok := p.hosted(); ok {
		return s
	}
	return p.plain()
}

func (p project) folders() []string {
	var all []string
	for _, pattern := range subfolders {
		names, err := fs.Glob(p, pattern)
		if err == nil {
			all = append(all, names...)
		}
	}
	all = slices.DeleteFunc(all, func(name string) bool {
		info, err := fs.Stat(p, name)
		return err != nil || !info.IsDir()
	})
	return all[:min(len(all), maxProjects)]
}

// moved returns a site of a folder below the project as one of the project.
func (p project) moved(s Site, folder string, sub project) Site {
	if s.Dir != "" && !path.IsAbs(s.Dir) {
		s.Dir = path.Join(folder, s.Dir)
	}
	if s.Source != "" {
		s.Source = folder + "/" + s.Source
	}
	if s.Unknown != "" {
		s.Unknown = folder + ": " + s.Unknown
	}
	if build, ok := strings.CutPrefix(s.Build, "npm run "); ok && sub.runner() == "npm" {
		s.Build = p.runner() + " run " + build
	}
	if s.Build != "" {
		s.Build = "cd " + folder + " && " + s.Build
	}
	if s.CNAME == "" {
		s.CNAME = p.cname()
	}
	return s
}

// hosted reads the folder that a hosting service is configured to serve.
func (p project) hosted() (Site, bool) {
	for _, h := range []struct{ file, key, command string }{
		{"netlify.toml", "build.publish", "build.command"}, {"vercel.json", "outputDirectory", "buildCommand"},
		{"firebase.json", "hosting.public", ""}, {"wrangler.toml", "assets.directory", "build.command"}, {"wrangler.toml", "pages_build_output_dir", "build.command"},
	} {
		dir, at, ok := p.look([]string{h.file}, h.key)
		if !ok || !dir.literal || dir.text == "" || path.Clean(dir.text) == "." {
			continue
		}
		s := Site{Generator: "plain", Dir: path.Clean(strings.TrimPrefix(dir.text, "/")), Source: at, CNAME: p.cname()}
		if build, _, ok := p.look([]string{h.file}, h.command); ok && build.literal {
			s.Build = build.text
		}
		return s, true
	}
	return Site{}, false
}

// plain looks for a folder of files that no generator makes. The project's own folder is one only where
// it holds nothing but the site.
func (p project) plain() Site {
	dirs := []string{"public", "dist", "_site", "build", "out", "output", "www", "html", "site", "docs"}
	more := p.first("package.json", ".git", "composer.json", "Gemfile", "pyproject.toml", "go.mod", "Cargo.toml", "node_modules", ".env")
	switch more {
	case "":
		dirs = append([]string{"."}, dirs...)
	case "package.json":
		dirs = dirs[1:] // public holds templates there
	}
	var found []string
	for _, dir := range dirs {
		if page := path.Join(dir, "index.html"); p.has(page) && !p.mentions(page, `%PUBLIC_URL%|<%=|src=["']?/?src/|\{\{|\{%`) {
			found = append(found, dir)
		}
	}
	switch {
	case len(found) == 1 || len(found) > 1 && found[0] == ".":
		return Site{Generator: "plain", Dir: found[0], CNAME: p.cname()}
	case len(found) > 1:
		return Site{Generator: "plain", Unknown: "there are several folders with an index.html: " + strings.Join(found, ", "), CNAME: p.cname()}
	case more != "" && p.has("index.html"):
		return Site{Generator: "plain", Unknown: "index.html is in a folder that holds more than the site: " + more, CNAME: p.cname()}
	case p.has("package.json"):
		return Site{Unknown: "package.json names no generator that is known here", CNAME: p.cname()}
	}
	return Site{Dir: "public"}
}
