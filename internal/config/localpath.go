package config

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
)

// localPath returns the path that a text of the config stands for: what begins with ~/ lies in the
// user's home folder, and what is relative in dir. why says what is wrong with the text.
func localPath(text, dir string, getenv func(string) string) (path, why string) {
	first, rest := text, ""
	if i := strings.IndexFunc(text, func(c rune) bool { return c < 0x80 && os.IsPathSeparator(uint8(c)) }); i >= 0 {
		first, rest = text[:i], text[i+1:]
	}
	switch {
	case first == "~":
		home := cmp.Or(getenv("HOME"), getenv("USERPROFILE")) // the latter on Windows
		if !filepath.IsAbs(home) {
			return text, "cannot be found: HOME is not set (hint: write the whole path)"
		}
		return filepath.Join(home, rest), ""
	case strings.HasPrefix(first, "~") && rest != "":
		return text, "begins with the home folder of another user, which is not expanded (hint: write the whole path, or ./~… for a folder of that name)"
	case filepath.IsAbs(text):
		return text, ""
	}
	return filepath.Join(dir, text), ""
}
