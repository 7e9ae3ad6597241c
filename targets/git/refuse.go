package git

import (
	"bytes"
	"fmt"
	"strings"

	"mirror/site"
	"mirror/targets"
)

// refuse finds the first file that git, or the host, would not take. The rules are those
// of git's fsck and of its checkout, which protects file systems that fold names.
func (t *Target) refuse(rel *site.Release) error {
	for _, f := range rel.Manifest {
		if err := t.refuseFile(rel, f); err != nil {
			return err
		}
	}
	if reason := badPath(rel.BeaconPath); reason != "" {
		return &targets.RefusedError{Path: rel.BeaconPath, Reason: reason, Hint: "choose another path for the beacon"}
	}
	return nil
}

// githubLimit is the size above which GitHub refuses a file, in bytes.
const githubLimit = 100 << 20

func (t *Target) onGitHub() bool {
	return t.host == "github.com" || strings.HasSuffix(t.host, ".github.com")
}

func (t *Target) refuseFile(rel *site.Release, f site.File) error {
	if reason := badPath(f.Path); reason != "" {
		return &targets.RefusedError{Path: f.Path, Reason: reason, Hint: "rename it, or list it under site.exclude"}
	}
	if f.Size > githubLimit && t.onGitHub() {
		return &targets.RefusedError{
			Path: f.Path, Reason: fmt.Sprintf("its %d MiB are more than the 100 MiB that GitHub takes", f.Size>>20),
			Hint: "serve it from elsewhere, or list it under site.exclude",
		}
	}
	_, base := split(f.Path)
	if f.Size == 0 || base != ".gitmodules" && base != ".gitattributes" {
		return nil
	}
	return refuseContent(rel, f, base)
}

// maxSpecial bounds the files that git itself reads, in bytes.
const maxSpecial = 1 << 20

func refuseContent(rel *site.Release, f site.File, base string) error {
	reason := "it is larger than any that git reads"
	if f.Size <= maxSpecial {
		text, err := rel.ReadFile(f)
		if err != nil {
			return err
		}
		if base == ".gitmodules" {
			reason = badModules(text)
		} else {
			reason = badAttributes(text)
		}
	}
	if reason == "" {
		return nil
	}
	return &targets.RefusedError{Path: f.Path, Reason: reason, Hint: "list it under site.exclude"}
}

// badPath says why git refuses a path, "" if it does not.
func badPath(path string) string {
	if strings.ContainsRune(path, 0) || strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/") {
		return "git cannot hold such a path"
	}
	for name := range strings.SplitSeq(path, "/") {
		if reason := badName(name); reason != "" && path != "" {
			return reason
		}
	}
	return ""
}

func badName(name string) string {
	switch {
	case name == "" || name == "." || name == "..":
		return fmt.Sprintf("git cannot hold an entry called %q", name)
	case aliases(name, "git", "git~1"):
		return "git refuses a name that some systems take for .git"
	case name != ".gitmodules" && aliases(name, "gitmodules", "gitmod~", "gi7eba~"):
		return "git refuses a name that some systems take for .gitmodules"
	}
	return ""
}

// aliases reports whether a file system could take name for the dot file that is called
// rest after its dot: HFS+ folds case and ignores some characters; NTFS folds case, drops
// dots and spaces at the end, cuts at a colon, and has short names.
func aliases(name, rest string, shorts ...string) bool {
	if !mayAlias(name) {
		return false
	}
	if strings.EqualFold(strings.Map(visibleOnHFS, name), "."+rest) {
		return true
	}
	for part := range strings.SplitSeq(name, `\`) { // a separator there
		part, _, _ = strings.Cut(part, ":")
		part = strings.ToLower(strings.TrimRight(part, " ."))
		if part == "."+rest {
			return true
		}
		for _, short := range shorts {
			if part == short || strings.HasSuffix(short, "~") && isShort(part, short) {
				return true
			}
		}
	}
	return false
}

// mayAlias rules out quickly what nearly all names are: every alias has a "g" and then an "i", on HFS+ perhaps with
// characters between them that it ignores.
func mayAlias(name string) bool {
	g := strings.IndexAny(name, "gG")
	return g >= 0 && strings.ContainsAny(name[g+1:], "iIİ")
}

// isShort reports whether name is prefix and a number, as NTFS makes short names.
func isShort(name, prefix string) bool {
	digits, ok := strings.CutPrefix(name, prefix)
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// visibleOnHFS drops the characters that HFS+ ignores in names.
func visibleOnHFS(r rune) rune {
	switch {
	case r >= 0x200c && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x206a && r <= 0x206f, r == 0xfeff:
		return -1
	}
	return r
}

// badModules is stricter than fsck: a site needs no submodules, and what could run a
// program in a clone is refused as soon as it looks like it.
func badModules(text []byte) string {
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), "=")
		key, value = strings.ToLower(strings.TrimSpace(key)), strings.Trim(strings.TrimSpace(value), `"`)
		switch {
		case strings.Contains(string(line), ".."), strings.ContainsAny(string(line), "\\"):
			return "git's fsck may refuse what it says of submodules"
		case (key == "url" || key == "path") && strings.HasPrefix(value, "-"):
			return "git refuses a submodule's " + key + " that begins with a dash"
		case key == "update" && strings.HasPrefix(value, "!"):
			return "git refuses a submodule that runs a command"
		}
	}
	return ""
}

// maxAttributes is the longest line of .gitattributes that git reads, in bytes.
const maxAttributes = 2048

func badAttributes(text []byte) string {
	for line := range bytes.Lines(text) {
		if len(line) >= maxAttributes {
			return "git refuses its lines of more than 2048 bytes"
		}
	}
	return ""
}
