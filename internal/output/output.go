// Package output writes a report in the formats, and to the files, that a person asked for.
package output

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mirror/internal/atomicfile"
	"mirror/internal/secrets"
	"mirror/reports"
	"mirror/reports/formats"
)

// Set is where a document goes: each place in one format. Stdout always gets one.
type Set[Document any] struct {
	places []place[Document]
}

// place is one file in one format; "-" is stdout.
type place[Document any] struct {
	formats.Format[Document]
	file string
}

// Streams are what a document is written with.
type Streams struct {
	Stdout  io.Writer
	Style   reports.Style     // on stdout
	Secrets *secrets.Scrubber // kept out of files; nil for none
}

// Parse reads what flags ask for: format is that of stdout, "" for text, and each of files is
// FORMAT=FILE, with - for stdout. An error says what is wrong with the flags; nothing is written.
func Parse[Document any](all []formats.Format[Document], format string, files []string) (Set[Document], error) {
	var s Set[Document]
	taken := map[string]string{}
	if format != "" {
		if err := s.add(all, "--format "+format, format, "-", taken); err != nil {
			return s, err
		}
	}
	for _, text := range files {
		name, file, ok := strings.Cut(text, "=")
		if !ok || file == "" {
			return s, fmt.Errorf("--out %s: want FORMAT=FILE, as in --out junit=report.xml", text)
		}
		if err := s.add(all, "--out "+text, name, file, taken); err != nil {
			return s, err
		}
	}
	if _, ok := taken["-"]; !ok {
		return s, s.add(all, "", "text", "-", taken)
	}
	return s, nil
}

// Names lists the names of formats.
func Names[Document any](all []formats.Format[Document]) []string {
	var names []string
	for _, f := range all {
		names = append(names, f.Name)
	}
	return names
}

// add adds a place, unless it is taken or cannot be written to.
func (s *Set[Document]) add(all []formats.Format[Document], flag, format, file string, taken map[string]string) error {
	i := slices.IndexFunc(all, func(f formats.Format[Document]) bool { return f.Name == format })
	if i < 0 {
		return fmt.Errorf("%s: there is no format %q (there are %s)", flag, format, strings.Join(Names(all), ", "))
	}
	at := file
	if file != "-" {
		at = filepath.Clean(file)
		if info, err := os.Stat(filepath.Dir(at)); err != nil || !info.IsDir() {
			return fmt.Errorf("%s: there is no folder %s", flag, filepath.Dir(at))
		}
		if info, err := os.Stat(at); err == nil && info.IsDir() {
			return fmt.Errorf("%s: %s is a folder", flag, at)
		}
	}
	if other, ok := taken[at]; ok {
		return fmt.Errorf("%s and %s both write to %s", other, flag, cmp.Or(strings.TrimPrefix(at, "-"), "stdout"))
	}
	taken[at] = flag
	s.places = append(s.places, place[Document]{all[i], file})
	return nil
}

// Has reports whether the document is written in a format.
func (s Set[Document]) Has(format string) bool {
	return slices.ContainsFunc(s.places, func(p place[Document]) bool { return p.Name == format })
}

// WritesTo reports whether a file gets the document.
func (s Set[Document]) WritesTo(file string) bool {
	return slices.ContainsFunc(s.places, func(p place[Document]) bool { return p.file == file })
}

// Write writes the document to every place. One that cannot be written to keeps no other from
// being written to.
func (s Set[Document]) Write(d Document, to Streams) error {
	var errs []error
	for _, p := range s.places {
		errs = append(errs, p.write(d, to))
	}
	return errors.Join(errs...)
}

func (p place[Document]) write(d Document, to Streams) error {
	if p.file == "-" {
		return p.Write(d, to.Stdout, to.Style)
	}
	var b bytes.Buffer
	if err := p.Write(d, &b, reports.Style{Verbose: to.Style.Verbose, All: to.Style.All, Version: to.Style.Version}); err != nil {
		return err
	}
	if err := replace(p.file, to.Secrets.Bytes(b.Bytes())); err != nil {
		return fmt.Errorf("--out %s=%s: %w", p.Name, p.file, err)
	}
	return nil
}

// replace writes a file at once: a reader sees the old text or the new one. What is no
// regular file, such as a pipe or /dev/stderr, is written to.
func replace(name string, text []byte) error {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		file, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = file.Write(text)
		return errors.Join(err, file.Close())
	}
	return atomicfile.WriteFile(name, text, 0o644)
}
