package generators

import "strings"

// setting is one key that a file of a project sets.
type setting struct {
	path    string // of keys, with dots between: build.outDir
	text    string // the value, or the source of the expression that is one
	literal bool
	line    int
}

// settings are those of one file.
type settings []setting

// find returns the value of a key path. Where the file sets it to different values, which one holds is
// not a literal.
func (all settings) find(path string) (setting, bool) {
	var found setting
	ok := false
	for _, s := range all {
		switch {
		case !s.is(path):
		case !ok:
			found, ok = s, true
		case s.text != found.text || s.literal != found.literal:
			found.literal = false
			found.text += " or " + s.text
		}
	}
	return found, ok
}

// is reports whether a setting is of a key path. The object may be held by a variable, or by
// module.exports, whose name stands before the path.
func (s setting) is(path string) bool {
	if s.path == path {
		return true
	}
	held, ok := strings.CutPrefix(s.path, "=")
	if !ok {
		return false
	}
	held = strings.TrimPrefix(held, "module.")
	_, below, _ := strings.Cut(held, ".")
	return held == path || below == path
}

// maxShown bounds how much of an expression is shown.
const maxShown = 60

func shown(source string) string {
	source = strings.Join(strings.Fields(source), " ")
	if runes := []rune(source); len(runes) > maxShown {
		return string(runes[:maxShown]) + "…"
	}
	return source
}
