package gitconfig

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/config"

	"mirror/internal/regular"
)

// Bounds of the files.
const (
	maxFile    = 1 << 20 // bytes
	maxInclude = 10      // as in git
)

// readFiles reads what git would read, for machines without it: conditional includes, and the
// settings of linked work trees, are left out.
func readFiles(getenv func(string) string) (*Config, error) {
	if getenv == nil {
		getenv = os.Getenv
	}
	c := &Config{}
	for _, path := range files(getenv) {
		if err := c.readFile(path, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("git's settings in %s: %w", path, err)
		}
	}
	c.environmentSettings(getenv)
	return c, nil
}

// files lists the system's, the user's and the repository's.
func files(getenv func(string) string) []string {
	var paths []string
	if getenv("GIT_CONFIG_NOSYSTEM") == "" {
		paths = append(paths, or(getenv("GIT_CONFIG_SYSTEM"), "/etc/gitconfig"))
	}
	home := cmp.Or(getenv("HOME"), getenv("USERPROFILE")) // the latter on Windows
	switch global := getenv("GIT_CONFIG_GLOBAL"); {
	case global != "":
		paths = append(paths, global)
	case home != "":
		xdg := or(getenv("XDG_CONFIG_HOME"), filepath.Join(home, ".config"))
		paths = append(paths, filepath.Join(xdg, "git", "config"), filepath.Join(home, ".gitconfig"))
	}
	if git := repository(); git != "" {
		paths = append(paths, filepath.Join(git, "config"))
	}
	return paths
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// repository is the .git folder of the current folder or the nearest one above, "" for none.
func repository() string {
	dir, err := os.Getwd()
	for err == nil {
		if _, head := os.Stat(filepath.Join(dir, ".git", "HEAD")); head == nil {
			return filepath.Join(dir, ".git")
		}
		if filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	return ""
}

func (c *Config) readFile(path string, depth int) error {
	if depth > maxInclude {
		return errors.New("too many files include each other")
	}
	text, err := regular.ReadFile(path, maxFile)
	if err != nil {
		return err
	}
	parsed := config.New()
	if err := config.NewDecoder(bytes.NewReader(text)).Decode(parsed); err != nil {
		return err
	}
	for _, section := range parsed.Sections {
		if err := c.addOptions(section.Name, section.Options, path, depth); err != nil {
			return err
		}
		for _, sub := range section.Subsections {
			if err := c.addOptions(section.Name+"."+sub.Name, sub.Options, path, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Config) addOptions(section string, options config.Options, path string, depth int) error {
	for _, o := range options {
		c.add(section+"."+o.Key, o.Value)
		if strings.EqualFold(section, "include") && strings.EqualFold(o.Key, "path") {
			included := o.Value
			if rest, home := strings.CutPrefix(included, "~/"); home {
				dir, _ := os.UserHomeDir()
				included = filepath.Join(dir, rest)
			} else if !filepath.IsAbs(included) {
				included = filepath.Join(filepath.Dir(path), included)
			}
			if err := c.readFile(included, depth+1); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%s: %w", included, err)
			}
		}
	}
	return nil
}
