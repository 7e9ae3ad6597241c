package targettest

import (
	"strings"
	"testing"
	"time"

	"mirror/targets"
)

// notesLimit is how many bytes of notes these cases read at most.
const notesLimit = 1 << 10

// notes has publishers leave notes for each other, at a place that serves nothing and at one that does:
// visitors do not see them, and they stay.
func notes(t *testing.T, f Fixture) {
	first, ok := targets.As[targets.Notes](t.Context(), f.Open(t, nil))
	if !ok {
		t.Skip("the kind of target keeps no notes")
	}
	if text, err := first.ReadNotes(t.Context(), notesLimit); err != nil || text != nil {
		t.Errorf("notes of an empty place: got %q, %v; want none", text, err)
	}
	for _, text := range []string{`{"a":1}`, strings.Repeat("é ", notesLimit/3)} {
		mustWriteNotes(t, f, text)
		got, err := f.Open(t, nil).(targets.Notes).ReadNotes(t.Context(), notesLimit)
		if err != nil || string(got) != text {
			t.Errorf("notes: got %s, %v; want %s", brief(string(got)), err, brief(text))
		}
		mustPublish(t, f.Open(t, nil), v1)
		wantServed(t, f, f.Open(t, nil), v1)
	}
	if p, ok := targets.As[targets.Pruner](t.Context(), f.Open(t, nil)); ok && !f.KeepsAll {
		if err := p.Prune(t.Context(), targets.Retention{Keep: 1, Grace: -time.Minute}); err != nil {
			t.Fatal(err)
		}
		if got, err := first.ReadNotes(t.Context(), notesLimit); err != nil || got == nil {
			t.Errorf("notes after a prune: got %s, %v", brief(string(got)), err)
		}
	}
	mustWriteNotes(t, f, strings.Repeat("x", 8*notesLimit))
	if got, err := first.ReadNotes(t.Context(), notesLimit); err == nil {
		t.Errorf("notes that are too long: got %s, want an error", brief(string(got)))
	}
}

func mustWriteNotes(t *testing.T, f Fixture, text string) {
	t.Helper()
	if err := f.Open(t, nil).(targets.Notes).WriteNotes(t.Context(), []byte(text)); err != nil {
		t.Fatalf("write notes: %v", err)
	}
}
