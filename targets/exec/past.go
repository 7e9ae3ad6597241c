package exec

import (
	"context"

	"mirror/site"
	"mirror/targets/exec/internal/protocol"
)

// Past asks for what was live. What is live and is not of mirror's is listed by itself.
func (t *Target) Past(ctx context.Context, limit int, of []string) ([]site.Past, error) {
	live, err := t.Live(ctx)
	if err != nil {
		return nil, err
	}
	var past []site.Past
	if live.Release == site.None && live.Revision != "" {
		m, err := t.ReadBack(ctx)
		if err != nil {
			return nil, err
		}
		past = append(past, site.Past{Manifest: m})
	}
	hear := func(l protocol.Line) error {
		if l.Past == nil || len(past) >= limit {
			return nil
		}
		m, err := protocol.ReadManifest(l.Past.Manifest, l.Past.Release)
		if err != nil {
			return nil //nolint:nilerr // what cannot be read is left out
		}
		past = append(past, site.Past{Release: m.ID(), Published: l.Past.Published, Manifest: m})
		return nil
	}
	err = t.ask(ctx, protocol.Request{Op: "past", Limit: limit, Paths: of}, steps{hear: hear})
	return past[:min(len(past), limit)], err
}
