package check

import (
	"bytes"
	"context"
	"regexp"

	"github.com/bmatcuk/doublestar/v4"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/site"
)

// Rule takes out of some pages what may differ between origins.
type Rule struct {
	Match  string // doublestar glob over paths
	Remove []*regexp.Regexp
}

// Normalizer forgives differences that rules take out.
type Normalizer struct {
	Rules []Rule
	// Open returns a file of the release; nil where its bytes are not at hand, and then
	// nothing is forgiven.
	Open func(f site.File) ([]byte, error)
}

// forgives reports whether a page that is altered is the release's after what the rules
// name was taken out of both. The page is fetched once more for it.
func (n Normalizer) forgives(ctx context.Context, client *origin.Client, page origin.Page, want diff.Expectation, o site.Observation) bool {
	rules := n.rulesFor(page.Path)
	if len(rules) == 0 || n.Open == nil || want.Absent || want.NotFound {
		return false
	}
	if d, ok := diff.Judge(want, o); ok || d.Kind != diff.Altered {
		return false
	}
	live, err := client.Body(ctx, page)
	if err != nil {
		return false
	}
	ours, err := n.Open(want.File)
	return err == nil && bytes.Equal(remove(rules, live), remove(rules, ours))
}

func (n Normalizer) rulesFor(path string) []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, r := range n.Rules {
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
