package site

import (
	"bytes"
	"crypto/sha256"
	"testing"
	"testing/fstest"
	"time"
)

// TestStoredRelease has other bytes for one file, and the ID and the beacon of the site.
func TestStoredRelease(t *testing.T) {
	fsys := fstest.MapFS{"a.txt": {Data: []byte("plain text")}, "b.txt": {Data: []byte("other")}}
	file := func(name, text string) File {
		return File{Path: name, Size: int64(len(text)), Digest: sha256.Sum256([]byte(text))}
	}
	r := NewRelease(Manifest{file("a.txt", "plain text"), file("b.txt", "other")}, fsys, DefaultBeacon, time.Unix(1e9, 0))
	s := r.Stored(Manifest{file("a.txt", "packed"), file("b.txt", "other")}, map[string]func() ([]byte, error){
		"a.txt": func() ([]byte, error) { return []byte("packed"), nil },
	})
	if s.ID() != r.ID() || !bytes.Equal(s.Beacon(), r.Beacon()) {
		t.Errorf("got %s with the beacon %s, want %s with %s", s.ID(), s.Beacon(), r.ID(), r.Beacon())
	}
	for i, want := range []string{"packed", "other"} {
		if text, err := s.ReadFile(s.Manifest[i]); err != nil || string(text) != want {
			t.Errorf("got %q, %v, want %q", text, err, want)
		}
	}
	if text, err := r.ReadFile(r.Manifest[0]); err != nil || string(text) != "plain text" {
		t.Errorf("the release itself has %q, %v now", text, err)
	}
}
