package selfbase

import (
	"cmp"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mirror/targets"
)

// machineOf returns the architecture of an ELF file by the name that images give it.
func machineOf(f *elf.File) string {
	switch f.Machine {
	case elf.EM_X86_64:
		return "amd64"
	case elf.EM_AARCH64:
		return "arm64"
	case elf.EM_386:
		return "386"
	case elf.EM_ARM:
		return "arm"
	case elf.EM_RISCV:
		return "riscv64"
	case elf.EM_S390:
		return "s390x"
	case elf.EM_LOONGARCH:
		return "loong64"
	case elf.EM_PPC64:
		if f.ByteOrder.String() == "LittleEndian" {
			return "ppc64le"
		}
	}
	return ""
}

// locate returns a mirror binary that runs on p: the configured one or the running one if
// it is made for p, else mirror-<os>-<arch> beside it.
func (s *Binary) locate(p v1.Platform) (string, error) {
	binary := s.configured
	if binary == "" {
		running, err := os.Executable()
		if err != nil {
			return "", fmt.Errorf("find the mirror binary: %w", err)
		}
		binary = running
	} else if _, err := os.Stat(binary); err != nil {
		return "", fmt.Errorf("self_binary: %w", err)
	}
	beside := fmt.Sprintf("mirror-%s-%s", p.OS, p.Architecture)
	for _, candidate := range []string{binary, filepath.Join(filepath.Dir(binary), beside)} {
		if runsOn(candidate, p) {
			return candidate, nil
		}
	}
	return "", &targets.RefusedError{
		Reason: fmt.Sprintf("no mirror binary for %s to put into the image", p.String()),
		Hint: fmt.Sprintf("put one at %s, or name it with self_binary; with CGO_ENABLED=0, GOOS=%s and GOARCH=%s in the environment `go build -o %s ./cmd/mirror` makes it; or set base to an image, or to none for the site alone",
			filepath.Join(filepath.Dir(binary), beside), p.OS, p.Architecture, beside),
	}
}

func runsOn(name string, p v1.Platform) bool {
	f, err := elf.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	return p.OS == "linux" && machineOf(f) == p.Architecture &&
		(f.OSABI == elf.ELFOSABI_NONE || f.OSABI == elf.ELFOSABI_LINUX)
}

// closure returns the binary as /mirror and, where it is linked dynamically, its loader
// and libraries at the places where the loader looks for them, so that it runs in an
// image that holds nothing else.
func closure(binary string) ([]file, error) {
	c := &linker{files: map[string]string{"/mirror": binary}}
	if err := c.add(binary); err != nil {
		return nil, &targets.RefusedError{
			Reason: fmt.Sprintf("the mirror binary %s cannot run in an empty image: %v", binary, err),
			Hint:   "build mirror with CGO_ENABLED=0, or set base to an image",
		}
	}
	files := make([]file, 0, len(c.files))
	for inImage, here := range c.files {
		files = append(files, file{inImage: inImage, here: here})
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.inImage, b.inImage) })
	return files, nil
}

// linker collects what ELF files need, as the loader would.
type linker struct {
	files map[string]string // place in the image → place here
	seen  []string          // libraries by name, as the loader loads each name once
}

func (l *linker) add(name string) error {
	f, err := elf.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := l.addLoader(f); err != nil {
		return err
	}
	needed, err := f.ImportedLibraries()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	dirs := searchDirs(f, name)
	for _, lib := range needed {
		if slices.Contains(l.seen, lib) {
			continue
		}
		l.seen = append(l.seen, lib)
		if err := l.addLibrary(lib, dirs); err != nil {
			return err
		}
	}
	return nil
}

// addLoader adds the program's interpreter, at the very path that the kernel reads.
func (l *linker) addLoader(f *elf.File) error {
	for _, prog := range f.Progs {
		if prog.Type != elf.PT_INTERP {
			continue
		}
		text, err := io.ReadAll(io.LimitReader(prog.Open(), 4096))
		if err != nil {
			return err
		}
		interp := strings.TrimRight(string(text), "\x00")
		if !path.IsAbs(interp) {
			return fmt.Errorf("interpreter %q is no absolute path", interp)
		}
		l.files[interp] = interp
		l.seen = append(l.seen, path.Base(interp))
	}
	return nil
}

func (l *linker) addLibrary(lib string, dirs []string) error {
	for _, dir := range dirs {
		here := filepath.Join(dir, lib)
		if _, err := os.Stat(here); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		l.files[here] = here
		return l.add(here)
	}
	return fmt.Errorf("its library %s was not found", lib)
}

// searchDirs are the folders where the loader looks with neither cache nor environment:
// the file's own run path, then the built-in ones, Debian's multiarch folders among them.
func searchDirs(f *elf.File, name string) []string {
	var dirs []string
	for _, tag := range []elf.DynTag{elf.DT_RPATH, elf.DT_RUNPATH} {
		paths, err := f.DynString(tag)
		if err != nil {
			continue // no dynamic section: no run path
		}
		for _, dir := range strings.Split(strings.Join(paths, ":"), ":") {
			if path.IsAbs(dir) { // $ORIGIN is another place in the image
				dirs = append(dirs, dir)
			}
		}
	}
	for _, dir := range []string{"/lib", "/usr/lib"} {
		if multiarch := multiarchOf(f); multiarch != "" {
			dirs = append(dirs, dir+"/"+multiarch)
		}
	}
	return append(dirs, "/lib64", "/usr/lib64", "/lib", "/usr/lib")
}

func multiarchOf(f *elf.File) string {
	switch machineOf(f) {
	case "amd64":
		return "x86_64-linux-gnu"
	case "arm64":
		return "aarch64-linux-gnu"
	case "386":
		return "i386-linux-gnu"
	case "arm":
		return "arm-linux-gnueabihf"
	case "riscv64":
		return "riscv64-linux-gnu"
	case "s390x":
		return "s390x-linux-gnu"
	case "ppc64le":
		return "powerpc64le-linux-gnu"
	}
	return ""
}
