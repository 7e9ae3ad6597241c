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
		"go.mod":          "module example.com/m\n\ngo 1.26\n",
		"m.go":            "package m\n\nimport \"os\"\n\nfunc F() int { return g(os.Args) }\n",
		"g_linux.go":      "package m\n\nfunc g([]string) int { return 0 }\n",
		"g_windows.go":    "package m\n\nfunc g([]string) int { return 0 }\n",
		"h_windows.go":    "package m\n\nimport \"errors\"\n\nfunc h() error { var e error; errors.As(e, e); return e }\n",
		"m_test.go":       "package m_test\n\nimport (\n\t\"testing\"\n\n\t\"example.com/m\"\n)\n\nfunc TestF(t *testing.T) { t.Log(m.F()) }\n",
		"i_plan9_test.go": "package m_test\n\nvar wrong = nothing\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for goos, want := range map[string]string{
		"linux": "", "freebsd": "undefined: g", "windows": "second argument to errors.As must be", "plan9": "undefined: nothing",
	} {
		got, err := vet(t.Context(), dir, goos, "amd64")
		if err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(got, "\n"); want == "" && all != "" || !strings.Contains(all, want) {
			t.Errorf("%s: got %q, want %q", goos, all, want)
		}
	}
}
