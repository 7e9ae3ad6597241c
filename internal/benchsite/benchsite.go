// Package benchsite makes the site that publishes are measured with: pages of prose in folders, the same
// on every machine for the same shape.
package benchsite

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Shape is how large a site is.
type Shape struct {
	Folders int // each with Pages pages, an index.html and a script whose name has a content hash
	Pages   int
	Bytes   int // of a page, about
}

// Full is the site of docs/performance.md: 10,201 files, 86 MB.
var Full = Shape{Folders: 100, Pages: 100, Bytes: 8250}

// Files is how many files the site has.
func (s Shape) Files() int { return s.Folders*(s.Pages+2) + 1 }

// words are what the prose is made of.
const words = 4000

// Page is the text of a page, which differs in one paragraph from round to round.
func (s Shape) Page(folder, page, round int) string {
	r := rand.New(rand.NewPCG(uint64(folder), uint64(page))) //nolint:gosec // no secret
	var b strings.Builder
	fmt.Fprintf(&b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Page %d of part %d</title>\n"+
		"<link rel=\"stylesheet\" href=\"/site.css\"></head>\n<body class=\"page\">\n", page, folder)
	menu(&b, folder)
	b.WriteString("<main class=\"content\">\n")
	if round > 0 {
		paragraph(&b, rand.New(rand.NewPCG(uint64(folder)<<32|uint64(page), uint64(round)))) //nolint:gosec // no secret
	}
	for b.Len() < s.Bytes {
		paragraph(&b, r)
	}
	b.WriteString("</main>\n<footer>made for measurements</footer></body></html>\n")
	return b.String()
}

// menu writes the part that all pages have in common.
func menu(b *strings.Builder, folder int) {
	b.WriteString("<nav class=\"menu\"><ul>\n")
	for i := range 24 {
		current := ""
		if i == folder {
			current = " aria-current=\"true\""
		}
		fmt.Fprintf(b, "<li class=\"menu__item menu__item--level-1\"><a class=\"menu__link\" href=\"/part-%03d/\"%s>Part %d, %s %s</a></li>\n", i, current, i, word(i), word(3*i))
	}
	b.WriteString("</ul></nav>\n")
}

// paragraph writes about fifty words, frequent ones more often than rare ones.
func paragraph(b *strings.Builder, r *rand.Rand) {
	b.WriteString("<p>")
	for range 50 {
		rank := int(float64(words) * r.Float64() * r.Float64() * r.Float64() * r.Float64())
		b.WriteString(word(rank))
		b.WriteByte(' ')
	}
	b.WriteString("</p>\n")
}

// word is the nth of the language of these pages.
func word(n int) string {
	const onsets, vowels = "bcdfghjklmnprstvwz", "aeiou"
	var b strings.Builder
	for n = n*7 + 11; n > 0; n /= len(onsets) * len(vowels) {
		b.WriteByte(onsets[n%len(onsets)])
		b.WriteByte(vowels[n/len(onsets)%len(vowels)])
	}
	return b.String()
}

func pagePath(folder, page int) string { return fmt.Sprintf("part-%03d/page-%03d.html", folder, page) }

// Each calls f for every file of the site.
func (s Shape) Each(f func(path, text string) error) error {
	if err := f("index.html", s.Page(-1, 0, 0)); err != nil {
		return err
	}
	for i := range s.Folders {
		for j := range s.Pages {
			if err := f(pagePath(i, j), s.Page(i, j, 0)); err != nil {
				return err
			}
		}
		if err := f(fmt.Sprintf("part-%03d/index.html", i), s.Page(i, -1, 0)); err != nil {
			return err
		}
		script := s.Page(i, -2, 0)
		if err := f(fmt.Sprintf("part-%03d/app.%08x.js", i, rand.NewPCG(uint64(i), 7).Uint64()>>32), script); err != nil {
			return err
		}
	}
	return nil
}

// EachChanged calls f for what a round changes: one page in each folder.
func (s Shape) EachChanged(round int, f func(path, text string) error) error {
	for i := range s.Folders {
		page := (round*37 + i) % s.Pages
		if err := f(pagePath(i, page), s.Page(i, page, round)); err != nil {
			return err
		}
	}
	return nil
}

// Write writes the site into a folder.
func (s Shape) Write(dir string) error { return s.Each(writer(dir)) }

// Change writes what a round changes into the folder.
func (s Shape) Change(dir string, round int) error { return s.EachChanged(round, writer(dir)) }

func writer(dir string) func(path, text string) error {
	return func(path, text string) error {
		name := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		return os.WriteFile(name, []byte(text), 0o644) //nolint:gosec // a site is public
	}
}

// Rebuild gives every file a new time, as a build does that writes them all again.
func Rebuild(dir string, now time.Time) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chtimes(path, now, now)
	})
}
