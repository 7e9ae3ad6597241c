package credentials

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"

	"mirror/internal/regular"
)

const maxNetrc = 1 << 20 // bytes

// fromNetrc looks an address up in the file that NETRC names, or else in ~/.netrc (~/_netrc on
// Windows). Where the address has a user name, only that user's password counts.
func fromNetrc(address *url.URL, getenv func(string) string) (Login, bool, error) {
	for _, path := range netrcFiles(getenv) {
		text, err := regular.ReadFile(path, maxNetrc)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Login{}, false, fmt.Errorf("netrc: %w", err)
		}
		if l, found := parseNetrc(string(text), address.Hostname(), userOf(address)); found {
			return l, true, nil
		}
	}
	return Login{}, false, nil
}

func userOf(address *url.URL) string {
	if address.User == nil {
		return ""
	}
	return address.User.Username()
}

func netrcFiles(getenv func(string) string) []string {
	if path := getenv("NETRC"); path != "" {
		return []string{path}
	}
	home := cmp.Or(getenv("HOME"), getenv("USERPROFILE")) // the latter on Windows
	if runtime.GOOS == "windows" {
		profile := getenv("USERPROFILE")
		return []string{filepath.Join(profile, "_netrc"), filepath.Join(profile, ".netrc")}
	}
	if home == "" {
		return nil
	}
	return []string{filepath.Join(home, ".netrc")}
}

// parseNetrc finds the first entry of the host, or the default one, that has the user, "" for any.
// See the GNU netrc(5): words in any number of lines, quotes as curl reads them, and macros, which
// end at an empty line.
func parseNetrc(text, host, user string) (Login, bool) {
	words := netrcWords(text)
	for i := 0; i < len(words); i++ {
		matches := words[i] == "default"
		if words[i] == "machine" && i+1 < len(words) {
			i++
			matches = strings.EqualFold(words[i], host)
		}
		if !matches {
			continue
		}
		l := Login{}
		for ; i+2 < len(words) && (words[i+1] == "login" || words[i+1] == "password" || words[i+1] == "account"); i += 2 {
			switch words[i+1] {
			case "login":
				l.User = words[i+2]
			case "password":
				l.Password = words[i+2]
			}
		}
		if l.Password != "" && (user == "" || l.User == user || l.User == "") {
			if l.User == "" {
				l.User = user
			}
			return l, true
		}
	}
	return Login{}, false
}

func netrcWords(text string) []string {
	var words []string
	macro := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if macro {
			macro = line != ""
			continue
		}
		for line != "" && line[0] != '#' {
			var word string
			word, line = netrcWord(line)
			if macro = word == "macdef"; macro {
				break
			}
			words = append(words, word)
			line = strings.TrimSpace(line)
		}
	}
	return words
}

// netrcWord takes the first word off a line.
func netrcWord(line string) (word, rest string) {
	if line[0] != '"' {
		if end := strings.IndexAny(line, " \t"); end >= 0 {
			return line[:end], line[end:]
		}
		return line, ""
	}
	var out strings.Builder
	for i := 1; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			return out.String(), line[i+1:]
		case c == '\\' && i+1 < len(line):
			i++
			out.WriteByte(line[i])
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), ""
}
