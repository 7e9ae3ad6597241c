package record_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mirror/internal/front/record"
	"mirror/site"
)

// TestReadsWhatWasWritten writes a release with odd names, and spoils the file in each line.
func TestReadsWhatWasWritten(t *testing.T) {
	m := site.Manifest{
		{Path: "a\nb\\c\r", Size: 1, Digest: site.Digest{1}}, {Path: "empty", Digest: site.Digest{2}}, {Path: "\xff", Size: 1 << 40, Digest: site.Digest{3}},
	}
	m.Sort()
	name := filepath.Join(t.TempDir(), "release")
	if err := record.Write(name, record.Release{Beacon: site.Beacon{Release: m.ID(), Sequence: 7, Rollback: true}, Manifest: m}); err != nil {
		t.Fatal(err)
	}
	got, err := record.Read(name)
	if err != nil || !slices.Equal(got.Manifest, m) || got.Sequence != 7 || !got.Rollback {
		t.Fatalf("got %+v, %v", got, err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	for i := range len(lines) - 1 {
		for what, spoilt := range map[string]string{
			"without": strings.Join(slices.Delete(slices.Clone(lines), i, i+1), ""),
			"cut in":  strings.Join(lines[:i], "") + lines[i][:len(lines[i])/2],
		} {
			if err := os.WriteFile(name, []byte(spoilt), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := record.Read(name); err == nil {
				t.Errorf("%s line %d it reads as %+v", what, i, got)
			}
		}
	}
}
