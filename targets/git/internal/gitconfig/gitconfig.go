// Package gitconfig reads the settings that git itself would go by in the current folder: the
// system's, the user's, the repository's and the environment's, in this order, a later one before
// an earlier one. Where git is installed it is asked; elsewhere the files are read here.
package gitconfig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"mirror/internal/command"
)

// Config is a list of settings, the most important last. The zero value is empty.
type Config struct{ settings []setting }

// setting is one line: of the section and the name in lower case, with the subsection between them.
type setting struct{ section, subsection, name, value string }

// Bounds of asking git.
const (
	timeout = 20 * time.Second
	maxList = 16 << 20 // bytes
)

// Load reads the settings. Variables of the environment are looked up with getenv where git is not
// installed, and are those of this process where it is.
func Load(ctx context.Context, getenv func(string) string) (*Config, error) {
	git, err := exec.LookPath("git")
	if err != nil {
		return readFiles(getenv)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	// A folder that looks like a repository may have come with the site's sources: its settings
	// name programs.
	cmd := command.New(ctx, git, "-c", "safe.bareRepository=explicit", "config", "--list", "-z")
	cmd.Env = environment(getenv)
	var out, said limited
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := command.Run(ctx, cmd); err != nil {
		return nil, fmt.Errorf("git config --list: %w: %s", err, strings.TrimSpace(said.String()))
	}
	return parseList(out.Bytes()), nil
}

// environment is this process's, with the variables of git as getenv has them.
func environment(getenv func(string) string) []string {
	env := os.Environ()
	if getenv == nil {
		return env
	}
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"} {
		if value := getenv(name); value != os.Getenv(name) {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// limited keeps the beginning of what is written.
type limited struct{ bytes.Buffer }

// Write keeps what fits.
func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxList {
		return 0, errors.New("git prints more settings than anyone has")
	}
	return l.Buffer.Write(p)
}

// ReadFrom would be called in place of Write.
func (l *limited) ReadFrom(r io.Reader) (int64, error) { return io.Copy(struct{ io.Writer }{l}, r) }

// parseList reads what `git config --list -z` prints: name, newline, value, NUL; of a name without
// a value the newline is missing, which stands for true.
func parseList(text []byte) *Config {
	c := &Config{}
	for record := range strings.SplitSeq(string(text), "\x00") {
		key, value, given := strings.Cut(record, "\n")
		if !given {
			value = "true"
		}
		c.add(key, value)
	}
	return c
}

func (c *Config) add(key, value string) {
	first, last := strings.IndexByte(key, '.'), strings.LastIndexByte(key, '.')
	if first <= 0 {
		return
	}
	s := setting{section: strings.ToLower(key[:first]), name: strings.ToLower(key[last+1:]), value: value}
	if last > first {
		s.subsection = key[first+1 : last]
	}
	c.settings = append(c.settings, s)
}

// Get returns the value of a setting without a subsection, such as core.sshCommand, "" for none.
func (c *Config) Get(key string) string {
	section, name, _ := strings.Cut(strings.ToLower(key), ".")
	for i := len(c.settings) - 1; i >= 0; i-- {
		if s := c.settings[i]; s.section == section && s.name == name && s.subsection == "" {
			return s.value
		}
	}
	return ""
}

// Rewrite returns the address that git would use in place of an address, by url.<base>.insteadOf
// and, for a push, url.<base>.pushInsteadOf. The longest prefix counts.
func (c *Config) Rewrite(address string, push bool) string {
	if push {
		if out, found := c.rewrite(address, "pushinsteadof"); found {
			return out
		}
	}
	out, _ := c.rewrite(address, "insteadof")
	return out
}

func (c *Config) rewrite(address, name string) (out string, found bool) {
	best := setting{}
	for _, s := range c.settings {
		if s.section == "url" && s.name == name && strings.HasPrefix(address, s.value) && (!found || len(s.value) > len(best.value)) {
			best, found = s, true
		}
	}
	if !found {
		return address, false
	}
	return best.subsection + address[len(best.value):], true
}

// environmentSettings are those of GIT_CONFIG_COUNT, GIT_CONFIG_KEY_0, GIT_CONFIG_VALUE_0 and so on.
func (c *Config) environmentSettings(getenv func(string) string) {
	count, _ := strconv.Atoi(getenv("GIT_CONFIG_COUNT"))
	for i := range min(count, maxEnvironment) {
		c.add(getenv("GIT_CONFIG_KEY_"+strconv.Itoa(i)), getenv("GIT_CONFIG_VALUE_"+strconv.Itoa(i)))
	}
}

const maxEnvironment = 1000
