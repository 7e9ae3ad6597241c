package check

import (
	"context"
	"net/http"
	"path"
	"strings"

	"golang.org/x/sync/errgroup"

	"mirror/diff"
	"mirror/internal/origin"
	"mirror/site"
)

// The bounds of what is explained: how many pages of an origin, and how large they may be, in bytes.
const (
	maxExplained     = 100
	largestExplained = 4 << 20
)

// explain reads altered pages again to say what differs: whether something was put into
// them, and where. All of that may take as long as one answer.
func (v *visit) explain(ctx context.Context) {
	if v.verdict.Err != nil {
		return
	}
	patience := v.at.Timeout
	if v.limit.Err() != nil {
		patience = moment
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var pages errgroup.Group
	pages.SetLimit(v.at.Concurrency)
	explained := 0
	for i := range v.verdict.Differences {
		d := &v.verdict.Differences[i]
		f, ok := v.options.Manifest.Find(d.Path)
		if !ok || d.Status != http.StatusOK || d.Kind != diff.Altered && d.Kind != diff.Stale || f.Size > largestExplained || explained == maxExplained {
			continue
		}
		explained++
		pages.Go(func() error {
			v.explainPage(ctx, f, d)
			return nil
		})
	}
	_ = pages.Wait() // none of them fails: what cannot be read again has no explanation
}

// explainPage adds to a difference what a look at both texts tells.
func (v *visit) explainPage(ctx context.Context, f site.File, d *diff.Difference) {
	if d.URL == "" || !v.options.Excerpts && !(d.Kind == diff.Altered && isHTML(f.Path)) {
		return
	}
	live, err := v.client.FetchBody(ctx, origin.Page{Path: f.Path, URL: v.at.Style.URLPath(f.Path), Size: f.Size})
	if err != nil {
		return
	}
	ours, err := v.ours(ctx, f)
	if err != nil {
		return
	}
	if d.Kind == diff.Altered && isHTML(f.Path) {
		if what, ok := diff.Injection(ours, live); ok {
			d.Detail = "injected: " + strings.Join(what, ", ")
		}
	}
	if v.options.Excerpts {
		d.Excerpt = diff.Excerpt(ours, live)
	}
}

func isHTML(name string) bool {
	return strings.HasPrefix(site.ContentType(path.Base(name), nil), "text/html")
}
