package selfbase

import (
	"debug/elf"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

func TestDynamicServerBringsItsLibraries(t *testing.T) {
	shell, err := elf.Open("/bin/sh")
	if err != nil {
		t.Skip("needs /bin/sh as an ELF file")
	}
	libs, err := shell.ImportedLibraries()
	if err != nil || len(libs) == 0 {
		t.Skip("needs a dynamically linked /bin/sh")
	}
	files, err := closure("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, lib := range append(libs, "mirror", loaderOf(t, shell)) {
		found := false
		for _, f := range files {
			found = found || filepath.Base(f.inImage) == lib
		}
		if !found {
			t.Errorf("%s is not in the layer: %+v", lib, files)
		}
	}
}

// loaderOf is the name of the program's interpreter.
func loaderOf(t *testing.T, f *elf.File) string {
	t.Helper()
	for _, prog := range f.Progs {
		if prog.Type == elf.PT_INTERP {
			text, err := io.ReadAll(prog.Open())
			if err != nil {
				t.Fatal(err)
			}
			return filepath.Base(strings.TrimRight(string(text), "\x00"))
		}
	}
	return ""
}
