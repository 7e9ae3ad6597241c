package generators

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// generator is a program that makes sites: a row of the table.
type generator struct {
	name string
	// marks reports whether a project uses it.
	marks func(p project) bool
	// usual is where it writes to unless told otherwise; usualIn says so by the project.
	usual   string
	usualIn func(p project) string
	// files are its config files, and keys the paths of the setting with the folder, the first one that is there holds.
	files []string
	keys  []string
	// filesIn lists config files by the project, in place of files.
	filesIn func(p project) []string
	// base is the folder that the setting is relative to.
	base func(p project) string
	// programs are the commands that make the site with one of the verbs, any call where there are none; flags
	// set the folder there, relative to the project or, with flagsInBase, to base; configs name config files.
	programs    []string
	verbs       []string
	flags       []string
	flagsInBase bool
	configs     []string
	// command reads the folder from a command in another way than by a flag.
	command func(p project, c command) (dir string, found bool)
	// only says why a project has no folder of files, "" where it has.
	only func(p project) string
	// build is the command that makes the site where package.json has no script for it.
	build func(p project) string
	// urls are the paths of the setting with the site's address, and paths those of the path on its host.
	urls  []string
	paths []string
	// deploy is where the generator itself deploys to.
	deploy func(p project) Deploy
	// adjust has the last word on the folder.
	adjust func(p project, dir string) string
}

// site finds out where a generator writes to.
func (g generator) site(p project) Site {
	commands := g.commands(p)
	s := Site{Generator: g.name, Build: g.buildOf(p, commands)}
	s.URL, s.CNAME = g.address(p), p.cname()
	if g.deploy != nil {
		s.Deploy = g.deploy(p)
	}
	if g.only != nil {
		if s.Unknown = g.only(p); s.Unknown != "" {
			return s
		}
	}
	dir, source, unknown := g.folder(p, commands)
	if s.Unknown, s.Source = unknown, source; unknown != "" {
		return s
	}
	s.Dir = path.Clean(strings.ReplaceAll(dir, `\`, "/"))
	if g.adjust != nil {
		s.Dir = g.adjust(p, s.Dir)
	}
	if s.Dir == "." || s.Dir == "" || strings.HasSuffix(s.Dir, "/..") || s.Dir == ".." {
		s.Unknown = fmt.Sprintf("%s writes into %s, which holds more than the site", g.name, source)
		s.Dir = ""
	}
	return s
}

// commands lists the calls that make the site.
func (g generator) commands(p project) []command {
	return slices.DeleteFunc(p.commands(g.programs...), func(c command) bool {
		if len(g.verbs) == 0 {
			return slices.ContainsFunc(c.args, func(arg string) bool {
				return arg == "server" || arg == "serve" || arg == "--serve" || arg == "--watch"
			})
		}
		return !slices.ContainsFunc(c.args, func(arg string) bool { return slices.Contains(g.verbs, arg) })
	})
}

// configFiles lists the config files, the one that holds first.
func (g generator) configFiles(p project, commands []command) []string {
	for _, c := range commands {
		if names, ok := c.flag(g.configs...); ok && !variable(names) {
			files := strings.Split(names, ",")
			slices.Reverse(files) // the later one overrides
			for i := range files {
				files[i] = path.Clean(files[i])
			}
			return files
		}
	}
	if g.filesIn != nil {
		return g.filesIn(p)
	}
	return g.files
}

// folder returns where a generator writes to and where that is set, or why it cannot be told.
func (g generator) folder(p project, commands []command) (dir, source, unknown string) {
	if dir, source, unknown, found := g.byCommand(p, commands); found {
		return dir, source, unknown
	}
	value, at, found := p.look(g.configFiles(p, commands), g.keys...)
	switch {
	case !found || value.literal && value.text == "":
		usual := g.usual
		if g.usualIn != nil {
			usual = g.usualIn(p)
		}
		if usual == "" {
			return "", "", fmt.Sprintf("the config of %s sets a folder with an expression, which is not evaluated", g.name)
		}
		return usual, "", ""
	case !value.literal || strings.Contains(value.text, "{{"):
		return "", at, fmt.Sprintf("%s sets the output folder with an expression, which is not evaluated: %s", at, shown(value.text))
	}
	if g.base != nil && !path.IsAbs(value.text) {
		base := g.base(p)
		if base == "" {
			return "", at, fmt.Sprintf("%s sets the output folder to %s, relative to a folder that an expression sets", at, value.text)
		}
		return path.Join(base, value.text), at, ""
	}
	return value.text, at, ""
}

// byCommand reads the folder from the command that makes the site.
func (g generator) byCommand(p project, commands []command) (dir, source, unknown string, found bool) {
	for _, c := range commands {
		source = "Makefile"
		if c.script != "" {
			source = fmt.Sprintf("the script %q of package.json", c.script)
		}
		dir, found = c.flag(g.flags...)
		if !found && g.command != nil {
			dir, found = g.command(p, c)
		}
		switch {
		case found && variable(dir):
			return "", source, fmt.Sprintf("%s sets the output folder with an expression, which is not evaluated: %s", source, shown(dir)), true
		case found && g.flagsInBase && !path.IsAbs(dir):
			return path.Join(g.base(p), dir), source, "", true
		case found:
			return dir, source, "", true
		}
	}
	return "", "", "", false
}

// buildOf returns the command that makes the site.
func (g generator) buildOf(p project, commands []command) string {
	for _, c := range commands {
		if c.script != "" {
			return p.runner() + " run " + c.script
		}
	}
	if g.build != nil {
		return g.build(p)
	}
	return p.runner() + " run build"
}

// address returns the URL of the live site as the config of the generator names it, "" where it names none or
// the one of a template.
func (g generator) address(p project) string {
	files := g.configFiles(p, g.commands(p))
	if text := p.npm.Homepage; len(g.urls) == 0 && text != "" && !strings.Contains(text, "github.com/") {
		return liveURL(text, "")
	}
	base, _, found := p.look(files, g.urls...)
	if !found || !base.literal {
		return ""
	}
	below, _, found := p.look(files, g.paths...)
	if !found || !below.literal {
		below.text = ""
	}
	return liveURL(base.text, below.text)
}
