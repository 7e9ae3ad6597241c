package compare

import (
	"context"
	"fmt"
	"net/http"

	"mirror/diff"
)

// uniform tells that an origin answers the same on every page, as one that is parked, shut
// down or empty does: it has no pages that could be compared, and its number should not
// outvote those that have. Pages far apart are asked for again before that counts.
func (s *collector) uniform(ctx context.Context, paths []string, probe string) (diff.Difference, bool) {
	n := len(paths)
	if n < 2 {
		return diff.Difference{}, false
	}
	first, d := s.answer(0, paths[0]), diff.Difference{}
	for i, path := range paths {
		a := s.answer(i, path)
		same := false
		if d, same = sameUniform(first, a); !same {
			return d, false
		}
	}
	if d.Kind == diff.Altered {
		if a := s.answer(n, probe); a.Status != http.StatusOK || a.Digest != first.Digest {
			return d, false
		}
	}
	for _, i := range []int{0, n / 2, n - 1} {
		again := s.ask(ctx, s.client.FetchFresh, paths[i])
		if _, same := sameUniform(first, again.Answer); !same {
			return d, false
		}
	}
	d.Path, d.URL, d.Got, d.Status, d.Location, d.Pages = "*", s.at.URL.String(), first.Digest, first.Status, first.Location, n
	d.Detail = fmt.Sprintf("the whole origin answers the same on all %d pages: %s", n, d.Detail)
	return d, true
}

// sameUniform tells which drift it is when a page answers as another one does.
func sameUniform(first, a diff.Answer) (d diff.Difference, same bool) {
	d = diff.Difference{Kind: diff.Unreachable, Detail: fmt.Sprintf("answered %d", a.Status)}
	switch {
	case first.Err != nil || a.Err != nil || first.Status != a.Status:
		return d, false
	case a.Status == http.StatusOK:
		d.Kind, d.Detail = diff.Altered, "one page, for a path that does not exist too"
		return d, first.Digest == a.Digest
	case a.Status == http.StatusNotFound || a.Status == http.StatusGone:
		d.Kind = diff.Missing
	case a.Location != "":
		d.Kind = diff.Redirected
		d.Detail += ", away to another host"
		return d, first.Away && a.Away && diff.HostOf(first.Target) == diff.HostOf(a.Target)
	}
	return d, a.Status < 200 || a.Status >= 300
}
