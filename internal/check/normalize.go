package check

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"regexp"

	"mirror/internal/origin"
	"mirror/site"
)

// verdictOn is what is known of a page that differs and that rules are for.
type verdictOn int

const (
	differs  verdictOn = iota
	forgiven           // it is the release's after what the rules name was taken out of both
	doubtful           // the release's bytes are not available
)

// normalized compares a page that is altered with the release's after what the rules name was
// taken out of both. The page is fetched once more for it.
func (v *visit) normalized(ctx context.Context, page origin.Page, want site.File) verdictOn {
	rules := v.options.rulesFor(page.Path)
	if len(rules) == 0 {
		return differs
	}
	live, err := v.client.FetchBody(ctx, page)
	if err != nil {
		return differs
	}
	ours, err := v.ours(ctx, want)
	switch {
	case err != nil:
		return doubtful
	case bytes.Equal(remove(rules, live), remove(rules, ours)):
		return forgiven
	}
	return differs
}

// ours returns the release's bytes of a page: where they are not at hand, from any origin that
// serves them. Their digest tells.
func (v *visit) ours(ctx context.Context, f site.File) ([]byte, error) {
	if v.options.Open != nil {
		return v.options.Open(f)
	}
	for _, other := range v.others {
		text, err := other.client.FetchBody(ctx, origin.Page{Path: f.Path, URL: other.at.Style.URLPath(f.Path), Size: sizeOf(f)})
		if err == nil && sha256.Sum256(text) == f.Digest {
			return text, nil
		}
	}
	return nil, errNowhere
}

// errNowhere says that the bytes of a page are not available.
var errNowhere = errors.New("the release's bytes are not at hand")

func remove(rules []*regexp.Regexp, text []byte) []byte {
	for _, r := range rules {
		text = r.ReplaceAll(text, nil)
	}
	return text
}
