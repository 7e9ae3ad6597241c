package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFindsWhatIsWrongElsewhere vets a module whose faults show on one system only.
func TestFindsWhatIsWrongElsewhere(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":            "module example.com/m\n\ngo 1.26\n",
		"m.go":              "package m\n\nfunc F() int { return g() }\n",
		"g_linux.go":        "package m\n\nimport \"errors\"\n\nfunc g() int { var e error; errors.As(e, e); return 0 }\n",
		"m_test.go":         "package m_test\n\nimport (\n\t\"testing\"\n\n\t\"example.com/m\"\n)\n\nfunc TestF(t *testing.T) { t.Log(m.F()) }\n",
		"i_windows_test.go": "package m_test\n\nvar wrong = nothing\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for goos, wants := range map[string][]string{
		"linux": {"second argument to errors.As must be"}, "windows": {"undefined: g", "undefined: nothing"},
	} {
		got, err := vet(t.Context(), dir, goos, "amd64")
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if all := strings.Join(got, "\n"); !strings.Contains(all, want) {
				t.Errorf("%s: got %q, want %q", goos, all, want)
			}
		}
	}
}
