package scaffold

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"mirror/internal/config"
	"mirror/internal/generators"
	"mirror/targets"
)

// Targets lists the targets to write: those named, else the usual ones of all kinds. What the site's git
// remote, the generator's own deployment and the site's domain suggest is filled in; "" for no remote.
func Targets(kinds targets.Kinds, named []string, remote string, site generators.Site) []Target {
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
			fill(t.Values, "branch", site.Deploy.Branch)
			fill(t.Values, "cname", site.CNAME)
		}
		all = append(all, t)
	}
	if live := liveURL(site); live != "" && len(all) > 0 {
		first := max(0, slices.IndexFunc(all, func(t Target) bool { return t.Values["url"] != "" }))
		all[first].Origin = live
	}
	return all
}

func fill(values map[string]string, key, value string) {
	if value != "" {
		values[key] = value
	}
}

// liveURL is where visitors read the site, by its domain or its generator's config.
func liveURL(site generators.Site) string {
	if site.URL == "" && site.CNAME != "" {
		return "https://" + site.CNAME + "/"
	}
	return site.URL
}

// Remote returns the URL of a folder's git remote, of origin where there are several; "" where it has none, or
// git is not installed.
func Remote(dir string) string {
	names, err := exec.Command("git", "-C", dir, "remote").Output()
	all := strings.Fields(string(names))
	if err != nil || len(all) == 0 {
		return ""
	}
	name := all[0]
	if slices.Contains(all, "origin") {
		name = "origin"
	}
	out, err := exec.Command("git", "-C", dir, "remote", "get-url", name).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// Vacant returns an error where a config is there already, under the name of file or one that is similar.
func Vacant(file string) error {
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("%s is there already (hint: --force overwrites it)", file)
	}
	if similar := config.Similar(filepath.Dir(file)); similar != "" && filepath.Dir(similar) == filepath.Dir(file) {
		return fmt.Errorf("there is %s (hint: rename it to %s; --force writes a new one)", similar, config.FileName)
	}
	return nil
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
