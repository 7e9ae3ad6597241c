package demo

import (
	"context"
	"fmt"
	"strings"

	"mirror/diff"
)

// fromPlaces has other places look at the origins, one of which then keeps an old page.
func (s *steps) fromPlaces(ctx context.Context) []step {
	s.places = false
	stuck := s.agents.Places[len(s.agents.Places)-1]
	return []step{
		{fmt.Sprintf("check from %d places", len(s.agents.Places)+1), func() (string, error) { s.places = true; return s.agree(ctx) }},
		{"publish v3 while a cache at " + stuck.Name + " is stuck", func() (string, error) {
			stuck.Stick(true)
			if err := s.write(map[string]string{changedPage: "<!doctype html><title>1</title><p>Page 1 of the demo, third edition.\n"}); err != nil {
				return "", err
			}
			return s.publish(ctx, "live")
		}},
		{"check finds the place", func() (string, error) { return s.stuckAt(ctx, stuck.Name) }},
		{"the cache follows again", func() (string, error) { stuck.Stick(false); return s.agree(ctx) }},
		{fmt.Sprintf("publish v4, its window watched from %d places", len(s.agents.Places)+1), func() (string, error) { return s.watched(ctx) }},
	}
}

// watched publishes while the agents watch, and wants a window in which every place has its part.
func (s *steps) watched(ctx context.Context) (string, error) {
	if err := s.write(map[string]string{changedPage: "<!doctype html><title>1</title><p>Page 1 of the demo, fourth edition.\n"}); err != nil {
		return "", err
	}
	s.windows = true
	defer func() { s.windows = false }()
	detail, err := s.publish(ctx, "live")
	if err != nil {
		return "", err
	}
	w := s.doc.Publish[len(s.doc.Publish)-1].Window
	if w == nil || len(w.Places) != len(s.agents.Places)+1 {
		return "", fmt.Errorf("the window is not from %d places", len(s.agents.Places)+1)
	}
	return detail + w.From(), nil
}

// stuckAt wants a check to find the page that changed old at one place, on every origin, and nothing else.
func (s *steps) stuckAt(ctx context.Context, place string) (string, error) {
	v, err := s.check(ctx, diff.Drifts)
	if err != nil {
		return "", err
	}
	all := 0
	var detail string
	for _, o := range v.Origins {
		for _, d := range o.Differences {
			if d.Kind != diff.Stale || d.Path != changedPage || strings.Join(d.Places, " ") != place {
				return "", fmt.Errorf("%s on %s: %s, %s, want it stale at %s alone", d.Path, d.Origin, d.Kind, d.SeenFrom(), place)
			}
			detail = d.SeenFrom()
			all++
		}
	}
	if all != len(v.Origins) {
		return "", fmt.Errorf("the old page was found on %d of %d origins", all, len(v.Origins))
	}
	return fmt.Sprintf("exit code 1: %s is stale %s, on %d origins", changedPage, detail, all), nil
}
