package vantage

import (
	"mirror/diff"
	"mirror/internal/origin"
)

// Join makes one verdict of the views and of what was seen from here, which may be nil. base tells the
// release, the pages and the start.
func (v Views) Join(base diff.Verdict, origins []origin.Endpoint, here *diff.PlaceView, quorum int) diff.Verdict {
	var names []string
	for _, at := range origins {
		names = append(names, at.Name)
	}
	views := v.Views
	if here != nil {
		views = append([]diff.PlaceView{*here}, views...)
	}
	if v.Shared {
		return diff.JoinShared(base, names, views, v.Unseen)
	}
	return diff.JoinPlaces(base, names, views, quorum)
}
