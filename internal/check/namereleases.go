package check

import (
	"context"

	"mirror/diff"
)

// NameReleases says of each difference of a verdict, where its bytes are those of a release that was live
// before, of which. The sources in o.Past are asked one after another, as a check asks them.
func NameReleases(ctx context.Context, o Options, verdicts []diff.OriginVerdict) {
	r := &round{options: o}
	for i := range verdicts {
		r.visits = append(r.visits, &visit{verdict: verdicts[i]})
	}
	r.name(ctx)
	for i, v := range r.visits {
		v.verdict.NameRollback()
		verdicts[i] = v.verdict
	}
}
