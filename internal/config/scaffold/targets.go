package scaffold

import (
	"errors"
	"os"
	"os/exec"
	"strings"

	"mirror/targets"
)

// Targets lists the targets to write: those named, else the usual ones of all kinds. What the
// site's git remote suggests for a kind is filled in; "" for no remote.
func Targets(kinds targets.Kinds, named []string, remote string) []Target {
	if len(named) == 0 {
		for _, k := range kinds {
			if k.Sample.Usual {
				named = append(named, k.Name)
			}
		}
	}
	var all []Target
	for _, name := range named {
		t := Target{Type: name}
		if kind, _ := kinds.Find(name); kind.Sample.FromRemote != nil && remote != "" {
			t.Values, t.Origin = kind.Sample.FromRemote(remote)
		}
		all = append(all, t)
	}
	return all
}

// Remote returns the URL of a folder's git remote, "" where it has none, or git is not installed.
func Remote(dir string) string {
	out, err := exec.Command("git", "-C", dir, "remote", "get-url", "origin").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// Write writes a config. It gives fs.ErrExist where there is one, unless overwrite says otherwise.
func Write(file string, text []byte, overwrite bool) error {
	flag := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if overwrite {
		flag = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	w, err := os.OpenFile(file, flag, 0o644)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return errors.Join(err, w.Close())
}
