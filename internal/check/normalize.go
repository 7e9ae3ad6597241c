package check

import (
	"bytes"
	"context"
	"regexp"

	"github.com/bmatcuk/doublestar/v4"

	"mirror/internal/origin"
	"mirror/site"
)

// Rule takes out of some pages what may differ between origins.
type Rule struct {
	Match  string // doublestar glob over paths
	Remove []*regexp.Regexp
}

// forgives reports whether a page that is altered is the release's after what the rules
// name was taken out of both. The page is fetched once more for it.
func (v *visit) forgives(ctx context.Context, page origin.Page, want site.File) bool {
	rules := v.options.rulesFor(page.Path)
	if len(rules) == 0 || v.options.Open == nil {
		return false
	}
	live, err := v.client.Body(ctx, page)
	if err != nil {
		return false
	}
	ours, err := v.options.Open(want)
	return err == nil && bytes.Equal(remove(rules, live), remove(rules, ours))
}

func (o Options) rulesFor(path string) []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, r := range o.Normalize {
		if doublestar.MatchUnvalidated(r.Match, path) {
			all = append(all, r.Remove...)
		}
	}
	return all
}

func remove(rules []*regexp.Regexp, text []byte) []byte {
	for _, r := range rules {
		text = r.ReplaceAll(text, nil)
	}
	return text
}
