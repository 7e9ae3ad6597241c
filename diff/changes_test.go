package diff_test

import (
	"slices"
	"testing"

	"mirror/diff"
)

// TestBetweenBytes tells pages with other bytes from those with other metadata only.
func TestBetweenBytes(t *testing.T) {
	type stored struct{ bytes, header string }
	have := map[string]stored{"same": {"a", ""}, "header": {"a", "x"}, "bytes": {"b", ""}, "both": {"b", "x"}, "gone": {"a", ""}}
	want := map[string]stored{"same": {"a", ""}, "header": {"a", ""}, "bytes": {"a", ""}, "both": {"a", ""}, "added": {"a", ""}}
	got := diff.BetweenBytes(have, want, func(have, want stored) bool { return have.bytes == want.bytes })
	if want := []string{"both", "bytes", "header"}; !slices.Equal(got.Change, want) {
		t.Errorf("changed: got %q, want %q", got.Change, want)
	}
	if want := []string{"header"}; !slices.Equal(got.Metadata, want) {
		t.Errorf("metadata: got %q, want %q", got.Metadata, want)
	}
	if want := []string{"added", "both", "bytes", "gone"}; !slices.Equal(got.Bytes(), want) || got.Same != 1 {
		t.Errorf("bytes: got %q and %d the same, want %q and 1", got.Bytes(), got.Same, want)
	}
}
