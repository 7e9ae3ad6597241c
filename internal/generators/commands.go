package generators

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// command is one call of a program in a script.
type command struct {
	script string // its name in package.json, "" in a Makefile
	env    map[string]string
	name   string
	args   []string
}

// buildScripts are the names of scripts that usually make the site, the likeliest first.
var buildScripts = []string{"build", "generate", "export", "build:prod", "build:production", "build:site", "site:build", "docs:build", "build:docs", "build-docs", "docs", "dist"}

// commands lists the calls of a program in the scripts of package.json, the likeliest script first, and in the
// Makefile.
func (p project) commands(programs ...string) []command {
	names := slices.Sorted(maps.Keys(p.npm.Scripts))
	slices.SortStableFunc(names, func(a, b string) int { return likely(a) - likely(b) })
	var all []command
	for _, name := range names {
		for _, c := range p.expand(p.npm.Scripts[name], 0) {
			if slices.Contains(programs, c.name) {
				c.script = name
				all = append(all, c)
			}
		}
	}
	for line := range strings.Lines(p.read("Makefile")) {
		if recipe, ok := strings.CutPrefix(line, "\t"); ok {
			for _, c := range parseCommands(strings.TrimLeft(recipe, "@-+ ")) {
				if slices.Contains(programs, c.name) {
					all = append(all, c)
				}
			}
		}
	}
	return all
}

func likely(script string) int {
	if i := slices.Index(buildScripts, script); i >= 0 {
		return i
	}
	return len(buildScripts)
}

// maxNested bounds how deeply scripts that call scripts are followed.
const maxNested = 4

// expand lists the commands of a script, those of the scripts that it calls among them.
func (p project) expand(script string, depth int) []command {
	var all []command
	for _, c := range parseCommands(script) {
		if called := p.called(c); called != "" && depth < maxNested {
			all = append(all, p.expand(called, depth+1)...)
			continue
		}
		all = append(all, c.unwrapped())
	}
	return all
}

// unwrapped returns the command that a package manager runs: yarn vite build, pnpm exec vite build.
func (c command) unwrapped() command {
	switch c.name {
	case "npm", "pnpm", "yarn", "bun":
	default:
		return c
	}
	for i, arg := range c.args {
		switch {
		case arg == "exec" || arg == "dlx" || arg == "x" || arg == "run" || strings.HasPrefix(arg, "-"):
		default:
			return command{c.script, c.env, path.Base(arg), c.args[i+1:]}
		}
	}
	return c
}

// called returns the script of package.json that a command runs, "" for none.
func (p project) called(c command) string {
	switch c.name {
	case "npm", "pnpm", "yarn", "bun", "run-s":
	default:
		return ""
	}
	for _, arg := range c.args {
		if arg != "run" && arg != "run-script" && !strings.HasPrefix(arg, "-") {
			return p.npm.Scripts[arg]
		}
	}
	return ""
}

var (
	commandEnd = regexp.MustCompile(`&&|\|\||;|\||\n|&`)
	shellWord  = regexp.MustCompile(`(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+`)
	assignment = regexp.MustCompile(`^([A-Za-z_]\w*)=(.*)$`)
)

// parseCommands takes a shell's line apart as far as simple commands go. Variables are not replaced.
func parseCommands(line string) []command {
	var all []command
	for _, part := range commandEnd.Split(line, -1) {
		c := command{env: map[string]string{}}
		words := shellWord.FindAllString(part, -1)
		for i, word := range words {
			word = shellQuotes.ReplaceAllString(word, "$1$2")
			if m := assignment.FindStringSubmatch(word); m != nil {
				c.env[m[1]] = m[2]
				continue
			}
			if wrappers[path.Base(word)] || strings.HasPrefix(word, "-") {
				continue
			}
			c.name = strings.TrimSuffix(path.Base(word), ".js")
			for _, arg := range words[i+1:] {
				c.args = append(c.args, shellQuotes.ReplaceAllString(arg, "$1$2"))
			}
			break
		}
		if c.name != "" {
			all = append(all, c)
		}
	}
	return all
}

var (
	shellQuotes = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"|'([^']*)'`)
	wrappers    = map[string]bool{"npx": true, "bunx": true, "cross-env": true, "env": true, "env-cmd": true, "dotenv": true, "exec": true, "dlx": true,
		"bundle": true, "node": true, "time": true, "poetry": true, "uv": true, "pipenv": true, "python": true, "python3": true, "run": true, "make": false}
)

// flag returns the value of the first of the flags that a command has: --name value, --name=value, -n value.
func (c command) flag(names ...string) (string, bool) {
	for i, arg := range c.args {
		for _, name := range names {
			if value, ok := strings.CutPrefix(arg, name+"="); ok {
				return value, true
			}
			if arg == name && i+1 < len(c.args) {
				return c.args[i+1], true
			}
			if short := len(name) == 2 && !strings.HasPrefix(name, "--"); short && strings.HasPrefix(arg, name) && len(arg) > 2 && arg[2] != '-' {
				return arg[2:], true
			}
		}
	}
	return "", false
}

// operand returns the nth word that is neither a flag nor the value of one, counted from 0; "" without it. valued
// are the flags that take a value.
func (c command) operand(n int, valued ...string) string {
	skip := false
	for _, arg := range c.args {
		switch {
		case skip:
			skip = false
		case strings.HasPrefix(arg, "-"):
			skip = slices.Contains(valued, arg)
		case n == 0:
			return arg
		default:
			n--
		}
	}
	return ""
}

// variable reports whether a shell or make would replace something in a text.
func variable(text string) bool {
	return strings.ContainsAny(text, "$`*") || strings.Contains(text, "%")
}
