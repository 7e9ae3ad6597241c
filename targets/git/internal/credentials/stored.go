package credentials

import (
	"net/url"
	"path/filepath"
	"strings"

	"mirror/internal/regular"
)

const maxStored = 1 << 20 // bytes

// Stored tells of the passwords in the files that git and curl keep them in: netrc, and those of
// git-credential-store(1). What cannot be read is left out.
func Stored(getenv func(string) string, tell func(source, value string)) {
	for _, path := range netrcFiles(getenv) {
		text, err := regular.ReadFile(path, maxNetrc)
		if err != nil {
			continue
		}
		words := netrcWords(string(text))
		for i := 1; i < len(words); i++ {
			if words[i-1] == "password" {
				tell(path, words[i])
			}
		}
	}
	for _, path := range storeFiles(getenv) {
		text, err := regular.ReadFile(path, maxStored)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if u, err := url.Parse(strings.TrimSpace(line)); err == nil {
				password, _ := u.User.Password()
				tell(path, password)
			}
		}
	}
}

func storeFiles(getenv func(string) string) []string {
	home := getenv("HOME")
	if home == "" {
		return nil
	}
	config := getenv("XDG_CONFIG_HOME")
	if config == "" {
		config = filepath.Join(home, ".config")
	}
	return []string{filepath.Join(home, ".git-credentials"), filepath.Join(config, "git", "credentials")}
}
