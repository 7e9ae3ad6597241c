// Package fsname knows which names a file system cannot hold, or cannot tell apart, so that a site that was
// made on one system can be refused with a reason on another.
package fsname

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// OnWindows says why Windows cannot hold a slash-separated path, "" where it can:
// https://learn.microsoft.com/windows/win32/fileio/naming-a-file
func OnWindows(name string) string {
	for _, part := range strings.Split(name, "/") {
		switch {
		case strings.ContainsFunc(part, forbidden):
			return "Windows allows none of < > : \" | ? * \\ and no control characters in a name"
		case strings.HasSuffix(part, ".") || strings.HasSuffix(part, " "):
			return "Windows drops a dot or a space at the end of a name"
		case isDevice(part):
			return "Windows reserves this name for a device"
		}
	}
	return ""
}

func forbidden(c rune) bool { return c < ' ' || strings.ContainsRune(`<>:"|?*\`, c) }

// isDevice reports whether a name stands for a device, whatever its extension is.
func isDevice(part string) bool {
	stem, _, _ := strings.Cut(part, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	for _, port := range []string{"COM", "LPT"} {
		if n, ok := strings.CutPrefix(stem, port); ok && n != "" && strings.Contains("0123456789¹²³", n) && len([]rune(n)) == 1 {
			return true
		}
	}
	return false
}

// Clash returns the first two of some paths, or of the folders that they are in, that differ and are one
// name where neither case nor the form of accented letters (NFC or NFD) tells names apart.
func Clash(paths []string) (one, other string, found bool) {
	seen := map[string]string{} // by what it is folded to
	for _, p := range paths {
		for ; p != "." && p != "/"; p = path.Dir(p) {
			key := fold(p)
			earlier, ok := seen[key]
			if ok && earlier != p {
				return earlier, p, true
			}
			if ok {
				break // and so are the folders around it
			}
			seen[key] = p
		}
	}
	return "", "", false
}

// fold returns what is the same for all forms of a name.
func fold(name string) string {
	for i := range len(name) {
		if name[i] >= 0x80 {
			return norm.NFC.String(cases.Fold().String(norm.NFD.String(name)))
		}
	}
	return strings.ToLower(name)
}

// Folds reports whether the file system of a folder takes two names for one that differ in case only. It
// looks at the folder by its name in other letters, or at the nearest folder above it that exists, and
// writes nothing.
func Folds(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if other := swapped(dir); err == nil && other != dir {
			there, err := os.Stat(other)
			return err == nil && os.SameFile(info, there)
		}
		if dir == filepath.Dir(dir) {
			return false
		}
		dir = filepath.Dir(dir)
	}
}

// swapped is a path with the case of the letters of its last name changed.
func swapped(dir string) string {
	swap := func(c rune) rune {
		if c >= 0x80 {
			return c
		}
		if unicode.IsUpper(c) {
			return unicode.ToLower(c)
		}
		return unicode.ToUpper(c)
	}
	return filepath.Join(filepath.Dir(dir), strings.Map(swap, filepath.Base(dir)))
}
