package config

import (
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// notInSite is what is wrong with a glob that paths of the site, such as blog/index.html, do not match.
const notInSite = "is no glob of paths in the site (hint: / between names, none at either end, no . or ..: uploads/**)"

// maxAlternatives bounds how far the braces of a glob are written out.
const maxAlternatives = 1000

// wrongGlob refuses a glob that no path of the site can match.
func wrongGlob(text string) string {
	switch {
	case !doublestar.ValidatePattern(text):
		return "is no glob"
	case !slices.ContainsFunc(alternatives(text), inSite):
		return notInSite
	}
	return ""
}

// needlessEscape is a letter or digit behind a backslash: most likely a separator of Windows.
var needlessEscape = regexp.MustCompile(`^(?:[^\\]|\\[^0-9A-Za-z])*\\[0-9A-Za-z]`)

// wrongKeep refuses more than wrongGlob, since what such a glob does not match is deleted: each
// alternative in braces must be one that a path can match.
func wrongKeep(text string) string {
	if why := wrongGlob(text); why != "" {
		return why
	}
	if needlessEscape.MatchString(text) || slices.ContainsFunc(alternatives(text), func(one string) bool { return !inSite(one) }) {
		return notInSite
	}
	return ""
}

// inSite reports whether a glob without braces has the form of a path that is relative to the site.
func inSite(glob string) bool {
	for name := range strings.SplitSeq(glob, "/") {
		if name == "" || name == "." || name == ".." {
			return false
		}
	}
	return true
}

// alternatives writes out the braces of a valid glob. Where there are too many, some stay.
func alternatives(glob string) []string {
	all := []string{glob}
	for i := 0; i < len(all) && len(all) < maxAlternatives; {
		if parts := unbraced(all[i]); len(parts) > 0 {
			all = slices.Replace(all, i, i+1, parts...)
		} else {
			i++
		}
	}
	return all
}

// unbraced writes out the first braces of a valid glob; it returns nothing where there are none.
func unbraced(glob string) []string {
	var cuts []int // positions of the opening brace, the commas and the closing brace
	depth, class := 0, false
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; {
		case c == '\\':
			i++
		case c == '[' || c == ']':
			class = c == '['
		case class:
		case c == '{':
			if depth++; depth == 1 {
				cuts = append(cuts, i)
			}
		case c == ',' && depth == 1:
			cuts = append(cuts, i)
		case c == '}':
			if depth--; depth == 0 {
				return between(glob, append(cuts, i))
			}
		}
	}
	return nil
}

// between returns the glob once for each part between two cuts, with that in place of the braces.
func between(glob string, cuts []int) []string {
	var all []string
	last := len(cuts) - 1
	for i := range last {
		all = append(all, glob[:cuts[0]]+glob[cuts[i]+1:cuts[i+1]]+glob[cuts[last]+1:])
	}
	return all
}

// Alterable reports whether origins may serve other bytes of a page than the release has: check.ignore or check.normalize
// names it.
func (c *Config) Alterable(path string) bool {
	matches := func(glob string) bool { return doublestar.MatchUnvalidated(glob, path) }
	return slices.ContainsFunc(c.Check.Ignore, matches) || slices.ContainsFunc(c.Check.Normalize, func(n Normalize) bool { return matches(n.Match) })
}
