package publish_test

import (
	"errors"
	"testing"

	"mirror/internal/publish"
)

// The phase is named once, even if the destination's own error begins with it.
func TestErrorNamesThePhaseOnce(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"stage: disk full":          "site: stage: disk full",
		"stage 24566037: disk full": "site: stage 24566037: disk full",
		`stage "a/b": disk full`:    `site: stage "a/b": disk full`,
		"stages are full":           "site: stage: stages are full",
		"disk full":                 "site: stage: disk full",
	} {
		err := &publish.Error{Phase: "stage", Destination: "site", Err: errors.New(text)}
		if got := err.Error(); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	err := &publish.Error{Phase: "roll back", Destination: "site", Err: errors.New("roll back: gone")}
	if got, want := err.Error(), "site: roll back: gone"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
