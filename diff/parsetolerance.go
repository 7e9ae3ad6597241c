package diff

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// ParseShare reads "3" or "5%".
func ParseShare(text string) (Share, error) {
	if part, ok := strings.CutSuffix(text, "%"); ok {
		f, err := strconv.ParseFloat(part, 64)
		if err != nil || !(f >= 0 && f <= 100) {
			return Share{}, errors.New("want a share from 0% to 100%")
		}
		return Share{Part: f / 100}, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return Share{}, errors.New("want a count of pages, or a share such as 5%")
	}
	return Share{Count: n}, nil
}

// ParseLeniency reads "stale" or "altered:feed/**". The rule's Text is prefix and text.
func ParseLeniency(prefix, text string) (Leniency, error) {
	kind, glob, scoped := strings.Cut(text, ":")
	rule := Leniency{Kind: Kind(kind), Text: prefix + text}
	if !slices.Contains(Kinds(), rule.Kind) {
		return rule, fmt.Errorf("unknown kind %q (the kinds are %s)", kind, strings.Join(KindNames(), ", "))
	}
	if !scoped {
		return rule, nil
	}
	if !doublestar.ValidatePattern(glob) || glob == "" {
		return rule, fmt.Errorf("%q is no glob", glob)
	}
	rule.Match = func(path string) bool { return doublestar.MatchUnvalidated(glob, path) }
	return rule, nil
}

// KindNames lists the names of all kinds of drift.
func KindNames() []string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return names
}
