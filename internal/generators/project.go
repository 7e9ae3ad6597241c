package generators

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"mirror/internal/regular"
)

// maxRead bounds what is read of a file in search of a setting, in bytes.
const maxRead = 1 << 20

// project is a folder with the sources of a site, as a file system which has only what is a file or a folder: to open a
// named pipe would wait for its other end.
type project struct {
	fsys   fs.FS
	folder string // in fsys; "." for all of it
	npm    npmPackage
}

// Open opens a file or a folder of the project.
func (p project) Open(name string) (fs.File, error) {
	if _, err := p.Stat(name); err != nil {
		return nil, err
	}
	return p.fsys.Open(path.Join(p.folder, name))
}

// Stat follows links. It opens nothing, where fsys can do without.
func (p project) Stat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrInvalid}
	}
	info, err := fs.Stat(p.fsys, path.Join(p.folder, name))
	if err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "stat", Path: name, Err: regular.ErrNotRegular}
	}
	return info, err
}

// npmPackage is what is read of a package.json.
type npmPackage struct {
	Homepage        string            `json:"homepage"`
	Scripts         map[string]string `json:"scripts"`
	Dependencies    map[string]any    `json:"dependencies"`
	DevDependencies map[string]any    `json:"devDependencies"`
	Workspaces      any               `json:"workspaces"`
	Hexo            any               `json:"hexo"`
}

func open(fsys fs.FS, folder string) project {
	p := project{fsys: fsys, folder: folder}
	text := strings.TrimPrefix(p.read("package.json"), "\ufeff")
	if json.Unmarshal([]byte(text), &p.npm) != nil { // a package.json that is broken tells nothing
		p.npm = npmPackage{}
	}
	return p
}

// uses reports whether one of these packages is among the dependencies.
func (p project) uses(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return p.npm.Dependencies[name] != nil || p.npm.DevDependencies[name] != nil
	})
}

// versionOf returns the range of versions of a dependency, "" without it.
func (p project) versionOf(name string) string {
	for _, all := range []map[string]any{p.npm.Dependencies, p.npm.DevDependencies} {
		if text, ok := all[name].(string); ok {
			return text
		}
	}
	return ""
}

// has reports whether one of the names is there.
func (p project) has(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		_, err := fs.Stat(p, name)
		return err == nil
	})
}

// first returns the first of the names that is there, "" for none.
func (p project) first(names ...string) string {
	i := slices.IndexFunc(names, func(name string) bool { return p.has(name) })
	if i < 0 {
		return ""
	}
	return names[i]
}

// read returns the beginning of a file, "" where it cannot be read: it is only asked for hints.
func (p project) read(name string) string {
	file, err := p.Open(name)
	if err != nil {
		return ""
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxRead))
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(string(text), "\ufeff")
}

func (p project) mentions(name, pattern string) bool {
	return regexp.MustCompile(pattern).MatchString(p.read(name))
}

// settings lists what a config file sets, in whichever of its languages its name says.
func (p project) settings(name string) settings {
	source := p.read(name)
	switch path.Ext(name) {
	case ".yml", ".yaml":
		return yamlSettings(source)
	case ".toml":
		return tomlSettings(source)
	case ".py":
		return pythonSettings(source)
	case ".json", ".js", ".ts", ".mjs", ".cjs", ".mts", ".cts":
		return scriptSettings(source)
	}
	return makeSettings(source)
}

// look returns what the first of the files that sets one of the key paths sets it to. A path that begins
// with (?i) is compared without case.
func (p project) look(files []string, paths ...string) (setting, string, bool) {
	for _, file := range files {
		if !p.has(file) {
			continue
		}
		all := p.settings(file)
		for _, key := range paths {
			folded, anyCase := strings.CutPrefix(key, "(?i)")
			if anyCase {
				key = strings.ToLower(folded)
				all = slices.Clone(all)
				for i := range all {
					all[i].path = strings.ToLower(all[i].path)
				}
			}
			if s, ok := all.find(key); ok {
				return s, fmt.Sprintf("%s:%d", file, s.line), true
			}
		}
	}
	return setting{}, "", false
}

// flavours are the names of a config in every language that JavaScript tools read.
func flavours(base string) []string {
	var names []string
	for _, ext := range []string{".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"} {
		names = append(names, base+ext)
	}
	return names
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
