package documents

import (
	"mirror/site"
	"mirror/targets"
)

// RecordPaths are the paths of the records of verified objects.
func (h StateDocument) RecordPaths() []string {
	if h.None() {
		return nil
	}
	return h.Records
}

// GracePath is the list of files of earlier releases that are served, "" for none. While a commit
// is under way it is that of before.
func (h StateDocument) GracePath() string {
	if h.None() {
		return ""
	}
	return h.Grace
}

// BeaconPaths are the paths that are no part of what is compared.
func (h StateDocument) BeaconPaths(next string) []string {
	var out []string
	if !h.None() {
		out = append(out, h.Beacons...)
	}
	if next != "" {
		out = append(out, next)
	}
	return out
}

// Base is the release with whose document a new one shares most.
func (h StateDocument) Base() site.ID {
	switch {
	case h.None():
		return site.None
	case h.Phase == PhaseCommitting && !h.Undo:
		return h.To
	}
	return h.Release
}

// LiveBefore is the release that was live before, also while committing.
func (h StateDocument) LiveBefore() site.ID {
	if h.None() {
		return site.None
	}
	return h.Release
}

// PreviousReleases are the releases that were live before that one.
func (h StateDocument) PreviousReleases() []site.ID {
	if h.None() {
		return nil
	}
	return h.Previous
}

// IsLive reports whether the release to commit is the one at rest.
func (h StateDocument) IsLive(s targets.Swap) bool {
	return !h.None() && h.Phase == PhaseLive && h.Release == s.To
}
